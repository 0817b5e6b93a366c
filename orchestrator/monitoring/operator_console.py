"""The operator's console: finds out which parts are on a bus and which are missing, and ends runs.

It sends an inquiry to all parts and waits for the answers. A part that does not answer is missing,
whether it is dead, hangs or is cut off. The orchestrator of a run says which parts the run needs.
No other part depends on the operator.
"""

import asyncio
import contextlib
import time
from dataclasses import asdict, dataclass, field
from secrets import token_hex
from typing import Any

from orchestrator.coordination.run_phase import RunPhase
from protocol.codec import Item, decode_frame, encode_frame
from protocol.errors import DecodeError, RunError
from protocol.messages import Abort, Expected, Inquiry, Presence, RunState
from protocol.messages.lifecycle import ABSENCE, SILENCE
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

REPEAT_SECONDS = 0.5
"""Seconds between repetitions of an inquiry or an abort."""
PATIENCE = 10.0
"""Seconds that an orchestrator has to end its run."""


@dataclass(slots=True)
class BusSurvey:
    """The answers to an inquiry."""

    runs: dict[str, RunState] = field(default_factory=dict)
    """State of each run, by its id."""
    parts: dict[tuple[str, str | None], Presence] = field(default_factory=dict)
    """Hosts and matchmakers by name and run, as parts of two runs may have the same name."""

    def missing(self, state: RunState) -> list[Expected]:
        """Return the parts that a run needs and that have not answered.

        External households do not answer inquiries; they are missing until they have enrolled.
        """
        return [
            part
            for part in state.parts
            if (part.role == "external" and part.heard_seconds is None)
            or (part.role != "external" and (part.name, state.run) not in self.parts)
        ]

    def orphans(self) -> list[str]:
        """Return the runs with parts that answer but without an orchestrator that does."""
        runs = {presence.run for presence in self.parts.values() if presence.run is not None}
        return sorted(runs - set(self.runs))

    def as_json(self) -> dict[str, Any]:
        """Return the survey as JSON-compatible values; times are in seconds."""
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
    """Return the mean number of exchanges per second of stage 2 so far."""
    return state.exchanges / state.exchanging_seconds if state.exchanging_seconds > 0 else 0.0


async def look(connection: Connection, seconds: float) -> BusSurvey:
    """Send an inquiry to all parts on the bus, and collect the answers for `seconds`.

    Raises InputError if there is no bus, RunError if the server does not allow the inquiry.
    """
    async with await NatsBus.connect(connection) as bus:
        return await _look(bus, seconds)


async def abort(connection: Connection, run: str, *, reason: str, seconds: float) -> None:
    """End a run.

    Raises RunError if no run with this id answers within `seconds`, or if its orchestrator does not
    end it.
    """
    async with await NatsBus.connect(connection) as bus:
        seen = await _look(bus, seconds)
        if run not in seen.runs:
            raise RunError(_unknown(run, seen))
        waiting = _Waiting()

        def receive(subject: str, data: bytes) -> None:
            with contextlib.suppress(DecodeError):
                messages = [item.message for item in decode_frame(data, run)]
                if sender_of(subject) == ORCHESTRATOR and any(
                    isinstance(m, Abort) for m in messages
                ):
                    waiting.over.set()

        await bus.subscribe(inbox(run, OPERATOR), receive, waiting.fail)
        frame = encode_frame(run, [Item(ORCHESTRATOR, OPERATOR, Abort(reason))])
        until = time.monotonic() + PATIENCE
        while not waiting.over.is_set():
            if time.monotonic() >= until:
                raise RunError(f"the orchestrator of run {run} did not end it in {PATIENCE:g} s")
            await bus.publish(direct(run, ORCHESTRATOR, OPERATOR), frame)
            await waiting.wait(REPEAT_SECONDS)
            if not waiting.over.is_set() and run not in (await _look(bus, seconds)).runs:
                return  # the run is over; only the answer was lost


class _Waiting:
    """A wait that ends with an event or with an error of the bus."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self._error: Exception | None = None

    def fail(self, error: Exception) -> None:
        self._error = self._error or error
        self.over.set()

    async def wait(self, seconds: float) -> None:
        """Wait for the event for at most `seconds`; raise the error of the bus, if any."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.over.wait(), seconds)
        if self._error is not None:
            raise self._error


async def _look(bus: NatsBus, seconds: float) -> BusSurvey:
    seen, inquiry = BusSurvey(), f"inquiry-{token_hex(6)}"
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
        await waiting.wait(min(REPEAT_SECONDS, left))
    return seen


def _is_over(state: RunState) -> bool:
    return state.stage in (RunPhase.DONE.value, RunPhase.FAILED.value)


def _unknown(run: str, seen: BusSurvey) -> str:
    if run in seen.orphans():
        return (
            f"the orchestrator of run {run} does not answer: if it has ended, hosts and "
            f"matchmakers that stand by give the run up after {SILENCE:g} s in which another is "
            f"announced, or after {ABSENCE:g} s; coflex orchestrate --resume goes on with it"
        )
    known = ", ".join(sorted(seen.runs)) or "none"
    return f"no run {run} on this bus (there: {known}): `coflex status` lists them"
