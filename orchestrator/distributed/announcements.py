"""Announcements: the orchestrator announces a run until it is over, so that hosts and matchmakers
learn of it.

`standby.py` decides what a part does with an announcement.
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
_NOT_ANNOUNCED = {"nats", "keys", "insecure", "out", "deadline", "round_limit", "limit", "run"}
"""Settings that concern only the orchestrator."""


class UnattendedError(RunError):
    """A run that is no longer announced, although this part has not been released."""


def announcement(scenario: Scenario) -> Announce:
    """Return the announcement of a run, with its options resolved so that they mean the same on
    every machine."""
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
    """Announce a run every ANNOUNCE_SECONDS until cancelled."""
    data = encode_frame(run, [Item(EVERYBODY, ORCHESTRATOR, announced)])
    while True:
        await bus.publish(ANNOUNCEMENTS, data)
        await asyncio.sleep(ANNOUNCE_SECONDS)


async def give_up_in_silence(bus: Bus, run: str, shell: Shell) -> None:
    """Watch the announcements from now on; end `shell` with UnattendedError once there has been
    none of the run for SILENCE seconds."""
    loop = asyncio.get_running_loop()

    def give_up() -> None:
        shell.fail(UnattendedError(f"no announcement for {SILENCE:g} s: the run is over"))

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
    """Wait for the next announced run that is wanted; return its id and announcement.

    `meanwhile` sets up other subscriptions; its argument is the function to call if one of them
    fails. Raises the error of the bus if announcements cannot be received.
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
