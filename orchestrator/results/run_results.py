"""The results of a run as objects.

They have data only: `coordination.outcome` computes them, `result_files` writes and reads them, and
`reporting` shows them. If a run has no stage 2 or no target, the fields for it are None.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from agents.plans import SlotTimes
from orchestrator.results.audit import Audit
from orchestrator.results.device_kinds import DayByKind, HomeGroup, Moved
from orchestrator.results.home_measures import HomeMeasures
from orchestrator.results.measures import Measures
from protocol.messages import Iteration
from protocol.vectors import Array


@dataclass(frozen=True, slots=True)
class HouseholdRow:
    """The results of one household; the fields after `discomfort_planned` belong to stage 2."""

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
    discomfort_bound_of_values: float | None = None
    """kWh, after the best reassignment of the same values (`measures.bound_of_values`)."""
    device_discomfort_planned: float | None = None
    """Of a home, after stage 1: the root mean square of its devices' discomforts; 1 is just
    acceptable."""
    minutes_late_planned: float | None = None
    """Mean time between start and preferred start of its cycles."""
    degrees_short_planned: float | None = None
    """Mean over its stores of heat of the root mean square of degrees below the wish."""
    hours_late_planned: float | None = None
    """Mean time by which the reserves of its cars are late."""
    device_discomfort_exchanged: float | None = None
    """Of a home, after stage 2, like the three below."""
    minutes_late_exchanged: float | None = None
    degrees_short_exchanged: float | None = None
    hours_late_exchanged: float | None = None
    name: str | None = None
    """The name that people gave the household, if it differs from the id."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A summary of stage 2 in numbers. Ratios are None if their denominator is 0."""

    rounds: int
    lookups: int
    """Slots looked up; one Lookup message can name many."""
    matches: int
    proposals: int
    accepted: int
    """Number of exchanges; in each, two households swap their values."""
    refused: int
    expired: int
    households_worse: int
    inefficiency_change: float
    max_energy_drift: float
    """Largest change of a household's own energy over all slots, kWh."""
    messages: int
    """Messages of households and matchmakers in the rounds, repetitions included."""
    frames: int
    """Frames that their hosts sent, which are messages as the bus counts them."""
    bytes: int
    share_of_bound: float | None = None
    """None with exchanges between iterations, since plans then change the values, too."""
    conserved: bool | None = None
    """Whether the sum of all schedules is what it was, at every slot, but for rounding."""
    lookup_success: float | None = None
    """Matches per lookup."""
    proposal_success: float | None = None
    """Exchanges per proposal."""
    messages_per_exchange: float | None = None
    frames_per_exchange: float | None = None
    bytes_per_exchange: float | None = None
    bound_of: Literal["values", "amounts"] = "values"
    """The bound in `share_of_bound`: of any reassignment of the same values within each slot, or of
    any division of the same energy (`measures.bound_of_amounts`)."""
    comfort_bound_of_amounts: float | None = None
    """Mean comfort at the bound of amounts."""
    clipped_slots: int | None = None
    """Equal shift: household-slots with negative consumption though none is preferred."""
    clipped_kwh: float | None = None
    """Equal shift: energy below zero at these slots, kWh."""


@dataclass(frozen=True, slots=True)
class Loop:
    """One loop of a run with exchanges between iterations: iterations, then an exchange."""

    loop: int
    """Counted from 1."""
    iterations: int
    """Number of iterations up to the exchange, those of earlier loops included."""
    inefficiency: float
    """Of the global plan, which the exchange does not change."""
    planned_discomfort: float
    """Mean over households before the exchange, kWh."""
    exchanged_discomfort: float
    """Mean over households after the exchange, kWh."""
    from_exchange: int
    """Number of households that selected a schedule of an earlier exchange, not one of their own
    plans."""
    rounds: int
    exchanges: int
    messages: int
    """Messages of households and matchmakers in the exchange, repetitions included."""
    conserved: bool
    """Whether the exchange left the sum of all schedules as it was, but for rounding."""


@dataclass(frozen=True, slots=True)
class Excess:
    """How far a demand is beyond the limits by slot of a run."""

    slots: int
    """Number of slots in which a limit is broken."""
    kwh: float
    """Energy beyond the limits, over all slots."""
    worst_slot: int | None = None
    """The slot in which a limit is broken most; None if none is."""


@dataclass(frozen=True, slots=True)
class Feeder:
    """A feeder with limits of its own, and how its households keep them together."""

    households: int
    limits: dict[str, Excess]
    """How far each state is beyond the limits, by state."""


