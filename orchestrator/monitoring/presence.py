"""Presence: every part answers an operator's inquiry at any time.

`operator_console.py` decides what to conclude from the answers. On the bus, an inquiry has its own
id in place of that of a run. So an answer belongs to one inquiry, and the permissions of every part
allow it.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Literal

from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.coordination.placement import Run
from orchestrator.coordination.run_phase import RunPhase
from orchestrator.monitoring.part_status import refused_by
from protocol.codec import Item, decode_frame, encode_frame, run_of
from protocol.errors import DecodeError, RunError
from protocol.messages import Address, Expected, Inquiry, Presence, RunState
from protocol.runtime.node import Node
from protocol.subjects import INQUIRIES, OPERATOR, direct
from protocol.transport.bus import Bus, Fail

Say = Callable[[], Presence | RunState]


async def answer_inquiries(bus: Bus, sender: Address, say: Say, *, fail: Fail) -> None:
    """Answer every inquiry with the present value of `say`, until the bus is closed.

    Returns once inquiries are received. `fail` is called if they can no longer be answered.
    """
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
    run: Run, node: Node, coordinator: RunCoordinator, clock: Callable[[], float]
) -> Callable[[], RunState]:
    """Return the function with which the orchestrator of a run answers inquiries; `node` is that of
    its coordinator, and `clock` its clock."""
    began, scenario = clock(), run.scenario

    def say() -> RunState:
        now, marks = clock(), coordinator.marks
        exchanging = marks.get(RunPhase.EXCHANGING)
        ended = marks.get(RunPhase.RELEASING, now)
        return RunState(
            run=run.id,
            stage=coordinator.phase.value,
            seconds=now - began,
            households=len(coordinator.members),
            enrolled=len(coordinator.enrolled),
            iteration=-1 if coordinator.latest is None else coordinator.latest.iteration,
            iterations=scenario.common_terms.iterations,
            round=-1 if coordinator.round is None else coordinator.round[0],
            rounds=0 if scenario.exchange is None else scenario.rounds_in_all,
            exchanges=coordinator.exchanges,
            exchanging_seconds=0.0 if exchanging is None else ended - exchanging,
            parts=tuple(_expected(run, coordinator, now)),
            refused=refused_by(node),
        )

    return say


def _expected(run: Run, coordinator: RunCoordinator, now: float) -> Iterator[Expected]:
    """Yield the parts that the run needs: hosts, matchmakers and external households."""

    def part(
        name: str, role: Literal["host", "matchmaker", "external"], households: int, host: str
    ) -> Expected:
        heard = coordinator.heard.get(host)
        ago = None if heard is None else max(0.0, now - heard)
        return Expected(name=name, role=role, households=households, heard_seconds=ago)

    for host, households in run.hosts.items():
        yield part(host, "host", households=len(households), host=host)
    for matchmaker in coordinator.matchmakers:
        yield part(matchmaker.host, "matchmaker", households=0, host=matchmaker.host)
    for name in run.scenario.externals:
        yield part(name, "external", households=1, host=run.roster[name])
