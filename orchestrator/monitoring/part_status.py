"""The status of one part: its current activity, and its counts since it started.

The tables of metrics list every number that is shown, with its meaning and the function that reads
it. Machines and shell keep these numbers anyway. None of them reveals anything about a plan.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from agents.household import Household
from matchmaker.commissioned import CommissionedMatchmaker
from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.coordination.run_phase import RunPhase
from protocol.messages import Presence, RefusedHost
from protocol.messages.monitoring import REFUSED_MAX
from protocol.runtime.node import Node
from protocol.transport.nats_bus import NatsBus

Role = Literal["host", "matchmaker", "orchestrator"]
Kind = Literal["counter", "gauge"]
"""A counter only rises, over all runs of a process; a gauge may also fall."""
Source = TypeVar("Source")


class BusLine(NamedTuple):
    """A node and its connection to the bus."""

    node: Node
    bus: NatsBus


@dataclass(frozen=True, slots=True)
class Metric(Generic[Source]):
    """A number that is shown: its name, kind and meaning, and the function that reads it."""

    name: str
    kind: Kind
    help: str
    read: Callable[[Source], float]


def _counter(name: str, help: str, read: Callable[[Source], float]) -> Metric[Source]:
    return Metric(name=f"coflex_{name}", kind="counter", help=help, read=read)


def _gauge(name: str, help: str, read: Callable[[Source], float]) -> Metric[Source]:
    return Metric(name=f"coflex_{name}", kind="gauge", help=help, read=read)


def _exchange(count: str) -> Callable[[Sequence[Household]], float]:
    return lambda households: sum(getattr(household.counts, count) for household in households)


def _counted(count: str) -> Callable[[Mapping[str, int]], float]:
    return lambda summary: summary[count]


SHOWN_MAX = 160
"""Number of characters of a refusal that are shown."""
RUNS = _counter("runs", "Finished runs in which this part took part.", float)
BUS_METRICS: tuple[Metric[BusLine], ...] = (
    _counter(
        "bus_sent_messages",
        "Messages sent; a frame carries several.",
        lambda line: line.node.counters.messages,
    ),
    _counter(
        "bus_sent_frames",
        "Frames sent: messages as the bus counts them.",
        lambda line: line.node.counters.frames,
    ),
    _counter("bus_sent_bytes", "Bytes of the frames sent.", lambda line: line.node.counters.bytes),
    _counter(
        "bus_resent_messages",
        "Messages sent again because no answer came in time.",
        lambda line: line.node.counters.resent,
    ),
    _counter(
        "bus_dropped_messages",
        "Frames and messages that were refused or lost in an outage.",
        lambda line: line.node.counters.dropped,
    ),
    _counter(
        "bus_received_frames",
        "Frames received, including those refused later.",
        lambda line: line.bus.received[0],
    ),
    _counter(
        "bus_received_bytes", "Bytes of the frames received.", lambda line: line.bus.received[1]
    ),
    _counter(
        "bus_reconnects",
        "Connections to the bus that were lost and came back.",
        lambda line: line.bus.reconnects,
    ),
    _gauge(
        "bus_connected",
        "1 if the part is connected to the bus, else 0.",
        lambda line: float(not line.bus.trouble),
    ),
)
HOST_METRICS: tuple[Metric[Sequence[Household]], ...] = (
    _counter(
        "exchange_lookups", "Slots that households of this host looked up.", _exchange("lookups")
    ),
    _counter(
        "exchange_matches", "Partners found for households of this host.", _exchange("matches")
    ),
    _counter(
        "exchange_proposals", "Proposals that households of this host made.", _exchange("proposals")
    ),
    _counter(
        "exchange_accepted",
        "Proposals of households of this host that were accepted, that is, exchanges.",
        _exchange("accepted"),
    ),
    _counter(
        "exchange_refused",
        "Proposals of households of this host that were refused.",
        _exchange("refused"),
    ),
    _counter(
        "exchange_given",
        "Proposals from others that households of this host accepted.",
        _exchange("given"),
    ),
    _counter(
        "exchange_withheld",
        "Proposals from others that households of this host refused.",
        _exchange("withheld"),
    ),
    _gauge("households", "Households on this host.", len),
    _gauge(
        "iteration",
        "Iteration of stage 1 that the host's first household is in.",
        lambda households: households[0].iteration,
    ),
)
MATCHMAKER_METRICS: tuple[Metric[Mapping[str, int]], ...] = (
    _counter("matchmaker_lookups", "Slots looked up.", _counted("lookups")),
    _counter("matchmaker_matches", "Leases given.", _counted("matches")),
    _counter(
        "matchmaker_none",
        "Lookups of a slot where no offer would help.",
        _counted("none"),
    ),
    _counter(
        "matchmaker_busy",
        "Lookups of a slot where all suitable partners were busy.",
        _counted("busy"),
    ),
    _counter("matchmaker_done", "Leases closed with an exchange.", _counted("done")),
    _counter("matchmaker_refused", "Leases closed without an exchange.", _counted("refused")),
    _counter("matchmaker_expired", "Leases that were not closed in time.", _counted("expired")),
    _counter(
        "matchmaker_requests",
        "Lookup messages answered, repeated ones included.",
        _counted("requests"),
    ),
    _gauge("matchmaker_households", "Known households.", _counted("households")),
    _gauge("matchmaker_offers", "Known offers.", _counted("offers")),
    _gauge("matchmaker_leases", "Open leases.", _counted("open")),
)
RUN_METRICS: tuple[Metric[RunCoordinator], ...] = (
    _counter(
        "run_exchanges", "Exchanges of all runs up to the newest round.", lambda run: run.exchanges
    ),
    _gauge("run_households", "Households of the run.", lambda run: len(run.members)),
    _gauge(
        "run_enrolled_households", "Households that have enrolled.", lambda run: len(run.enrolled)
    ),
    _gauge(
        "run_iteration",
        "Newest completed iteration of stage 1; -1 if none.",
        lambda run: -1 if run.latest is None else run.latest.iteration,
    ),
    _gauge(
        "run_round",
        "Newest completed round of stage 2; -1 if none.",
        lambda run: -1 if run.round is None else run.round[0],
    ),
    _gauge(
        "run_attempt",
        "Attempt at stage 1; above 1 if a household has lost its state.",
        lambda run: run.attempt,
    ),
)
_TABLES: tuple[Sequence[Metric[Any]], ...] = (
    (RUNS,),
    BUS_METRICS,
    HOST_METRICS,
    MATCHMAKER_METRICS,
    RUN_METRICS,
)
METRICS = {metric.name: metric for table in _TABLES for metric in table}
"""Every metric that has no labels, by name."""


@dataclass(frozen=True, slots=True)
class StatusSample:
    """The status of a part in a run, at one moment."""

    stage: str = ""
    households: int = 0
    counts: Mapping[str, float] = field(default_factory=dict)
    """Values of counters, by name."""
    gauges: Mapping[str, float] = field(default_factory=dict)
    """Values of gauges, by name."""
    run_phase: RunPhase | None = None
    """The phase of the run; None except at its orchestrator."""
    refused: tuple[RefusedHost, ...] = ()
    """The hosts that the part has refused most often."""


class PartStatus:
    """The status of one part over all its runs; other threads may read it."""

    def __init__(self, name: str, role: Role) -> None:
        self.name, self.role = name, role
        self.run: str | None = None
        """The run that the part takes part in."""
        self._since = time.monotonic()
        self._past: Counter[str] = Counter()
        """Counts from runs that are over."""
        self._read: Callable[[], StatusSample] = StatusSample
        self._lock = threading.Lock()

    @contextmanager
    def in_run(self, run: str, read: Callable[[], StatusSample]) -> Iterator[None]:
        """Take part in this run while the context lasts; `read` returns the status in it."""
        with self._lock:
            self.run, self._read, self._since = run, read, time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._past.update({RUNS.name: 1, **self._read().counts})
                self.run, self._read, self._since = None, StatusSample, time.monotonic()

    def sample(self) -> StatusSample:
        """Return the current status; its counts include earlier runs."""
        with self._lock:
            now, past = self._read(), Counter(self._past)
        past.update(now.counts)
        return replace(now, counts=past)

    def presence(self) -> Presence:
        """Return a host's or matchmaker's answer to an operator's inquiry."""
        assert self.role != "orchestrator"
        now = self._read()
        return Presence(
            role=self.role,
            run=self.run,
            stage=now.stage,
            households=now.households,
            seconds=time.monotonic() - self._since,
            refused=now.refused,
        )