@dataclass(frozen=True, slots=True)
class Round:
    """One round of stage 2, for all households; in round 0 they make offers but look up nothing."""

    round: int
    lookups: int
    matches: int
    proposals: int
    accepted: int
    refused: int
    mean_discomfort: float
    """kWh, at the end of the round, when the next one starts."""
    pooled_discomfort: float
    """kWh, at the end of the round."""
    messages: int
    """Messages of households. Messages that a household sends after it has processed its own slots
    count towards the next round."""
    answers: int
    """Messages of matchmakers."""
    frames: int
    """Frames of the hosts of households."""
    bytes: int
    loop: int | None = None
    """The loop, counted from 1, with exchanges between iterations. In the first round of each
    later loop, as in round 0, households look up nothing; they only add up."""


@dataclass(frozen=True, slots=True)
class ExchangeRow:
    """One exchange: two households swap their values at one slot."""

    round: int
    slot: int
    requester: str
    responder: str
    given: float
    """kWh that the requester held before and the responder holds afterwards."""
    taken: float
    """kWh that the responder held before and the requester holds afterwards."""
    requester_gain: float
    """Decrease of the requester's squared deviation at this slot, kWh²."""
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
    """Durations of the parts of a run, in seconds. With exchanges between iterations, `planning`
    ends when the first of them begins."""

    start: float
    planning: float
    total: float
    exchange: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """Sums over all households, float64[d] each, kWh (the target in the unit of the data set)."""

    planned: Array
    preferred: Array | None = None
    exchanged: Array | None = None
    target: Array | None = None
    limit: Array | None = None
    """The most that is allowed by slot; NaN in slots without a limit."""

    def columns(self) -> dict[str, Array]:
        """Return the curves that the run has, in the order of demand.csv."""
        named = {
            "preferred": self.preferred,
            "planned": self.planned,
            "exchanged": self.exchanged,
            "target": self.target,
            "limit": self.limit,
        }
        return {name: values for name, values in named.items() if values is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """The record of a whole run, which is the content of run.json."""

    run: str
    households: int
    slots: int
    iterations: int
    config: dict[str, JsonValue]
    """All options with their resolved values; also `score_from`, the source of the meaning of
    scores."""
    data_sha256: str
    seed: int
    status: Literal["done", "failed"] = "done"
    """Whether the results may be used; those of a failed run are kept for people to look at."""
    audit: Audit | None = None
    """None in results of earlier versions."""
    versions: dict[str, str]
    preferred: Measures | None = None
    planned: Measures
    exchanged: Measures | None = None
    bound: Measures | None = None
    exchange: Exchange | None = None
    loops: tuple[Loop, ...] | None = None
    """The loops, with exchanges between iterations."""
    homes: dict[str, HomeMeasures] | None = None
    """What each state costs the people of homes, by state; None if no household is a home."""
    groups: dict[str, HomeGroup] | None = None
    """Homes by what they have, and their device discomfort before and after stage 2; None if no
    household is a home."""
    moved: dict[str, Moved] | None = None
    """How much energy stage 2 has moved by kind of device; None if homes have not saved the
    schedules of their devices."""
    limits: dict[str, Excess] | None = None
    """How far each state is beyond the limits by slot, by state; None without limits."""
    feeders: dict[str, Feeder] | None = None
    """The feeders with limits of their own, by name; None if there are none."""
    bus: BusTraffic | None = None
    seconds: Seconds
    ended: str | None = None
    """End of the run, in ISO 8601 with offset."""
    command: str | None = None
    """The command of the run, without logins; None if the run was started from Python."""
    slot_times: SlotTimes | None = None
    """The times of the slots, if the data set has them."""
    names: dict[str, str] | None = None
    """The names that people gave their households, by id, if they differ from the id."""

    def states(self) -> dict[str, Measures]:
        """Return the measures of each state that the run has, in the order of STATES."""
        named = {
            "preferred": self.preferred,
            "planned": self.planned,
            "exchanged": self.exchanged,
            "bound": self.bound,
        }
        return {name: measures for name, measures in named.items() if measures is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResults(RunRecord):
    """The complete results of a run."""

    rows: tuple[HouseholdRow, ...]
    """One row per household, by position in the tree."""
    planning_history: tuple[Iteration, ...]
    demand: Demand
    kinds: Mapping[str, DayByKind] | None = None
    """The energy of all homes by kind of device, by state: after stage 2 only if homes have saved
    the schedules of their devices; None if no household is a home."""
    feeder_days: Mapping[str, Demand] | None = None
    """The sums over the households at each feeder with limits; None if there are none."""
    rounds: tuple[Round, ...] = ()
    """The rounds, starting with round 0; empty without stage 2."""
    exchanges: tuple[ExchangeRow, ...] | None = None
    """Exchanges by round, then in the order in which matchmakers arranged them; None if they were
    not traced."""
