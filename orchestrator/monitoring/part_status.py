"""What one part does at the moment, and what it has counted since it started: numbers that the
machines and the shell keep anyway, read when somebody asks. Nothing of a plan is among them.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from agents.household import Household
from matchmaker.matchmaker import Matchmaker
from orchestrator.coordination.coordinator import RunCoordinator, Stage
from protocol.messages import Presence
from protocol.runtime.node import Node
from protocol.transport.nats_bus import NatsBus

Role = Literal["host", "matchmaker", "orchestrator"]


@dataclass(frozen=True, slots=True)
class StatusSample:
    """How a part stands in a run. Names of counts and gauges are those of exposition.py."""

    stage: str = ""
    households: int = 0
    counts: Mapping[str, float] = field(default_factory=dict)
    """What only rises."""
    gauges: Mapping[str, float] = field(default_factory=dict)


class PartStatus:
    """One part of a bus, from run to run. It may be read from another thread."""

    def __init__(self, name: str, role: Role) -> None:
        self.name, self.role = name, role
        self.run: str | None = None
        """The run it takes part in."""
        self._since = time.monotonic()
        self._past: Counter[str] = Counter()
        """What it counted in runs that are over."""
        self._read: Callable[[], StatusSample] = StatusSample
        self._lock = threading.Lock()

    @contextmanager
    def in_run(self, run: str, read: Callable[[], StatusSample]) -> Iterator[None]:
        """It takes part in this run, and stands there as `read` says, as long as this lasts."""
        with self._lock:
            self.run, self._read, self._since = run, read, time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._past.update({"coflex_runs": 1, **self._read().counts})
                self.run, self._read, self._since = None, StatusSample, time.monotonic()

    def reading(self) -> StatusSample:
        """How it stands now, with what it counted before."""
        with self._lock:
            now, past = self._read(), Counter(self._past)
        past.update(now.counts)
        return StatusSample(now.stage, now.households, past, now.gauges)

    def presence(self) -> Presence:
        """What it answers an operator, unless it is the orchestrator."""
        assert self.role != "orchestrator"
        now = self._read()
        lasted = time.monotonic() - self._since
        return Presence(self.role, self.run, now.stage, now.households, lasted)


def read_host(node: Node, bus: NatsBus, households: Sequence[Household]) -> StatusSample:
    """Of a host; what its households did in stage 2 counts from their journal on."""
    first = households[0]
    tallies = [household.counts for household in households]
    counts = {
        f"coflex_exchange_{name}": sum(getattr(tally, name) for tally in tallies)
        for name in ("lookups", "matches", "proposals", "accepted", "refused", "given", "withheld")
    }
    gauges = {"coflex_households": len(households), "coflex_iteration": first.iteration}
    return StatusSample(
        first.phase.value,
        len(households),
        {**_bus_counts(node, bus), **counts},
        {**_bus_gauges(bus), **gauges},
    )


def read_matchmaker(node: Node, bus: NatsBus, machine: Matchmaker) -> StatusSample:
    """Of a matchmaker."""
    told = machine.ledger.summary()
    counted = ("lookups", "matches", "none", "busy", "done", "refused", "expired")
    counts = {f"coflex_matchmaker_{name}": told[name] for name in counted}
    counts["coflex_matchmaker_requests"] = machine.answered
    known = {"households": told["households"], "offers": told["offers"], "leases": told["open"]}
    gauges = {f"coflex_matchmaker_{name}": number for name, number in known.items()}
    return StatusSample(
        "",
        told["households"],
        {**_bus_counts(node, bus), **counts},
        {**_bus_gauges(bus), **gauges},
    )


def read_orchestrator(node: Node, bus: NatsBus, course: RunCoordinator) -> StatusSample:
    """Of the orchestrator of a run."""
    stages = {f"coflex_run_stage/{s.name.lower()}": float(course.stage is s) for s in Stage}
    gauges = {
        "coflex_run_households": len(course.members),
        "coflex_run_enrolled_households": len(course.enrolled),
        "coflex_run_iteration": -1 if course.latest is None else course.latest.iteration,
        "coflex_run_round": -1 if course.round is None else course.round[0],
        "coflex_run_attempt": course.attempt,
    }
    return StatusSample(
        course.stage.value,
        len(course.members),
        {**_bus_counts(node, bus), "coflex_run_exchanges": course.exchanges},
        {**_bus_gauges(bus), **gauges, **stages},
    )


def _bus_counts(node: Node, bus: NatsBus) -> dict[str, float]:
    sent, (frames, size) = node.counters, bus.received
    return {
        "coflex_bus_sent_messages": sent.messages,
        "coflex_bus_sent_frames": sent.frames,
        "coflex_bus_sent_bytes": sent.bytes,
        "coflex_bus_resent_messages": sent.resent,
        "coflex_bus_dropped_messages": sent.dropped,
        "coflex_bus_received_frames": frames,
        "coflex_bus_received_bytes": size,
        "coflex_bus_reconnects": bus.reconnects,
    }


def _bus_gauges(bus: NatsBus) -> dict[str, float]:
    return {"coflex_bus_connected": float(not bus.trouble)}