def read_host(node: Node, bus: NatsBus, households: Sequence[Household]) -> StatusSample:
    """Return the status of a host; its counts of stage 2 include what its journal has recorded."""
    values = {**_values(BUS_METRICS, BusLine(node, bus)), **_values(HOST_METRICS, households)}
    sample = _sample(values, stage=households[0].phase.value, households=len(households))
    return replace(sample, refused=refused_by(node))


def read_matchmaker(node: Node, bus: NatsBus, matchmaker: CommissionedMatchmaker) -> StatusSample:
    """Return the status of a matchmaker."""
    summary = Counter({**matchmaker.summary, "requests": matchmaker.answered})
    values = {**_values(BUS_METRICS, BusLine(node, bus)), **_values(MATCHMAKER_METRICS, summary)}
    sample = _sample(values, stage="", households=summary["households"])
    return replace(sample, refused=refused_by(node))


def read_orchestrator(node: Node, bus: NatsBus, coordinator: RunCoordinator) -> StatusSample:
    """Return the status of the orchestrator of a run."""
    values = {**_values(BUS_METRICS, BusLine(node, bus)), **_values(RUN_METRICS, coordinator)}
    phase, households = coordinator.phase, len(coordinator.members)
    sample = _sample(values, stage=phase.value, households=households)
    return replace(sample, run_phase=phase)


def refused_by(node: Node) -> tuple[RefusedHost, ...]:
    """Return the hosts that a node has refused most often, with words that any terminal can
    show."""
    return tuple(
        RefusedHost(host, refused.times, _shown(refused.what))
        for host, refused in node.refusals.most[:REFUSED_MAX]
    )


def _shown(text: str) -> str:
    return "".join(c if " " <= c <= "~" else "?" for c in text)[:SHOWN_MAX]


def _values(metrics: Sequence[Metric[Source]], source: Source) -> dict[str, float]:
    return {metric.name: metric.read(source) for metric in metrics}


def _sample(values: Mapping[str, float], *, stage: str, households: int) -> StatusSample:
    kinds: dict[Kind, dict[str, float]] = {"counter": {}, "gauge": {}}
    for name, value in values.items():
        kinds[METRICS[name].kind][name] = value
    return StatusSample(
        stage=stage, households=households, counts=kinds["counter"], gauges=kinds["gauge"]
    )
