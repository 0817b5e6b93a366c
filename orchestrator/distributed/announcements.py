"""Announcements: a run is announced until it is over, so that hosts and matchmakers learn of it.

What a part does with an announcement is decided in standby.py.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from orchestrator.scenario.scenario import Scenario
from protocol.codec import Item, decode_frame, encode_frame, run_of
from protocol.errors import DecodeError, RunError
from protocol.messages import Announce
from protocol.messages.lifecycle import SILENCE
from protocol.runtime.shell import Shell
from protocol.subjects import ANNOUNCEMENTS, EVERYBODY, ORCHESTRATOR
from protocol.transport.bus import Bus, Fail

ANNOUNCE_SECONDS = 0.5
"""Seconds between announcements of a run."""
_NOT_ANNOUNCED = {"nats", "keys", "insecure", "out", "deadline", "run"}
"""Settings that concern the orchestrator alone."""


class UnattendedError(RunError):
    """A run that is not announced any more, although nobody was told that it ended."""


def announcement(scenario: Scenario) -> Announce:
    """Return the announcement of a run: its options, resolved so that they mean the same on every
    machine."""
    options = scenario.resolved_settings().model_dump_json(
        exclude=_NOT_ANNOUNCED, exclude_none=True
    )
    return Announce(
        settings=options,
        slots=scenario.population.slots,
        exchange=scenario.exchange,
        matchmakers=scenario.matchmakers,
    )


async def announce(bus: Bus, run: str, announced: Announce) -> None:
    """Announce a run again and again, until cancelled."""
    data = encode_frame(run, [Item(EVERYBODY, ORCHESTRATOR, announced)])
    while True:
        await bus.publish(ANNOUNCEMENTS, data)
        await asyncio.sleep(ANNOUNCE_SECONDS)


async def give_up_in_silence(bus: Bus, run: str, shell: Shell) -> None:
    """From now on, end `shell` with UnattendedError once the run has not been announced for
    SILENCE seconds."""
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
    """Wait for the next run that is announced and wanted; return its name and announcement.

    `meanwhile` sets up whatever else is to be heard; it is given the function to call when that
    becomes impossible. Raises the error of the bus if announcements cannot be heard.
    """
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
