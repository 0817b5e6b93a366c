"""How hosts and matchmakers learn of a run: the orchestrator announces it until it is over.

What a part does about it is decided in standing.py.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

from orchestrator.coordination.nodes import host_count
from orchestrator.scenario.scenario import Scenario
from orchestrator.scenario.settings import RunSettings
from protocol.codec import Item, decode_frame, encode_frame, run_of
from protocol.errors import DecodeError, RunError
from protocol.messages import Address, Announce
from protocol.messages.lifecycle import SILENCE
from protocol.runtime.shell import Shell
from protocol.subjects import ANNOUNCEMENTS, EVERYBODY, ORCHESTRATOR
from protocol.transport.bus import Bus, Fail

AGAIN = 0.5
"""Seconds after which a run is announced again."""
_NOT_TOLD = {"nats", "keys", "insecure", "out", "deadline", "run"}
"""Settings that concern the orchestrator alone."""


def announcement(inputs: Scenario, settings: RunSettings, makers: Sequence[Address]) -> Announce:
    """What is announced of a run: its options, resolved so that they mean the same elsewhere."""
    members = inputs.members
    resolved = settings.model_copy(
        update={
            "isolation": settings.resolved_isolation(len(members)),
            "hosts": host_count(members, settings),
        }
    )
    options = resolved.model_dump_json(exclude=_NOT_TOLD, exclude_none=True)
    terms = inputs.terms(members[0]).exchange
    return Announce(options, inputs.population.slots, terms, tuple(makers))


async def announce(bus: Bus, run: str, announced: Announce) -> None:
    """Tell everybody until cancelled."""
    data = encode_frame(run, [Item(EVERYBODY, ORCHESTRATOR, announced)])
    while True:
        await bus.publish(ANNOUNCEMENTS, data)
        await asyncio.sleep(AGAIN)


class UnattendedError(RunError):
    """A run that is not announced any more, though it was not heard to end."""


async def give_up_in_silence(bus: Bus, run: str, shell: Shell) -> None:
    """From now on, end `shell` with UnattendedError when the run is not announced for long."""
    loop = asyncio.get_running_loop()

    def give_up() -> None:
        shell.fail(UnattendedError(f"not announced for {SILENCE:g} s, so it is over"))

    timer = loop.call_later(SILENCE, give_up)

    def receive(subject: str, data: bytes) -> None:
        nonlocal timer
        with contextlib.suppress(DecodeError):
            if run_of(data) == run:
                timer.cancel()
                timer = loop.call_later(SILENCE, give_up)

    await bus.subscribe(ANNOUNCEMENTS, receive, shell.fail)


async def await_run(
    bus: Bus, wanted: Callable[[str], bool], meanwhile: Callable[[Fail], Awaitable[None]]
) -> tuple[str, Announce]:
    """The next run that is announced and wanted; an error of the bus if that cannot be heard.
    `meanwhile` is what else is to be heard, and told whom to tell when that is impossible."""
    heard: asyncio.Future[tuple[str, Announce]] = asyncio.get_running_loop().create_future()

    def receive(subject: str, data: bytes) -> None:
        try:
            run = run_of(data)
            messages = [item.message for item in decode_frame(data, run)]
        except DecodeError:
            return
        for message in messages:
            if isinstance(message, Announce) and wanted(run) and not heard.done():
                heard.set_result((run, message))

    def fail(error: Exception) -> None:
        if not heard.done():
            heard.set_exception(error)

    await meanwhile(fail)
    await bus.subscribe(ANNOUNCEMENTS, receive, fail)
    return await heard
