"""Plans of a household, and a population of households. Holds and checks them; decides nothing."""

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from agents.devices.home import PlannedHome
from protocol.terms import DiscomfortName
from protocol.vectors import Array

ScoreMeaning = Literal["preference", "cost"]
"""The meaning of the number before a plan: a preference (high is good) or a cost (low is good)."""


def rmse(plans: Array, preferred: Array) -> Array:
    """Return the discomfort of each plan, kWh: (..., d), (d,) -> (...) (source, eq. 1)."""
    deviation = plans - preferred
    return np.asarray(np.sqrt((deviation * deviation).sum(-1) / preferred.shape[-1]))


@dataclass(frozen=True, slots=True)
class Plans:
    """The plans a household can choose from.

    Invariant: values float64[k, d], scores float64[k], k and d at least 1, values finite. A score
    may be NaN only where it was read as EPOS reads it; it then counts as no discomfort.
    """

    values: Array
    scores: Array
    meaning: ScoreMeaning = "preference"
    home: PlannedHome | None = None
    """The home whose devices follow these plans, one to one; None for plans without devices."""
    fixed: bool = False
    """True if stage 1 is skipped: the household keeps the plan with which it starts."""
    preferred_index: int = field(init=False)
    """Index of the preferred plan: the best score, the first one on ties."""

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or 0 in self.values.shape:
            raise ValueError("plans are a float64[k, d] array with at least one plan and one slot")
        if self.scores.shape != self.values.shape[:1]:
            raise ValueError("there is one score for each plan")
        if not np.isfinite(self.values).all():
            raise ValueError("plans hold finite numbers only")
        if self.home is not None and len(self.home.plans) != len(self.values):
            raise ValueError("a home has schedules for each of its plans")
        goodness = self.scores if self.meaning == "preference" else -self.scores
        known = np.where(np.isnan(goodness), -np.inf, goodness)
        object.__setattr__(self, "preferred_index", int(np.argmax(known)))

    @property
    def preferred(self) -> Array:
        """The preferred plan, float64[d]."""
        return np.asarray(self.values[self.preferred_index])

    @property
    def slots(self) -> int:
        """Length d of every plan."""
        return int(self.values.shape[1])

    @property
    def start_index(self) -> int:
        """Index of the plan with which the household starts if stage 1 is skipped: the one that an
        earlier stage 1 selected, else the preferred one."""
        selected = None if self.home is None else self.home.selected
        return self.preferred_index if selected is None else selected

    @property
    def offered(self) -> "Plans":
        """The plans among which stage 1 selects: all, or only the one with which it starts."""
        if not self.fixed:
            return self
        start = self.start_index
        home = self.home and replace(self.home, plans=(self.home.plans[start],), selected=0)
        values, scores = self.values[start : start + 1], self.scores[start : start + 1]
        return Plans(values, scores, self.meaning, home=home)

    def discomforts(self, measure: DiscomfortName) -> Array:
        """Return the discomfort of each plan by the named measure, float64[k]."""
        match measure:
            case "rmse":
                return rmse(self.values, self.preferred)
            case "preference":
                return np.asarray(np.nan_to_num(1.0 - self.scores, nan=0.0))
            case "score":
                return np.asarray(np.nan_to_num(self.scores, nan=0.0))
            case "index":
                return np.arange(len(self.scores), dtype=np.float64)
            case "device":
                return self._device_discomforts()

    def _device_discomforts(self) -> Array:
        """Return the discomfort of a home's devices in each plan, float64[k]; 0 where nobody has a
        wish."""
        if self.home is None:
            return np.zeros(len(self.scores))
        home = self.home.home
        return np.array([home.discomfort(schedules) or 0.0 for schedules in self.home.plans])


@dataclass(frozen=True, slots=True)
class SlotTimes:
    """The times of the slots of a data set, as far as the data set gives them."""

    first: str
    """The start of the first slot: `00:00` on an unspecified day, or an ISO 8601 time."""
    minutes: float
    """Length of a slot, minutes."""
    timezone: str | None = None
    """A zone such as Europe/Brussels, or an offset such as +01:00; None if unknown."""


@dataclass(frozen=True, slots=True)
class Population:
    """Households by id, in data set order. Invariant: all plans have the same number of slots."""

    households: dict[str, Plans]
    source: str
    """The source of the data, for people: a path or 'generated'."""
    target: Array | None = None
    """The target of the data set, float64[d], or None if it has none."""
    meaning_source: str = "default"
    """The source of the meaning of the scores: option, file or default."""
    slot_times: SlotTimes | None = None
    """The times of the slots, or None if the data set does not give them."""
    names: dict[str, str] = field(default_factory=dict)
    """Original names of households by id, where they differ from the id."""

    def __post_init__(self) -> None:
        if len({plans.slots for plans in self.households.values()}) != 1:
            raise ValueError("a population has households, all with plans of the same length")

    @property
    def slots(self) -> int:
        """Length d of every plan."""
        return next(iter(self.households.values())).slots

    @property
    def has_homes(self) -> bool:
        """True if households are homes, whose devices follow their plans."""
        return any(plans.home is not None for plans in self.households.values())
