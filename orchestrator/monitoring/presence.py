"""Who is there: every part answers an operator's inquiry, wherever it stands.

What an operator makes of the answers is decided in status.py. The name of the inquiry stands where
that of a run does, so that an answer belongs to one inquiry, and the permissions of every part
allow it.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping

from orchestrator.coordination.coordinator import RunCoordinator, Stage
from orchestrator.scenario.settings import RunSettings
from protocol.codec import Item, decode_frame, encode_frame, run_of
from protocol.errors import DecodeError, RunError
from protocol.messages import Address, Expected, Inquiry, Presence, RunState
from protocol.subjects import INQUIRIES, OPERATOR, direct
from protocol.transport.bus import Bus, Fail

Say = Callable[[], Presence | RunState]


async def answer_inquiries(bus: Bus, sender: Address, say: Say, fail: Fail) -> None:
    """From now on, until the bus is closed, answer every inquiry with what `say` gives then."""
    answers: set[asyncio.Task[None]] = set()

    def receive(subject: str, data: bytes) -> None:
        with contextlib.suppress(DecodeError):
            inquiry = run_of(data)
            if any(isinstance(item.message, Inquiry) for item in decode_frame(data, inquiry)):
                task = asyncio.ensure_future(answer(inquiry))
                answers.add(task)
                task.add_done_callback(answers.discard)

    async def answer(inquiry: str) -> None:
        try:
            frame = encode_frame(inquiry, [Item(OPERATOR, sender.name, say())])
            await bus.publish(direct(inquiry, OPERATOR, sender.host), frame)
        except RunError as error:
            fail(error)

    await bus.subscribe(INQUIRIES, receive, fail)


def state_of(
    run: str, course: RunCoordinator, settings: RunSettings, hosts: Mapping[str, int]
) -> Callable[[], RunState]:
    """What the orchestrator of a run answers; `hosts`: how many households each needed host has."""
    began = time.monotonic()

    def say() -> RunState:
        now = time.monotonic()
        parts = [
            *(
                Expected(host, "host", number, _ago(course, host, now))
                for host, number in hosts.items()
            ),
            *(
                Expected(maker.host, "matchmaker", 0, _ago(course, maker.host, now))
                for maker in course.matchmakers
            ),
            *(
                Expected(name, "external", 1, _ago(course, _home(course, name), now))
                for name in settings.externals
            ),
        ]
        exchanging = course.marks.get(Stage.EXCHANGING)
        ended = course.marks.get(Stage.RELEASING, now)
        return RunState(
            run,
            course.stage.value,
            now - began,
            len(course.members),
            len(course.enrolled),
            -1 if course.latest is None else course.latest.iteration,
            settings.iterations,
            -1 if course.round is None else course.round[0],
            0 if settings.exchange == "off" else settings.resolved_rounds(),
            course.exchanges,
            0.0 if exchanging is None else ended - exchanging,
            tuple(parts),
        )

    return say


def _home(course: RunCoordinator, household: str) -> str:
    """The host that a household enrolled from; its own name before."""
    address = course.enrolled.get(household)
    return household if address is None else address.host


def _ago(course: RunCoordinator, host: str, now: float) -> float | None:
    heard = course.heard.get(host)
    return None if heard is None else max(0.0, now - heard)
