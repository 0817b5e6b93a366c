"""What is on a bus: asks everybody, waits for the answers, says who is missing. And ends a run.

Whoever does not answer an inquiry is missing, be it dead, hung or cut off; that a run needs it, its
orchestrator says. Nothing is decided here for anybody else.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from secrets import token_hex
from typing import Any

from orchestrator.coordination.coordinator import Stage
from protocol.codec import Item, decode_frame, encode_frame
from protocol.errors import DecodeError, RunError
from protocol.messages import Abort, Expected, Inquiry, Presence, RunState
from protocol.messages.lifecycle import SILENCE
from protocol.subjects import (
    EVERYBODY,
    INQUIRIES,
    OPERATOR,
    ORCHESTRATOR,
    direct,
    inbox,
    sender_of,
)
from protocol.transport.bus import Connection
from protocol.transport.nats_bus import NatsBus

AGAIN = 0.5
"""Seconds after which an inquiry, or an abort, is said again."""
PATIENCE = 10.0
"""Seconds for an orchestrator to end its run."""


@dataclass(slots=True)
class Seen:
    """Who has answered. Keys are names and runs: parts of two runs may have the same names."""

    runs: dict[str, RunState] = field(default_factory=dict)
    parts: dict[tuple[str, str | None], Presence] = field(default_factory=dict)

    def missing(self, state: RunState) -> list[Expected]:
        """Those whom a run needs and who do not answer. A household that others run need not
        answer: it is missing until it has enrolled."""
        return [
            part
            for part in state.parts
            if (part.role == "external" and part.heard_seconds is None)
            or (part.role != "external" and (part.name, state.run) not in self.parts)
        ]

    def orphans(self) -> list[str]:
        """Runs that somebody takes part in and whose orchestrator does not answer."""
        runs = {presence.run for presence in self.parts.values() if presence.run is not None}
        return sorted(runs - set(self.runs))

    def as_json(self) -> dict[str, Any]:
        """All of it, for programs. Times are seconds."""
        return {
            "runs": [
                {
                    **asdict(state),
                    "exchange_rate": exchange_rate(state),
                    "missing": [part.name for part in self.missing(state)],
                }
                for _, state in sorted(self.runs.items())
            ],
            "without_orchestrator": self.orphans(),
            "hosts": self._present("host"),
            "matchmakers": self._present("matchmaker"),
        }

    def _present(self, role: str) -> list[dict[str, Any]]:
        return [
            {"name": name, **asdict(presence)}
            for (name, _), presence in sorted(
                self.parts.items(), key=lambda item: (item[0][1] or "", item[0][0])
            )
            if presence.role == role
        ]


def exchange_rate(state: RunState) -> float:
    """Exchanges per second of stage 2 so far."""
    return state.exchanges / state.exchanging_seconds if state.exchanging_seconds > 0 else 0.0


async def look(connection: Connection, seconds: float) -> Seen:
    """Who answers within so many seconds; InputError if there is no bus, RunError if the server
    does not allow the question."""
    async with _joined(connection) as bus:
        return await _look(bus, seconds)


async def abort(connection: Connection, run: str, reason: str, seconds: float) -> None:
    """End a run; RunError if there is none of that name (within so many seconds), or if its
    orchestrator does not end it."""
    async with _joined(connection) as bus:
        seen = await _look(bus, seconds)
        if run not in seen.runs:
            raise RunError(_unknown(run, seen))
        waiting = _Waiting()

        def receive(subject: str, data: bytes) -> None:
            with contextlib.suppress(DecodeError):
                told = [item.message for item in decode_frame(data, run)]
                if sender_of(subject) == ORCHESTRATOR and any(isinstance(m, Abort) for m in told):
                    waiting.over.set()

        await bus.subscribe(inbox(run, OPERATOR), receive, waiting.fail)
        frame = encode_frame(run, [Item(ORCHESTRATOR, OPERATOR, Abort(reason))])
        until = time.monotonic() + PATIENCE
        while not waiting.over.is_set():
            if time.monotonic() >= until:
                raise RunError(f"the orchestrator of run {run} did not end it in {PATIENCE:g} s")
            await bus.publish(direct(run, ORCHESTRATOR, OPERATOR), frame)
            await waiting.wait(AGAIN)
            if not waiting.over.is_set() and run not in (await _look(bus, seconds)).runs:
                return  # over, and only the answer got lost


class _Waiting:
    """What ends a wait: what is waited for, or an error of the bus."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self._error: Exception | None = None

    def fail(self, error: Exception) -> None:
        self._error = self._error or error
        self.over.set()

    async def wait(self, seconds: float) -> None:
        """Until it is over, or for so long; raises the error."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.over.wait(), seconds)
        if self._error is not None:
            raise self._error


@asynccontextmanager
async def _joined(connection: Connection) -> AsyncIterator[NatsBus]:
    bus = await NatsBus.connect(connection)
    try:
        yield bus
    finally:
        await bus.close()


async def _look(bus: NatsBus, seconds: float) -> Seen:
    seen, inquiry = Seen(), f"inquiry-{token_hex(6)}"
    waiting = _Waiting()

    def receive(subject: str, data: bytes) -> None:
        try:
            sender, items = sender_of(subject), decode_frame(data, inquiry)
        except DecodeError:
            return
        for item in items:
            match item.message:
                case RunState() as state if sender == ORCHESTRATOR and not _is_over(state):
                    seen.runs[state.run] = state
                case Presence() as presence:
                    seen.parts[sender, presence.run] = presence

    await bus.subscribe(inbox(inquiry, OPERATOR), receive, waiting.fail)
    frame = encode_frame(inquiry, [Item(EVERYBODY, OPERATOR, Inquiry())])
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        await bus.publish(INQUIRIES, frame)
        await waiting.wait(min(AGAIN, left))
    return seen


def _is_over(state: RunState) -> bool:
    return state.stage in (Stage.DONE.value, Stage.FAILED.value)


def _unknown(run: str, seen: Seen) -> str:
    if run in seen.orphans():
        return (
            f"the orchestrator of run {run} does not answer: if it is gone, hosts and matchmakers "
            f"that stand by give the run up after {SILENCE:g} s"
        )
    known = ", ".join(sorted(seen.runs)) or "none"
    return f"no run {run} on this bus (there: {known}): `coflex status` lists them"
