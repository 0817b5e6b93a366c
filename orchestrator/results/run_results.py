"""The results of a run as objects (DESIGN.md section 7).

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
    """What came out for one household; from discomfort_exchanged on: stage 2."""

    household: str
    position: int
    level: int
    """In the tree of the run's start; the root's is 1."""
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
    """How stage 2 went. Ratios are None where there is nothing to divide by."""

    rounds: int
    lookups: int
    """Slots looked up; a Lookup message has many."""
    matches: int
    proposals: int
    accepted: int
    """Exchanges: values that changed hands, two at a time."""
    refused: int
    expired: int
    households_worse: int
    share_of_bound: float
    inefficiency_change: float
    max_energy_drift: float
    """Of a household's own energy over all slots, kWh."""
    messages: int
    """Sent by households and matchmakers in the rounds, repetitions included."""
    frames: int
    """Sent by their hosts: messages as the bus counts them."""
    bytes: int
    lookup_success: float | None = None
    """Matches a lookup."""
    proposal_success: float | None = None
    """Exchanges a proposal."""
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
    """At the end of the round, which is when households hear of the next one, kWh; so is the
    next."""
    pooled_discomfort: float
    messages: int
    """Sent by households; what a household says after it has gone through its own slots counts
    with the next round."""
    answers: int
    """Sent by matchmakers."""
    frames: int
    """Sent by the hosts of households."""
    bytes: int


@dataclass(frozen=True, slots=True)
class ExchangeRow:
    """One exchange: both values of one slot change hands."""

    round: int
    slot: int
    requester: str
    responder: str
    given: float
    """What the requester held before and the responder holds then, kWh."""
    taken: float
    """The other way round, kWh."""
    requester_gain: float
    """Fall of its squared deviation at this slot, kWh²; the responder's is the next."""
    responder_gain: float


@dataclass(frozen=True, slots=True)
class BusTraffic:
    """What went over the bus in the whole run."""

    messages: int
    frames: int
    """Messages as the bus counts them; each carries one or more of ours."""
    bytes: int
    resent: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Seconds:
    """How long the parts of a run took."""

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
        """Those that there are, in the order of demand.csv."""
        named = {
            "preferred": self.preferred,
            "planned": self.planned,
            "exchanged": self.exchanged,
            "target": self.target,
        }
        return {name: values for name, values in named.items() if values is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """The run as a whole: run.json."""

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
        """The measures of each state that there is, in the order in which they come about."""
        named = {
            "preferred": self.preferred,
            "planned": self.planned,
            "exchanged": self.exchanged,
            "bound": self.bound,
        }
        return {name: measures for name, measures in named.items() if measures is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResults(RunRecord):
    """Everything that a run leaves behind."""

    rows: tuple[HouseholdRow, ...]
    """By position in the tree."""
    planning_history: tuple[Iteration, ...]
    demand: Demand
    rounds: tuple[Round, ...] = ()
    """From round 0 on; empty without stage 2."""
    exchanges: tuple[ExchangeRow, ...] | None = None
    """By round, then in the order in which matchmakers brought them about; None if the run was not
    traced."""
