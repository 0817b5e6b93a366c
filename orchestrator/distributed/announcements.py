"""Announcements: the orchestrator announces a run until it is over, so that hosts and matchmakers
learn of it.

`standby.py` decides what a part does with an announcement.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from orchestrator.coordination.placement import Run
from protocol.codec import Item, decode_frame, encode_frame, run_of
from protocol.errors import DecodeError, RunError
from protocol.messages import Announce
from protocol.messages.lifecycle import ABSENCE, SILENCE
from protocol.runtime.shell import Shell
from protocol.subjects import ANNOUNCEMENTS, EVERYBODY, ORCHESTRATOR
from protocol.transport.bus import Bus, Fail

ANNOUNCE_SECONDS = 0.5
"""Seconds between announcements of a run."""
_NOT_ANNOUNCED = {"nats", "keys", "insecure", "out", "deadline", "round_limit", "limit", "run"}
"""Settings that concern only the orchestrator."""


Wanted = Callable[[str, Announce], bool]
"""Says whether a part takes part in a run, by its id and announcement."""


class UnattendedError(RunError):
    """A run that is no longer announced, although this part has not been released."""


def announcement(run: Run) -> Announce:
    """Return the announcement of a run, with its options resolved so that they mean the same on
    every machine."""
    scenario = run.scenario
    options = scenario.resolved_settings().model_dump_json(
        exclude=_NOT_ANNOUNCED, exclude_none=True
    )
    return Announce(
        settings=options,
        slots=scenario.population.slots,
        exchange=scenario.exchange,
        matchmakers=scenario.matchmakers,
        instance=run.instance,
    )


async def announce(bus: Bus, run: str, announced: Announce) -> None:
    """Announce a run every ANNOUNCE_SECONDS until cancelled."""
    data = encode_frame(run, [Item(EVERYBODY, ORCHESTRATOR, announced)])
    while True:
        await bus.publish(ANNOUNCEMENTS, data)
        await asyncio.sleep(ANNOUNCE_SECONDS)


class Attention:
    """The announcements of one run, as a part hears them that takes part in it.

    Decides when the part gives the run up, because nobody leads it any more. One that has begun is
    led again once its orchestrator is resumed, so the part waits for ABSENCE seconds; but not while
    another run is announced, in which it may be needed.
    """

    def __init__(self, run: str, now: float) -> None:
        self._run, self._heard = run, now
        self._other: float | None = None
        """When another run was last announced."""

    def hear(self, run: str, now: float) -> None:
        """Take the announcement of a run."""
        if run == self._run:
            self._heard = now
        else:
            self._other = now

    def silence(self, now: float, *, begun: bool) -> float:
        """Return the seconds of silence after which the part gives the run up, or 0 if they have
        not passed. `begun` is True if the run has begun for the part."""
        other = self._other is not None and now - self._other < SILENCE
        limit = ABSENCE if begun and not other else SILENCE
        return limit if now - self._heard >= limit else 0.0


async def give_up_in_silence(bus: Bus, run: str, shell: Shell, begun: Callable[[], bool]) -> None:
    """Watch the announcements from now on; end `shell` with UnattendedError once nobody has led the
    run for long. `begun` says whether it has begun for this part."""
    loop = asyncio.get_running_loop()
    attention = Attention(run, loop.time())

    def look() -> None:
        if seconds := attention.silence(loop.time(), begun=begun()):
            shell.fail(UnattendedError(f"no announcement for {seconds:g} s: the run is over"))
        else:
            loop.call_later(ANNOUNCE_SECONDS, look)

    def receive(subject: str, data: bytes) -> None:
        with contextlib.suppress(DecodeError):
            attention.hear(run_of(data), loop.time())

    look()
    await bus.subscribe(ANNOUNCEMENTS, receive, shell.fail)


async def await_run(
    bus: Bus, wanted: Wanted, meanwhile: Callable[[Fail], Awaitable[None]]
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
            if isinstance(message, Announce) and wanted(run, message) and not heard.done():
                heard.set_result((run, message))

    def fail(error: Exception) -> None:
        if not heard.done():
            heard.set_exception(error)

    await meanwhile(fail)
    await bus.subscribe(ANNOUNCEMENTS, receive, fail)
    return await heard
