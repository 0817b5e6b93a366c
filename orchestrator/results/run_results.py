"""The results of a run as objects.

Holds data only: `result_files` writes and reads them, `coordination.outcome` computes them, and
`reporting` shows them. What a run does not have (stage 2, a target) is None.
"""

from dataclasses import dataclass

from pydantic import JsonValue

from agents.plans import SlotTimes
from orchestrator.results.measures import Measures
from protocol.messages import Iteration
from protocol.vectors import Array


@dataclass(frozen=True, slots=True)
class HouseholdRow:
    """One household's results; the fields from `discomfort_exchanged` on are of stage 2."""

    household: str
    position: int
    level: int
    """Level in the tree at the start of the run; the root's is 1."""
    beta: float
    selected_plan: int
    discomfort_planned: float
    """kWh."""
    discomfort_exchanged: float | None = None
    comfort_gain: float | None = None
    energy_drift: float | None = None
    requests: int | None = None
    accepted: int | None = None
    refused: int | None = None
    discomfort_bound: float | None = None
    """kWh, if the same values were reassigned in the best way (measures.exchange_bound)."""
    name: str | None = None
    """Its name as its people wrote it, where that differs from the id."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Stage 2 in numbers. Ratios are None if there is nothing to divide by."""

    rounds: int
    lookups: int
    """Slots looked up; one Lookup message can name many."""
    matches: int
    proposals: int
    accepted: int
    """Number of exchanges; in each, two values change hands."""
    refused: int
    expired: int
    households_worse: int
    share_of_bound: float
    inefficiency_change: float
    max_energy_drift: float
    """Largest change of a household's own energy over all slots, kWh."""
    messages: int
    """Messages of households and matchmakers in the rounds, repetitions included."""
    frames: int
    """Frames of their hosts: messages as the bus counts them."""
    bytes: int
    conserved: bool | None = None
    """Whether the sum of all schedules is what it was, at every slot, but for rounding."""
    lookup_success: float | None = None
    """Matches per lookup."""
    proposal_success: float | None = None
    """Exchanges per proposal."""
    messages_per_exchange: float | None = None
    frames_per_exchange: float | None = None
    bytes_per_exchange: float | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """A round of stage 2, over all households. In round 0 nobody asks: all make their offers."""

    round: int
    lookups: int
    matches: int
    proposals: int
    accepted: int
    refused: int
    mean_discomfort: float
    """kWh, at the end of the round, when households hear of the next one; so is
    `pooled_discomfort`."""
    pooled_discomfort: float
    messages: int
    """Messages of households; those that a household sends after it has gone through its own slots
    count with the next round."""
    answers: int
    """Messages of matchmakers."""
    frames: int
    """Frames of the hosts of households."""
    bytes: int


@dataclass(frozen=True, slots=True)
class ExchangeRow:
    """One exchange: both values of one slot change hands."""

    round: int
    slot: int
    requester: str
    responder: str
    given: float
    """kWh that the requester held before and the responder holds afterwards."""
    taken: float
    """kWh that the responder held before and the requester holds afterwards."""
    requester_gain: float
    """Fall of the requester's squared deviation at this slot, kWh²."""
    responder_gain: float


@dataclass(frozen=True, slots=True)
class BusTraffic:
    """Traffic on the bus in the whole run."""

    messages: int
    frames: int
    """Messages as the bus counts them; each carries one or more messages of the protocol."""
    bytes: int
    resent: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Seconds:
    """Durations of the parts of a run."""

    start: float
    planning: float
    total: float
    exchange: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """Sums over all households, float64[d] each, kWh (the target as the data set gives it)."""

    planned: Array
    preferred: Array | None = None
    exchanged: Array | None = None
    target: Array | None = None

    def columns(self) -> dict[str, Array]:
        """Return the curves that the run has, in the order of demand.csv."""
        named = {
            "preferred": self.preferred,
            "planned": self.planned,
            "exchanged": self.exchanged,
            "target": self.target,
        }
        return {name: values for name, values in named.items() if values is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """The run as a whole: the content of run.json."""

    run: str
    households: int
    slots: int
    iterations: int
    config: dict[str, JsonValue]
    """Every option as it was resolved; also `score_from`, where the meaning of scores was said."""
    data_sha256: str
    seed: int
    versions: dict[str, str]
    preferred: Measures | None = None
    planned: Measures
    exchanged: Measures | None = None
    bound: Measures | None = None
    exchange: Exchange | None = None
    bus: BusTraffic | None = None
    seconds: Seconds
    ended: str | None = None
    """When the run was over: ISO 8601 with the offset."""
    command: str | None = None
    """What was typed, without logins; None if the run was started from Python."""
    slot_times: SlotTimes | None = None
    """When the slots are, if the data set says so."""
    names: dict[str, str] | None = None
    """Names of households as their people wrote them, by id, where they differ from the id."""

    def states(self) -> dict[str, Measures]:
        """Return the measures of each state that the run has, in the order in which they come
        about."""
        named = {
            "preferred": self.preferred,
            "planned": self.planned,
            "exchanged": self.exchanged,
            "bound": self.bound,
        }
        return {name: measures for name, measures in named.items() if measures is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResults(RunRecord):
    """The results of a run in full."""

    rows: tuple[HouseholdRow, ...]
    """One row per household, by position in the tree."""
    planning_history: tuple[Iteration, ...]
    demand: Demand
    rounds: tuple[Round, ...] = ()
    """The rounds from 0 on; empty without stage 2."""
    exchanges: tuple[ExchangeRow, ...] | None = None
    """Exchanges by round, then in the order in which matchmakers arranged them; None if the run was
    not traced."""
