"""Cycles: runs of a machine that cannot be divided, such as a washer's (S2: PPBC).

This module decides when a cycle may start and what a delay costs. `after`, the order of two cycles,
is checked by the home, which knows both.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from protocol.errors import InputError
from protocol.vectors import Array

NOISE = 0.2
"""Scale of the chance in the choice of a start, as a share of the deviation of the price."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """A run of a machine: a fixed profile that starts once within a window.

    Raises InputError, naming the field, if the run does not fit into its window and the day.
    """

    name: str
    profile_kwh: Array
    """Energy per slot of the run, float64[m]; none negative, not all zero."""
    earliest: int
    """First slot in which it may start."""
    preferred_start: int
    """The slot in which its people want it to start."""
    latest_start: int
    """Last slot in which it may start."""
    tolerance_min: float
    """A delay that its people call just acceptable, minutes."""
    slots: int
    slot_minutes: float
    after: str | None = None
    """The cycle that must have ended before this one starts."""

    def __post_init__(self) -> None:
        if not 0 < len(self.profile_kwh) <= self.slots:
            raise InputError(f"must have 1 to {self.slots} slots", field="profile")
        if not (self.profile_kwh >= 0.0).all() or not self.profile_kwh.any():
            raise InputError("no slot may be negative, and one must be above 0", field="profile")
        if not 0 <= self.earliest <= self.preferred_start:
            raise InputError("must not be after preferred", field="earliest")
        if not self.preferred_start <= self.latest_start:
            raise InputError("must not be before preferred", field="latest_start")
        if self.latest_start + len(self.profile_kwh) > self.slots:
            raise InputError("a run that starts then ends after the day", field="latest_start")
        if not self.tolerance_min > 0.0:
            raise InputError("must be above 0", field="tolerance_min")

    @property
    def kind(self) -> str:
        """The kind of every cycle."""
        return "cycle"

    @property
    def unit(self) -> str | None:
        """A cycle is late by minutes."""
        return "min"

    @property
    def tolerance(self) -> float:
        """The delay that its people call just acceptable, minutes."""
        return self.tolerance_min

    @property
    def length(self) -> int:
        """Number of slots of the run."""
        return len(self.profile_kwh)

    @property
    def starts(self) -> range:
        """All slots in which it may start, the order of cycles aside."""
        return range(self.earliest, self.latest_start + 1)

    def at(self, start: int) -> Array:
        """Return the schedule of a run that starts in this slot, float64[d] kWh."""
        schedule = np.zeros(self.slots)
        schedule[start : start + self.length] = self.profile_kwh
        return schedule

    def preferred(self, rest_kwh: Array) -> Array:
        """Return the schedule of the preferred start, whatever the rest of the home does."""
        return self.at(self.preferred_start)

    def cheapest(self, price: Array, chance: Generator, *, preferred: Array, cap: float) -> Array:
        """Return a run at the start that is cheapest at a price per slot (`cheapest_start`)."""
        first, last = self.earliest, self.latest_start
        return self.at(self.cheapest_start(price, chance, first=first, last=last, cap=cap))

    def cheapest_start(
        self, price: Array, chance: Generator, *, first: int, last: int, cap: float
    ) -> int:
        """Return the start from `first` to `last` that is cheapest at a price per slot, give or
        take chance (Gumbel noise), among those whose discomfort is at most `cap`; else the one with
        the least discomfort."""
        starts = np.arange(first, last + 1)
        late_min = np.abs(starts - self.preferred_start) * self.slot_minutes
        allowed = starts[late_min <= cap * self.tolerance_min]
        if not len(allowed):
            return int(starts[np.argmin(late_min)])
        share = self.profile_kwh / self.profile_kwh.sum()
        cost = np.correlate(price, share, mode="valid")[allowed]
        noise = chance.gumbel(scale=NOISE * float(price.std()), size=len(allowed))
        return int(allowed[np.argmin(cost + noise)])

    def start(self, schedule: Array) -> Array:
        """Return the slot in which the run of feasible schedules starts: (..., d) -> (...)."""
        lead = int(np.argmax(self.profile_kwh != 0.0))
        return np.asarray(np.argmax(schedule != 0.0, axis=-1) - lead)

    def fault(self, schedule: Array) -> str | None:
        """Return why the machine cannot follow a schedule, or None if it can."""
        start = int(self.start(schedule))
        if start < 0 or start + self.length > self.slots:
            return "not one whole run of its profile"
        if not np.array_equal(self.at(start), schedule):
            return "not one whole run of its profile"
        if start not in self.starts:
            return f"starts in slot {start}, not in {self.earliest} to {self.latest_start}"
        return None

    def setback(self, schedule: Array) -> Array:
        """Return the minutes between start and preferred start: (..., d) -> (...)."""
        return np.abs(self.start(schedule) - self.preferred_start) * self.slot_minutes
