"""Cycles: runs of a machine that cannot be divided, such as a washer's (S2: PPBC).

This module decides when a cycle may start and what a delay costs. `after`, the order of two cycles,
is checked by the home, which knows both.
"""

from dataclasses import dataclass

import numpy as np

from protocol.errors import InputError
from protocol.vectors import Array


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

    def preferred(self) -> Array:
        """Return the schedule of the preferred start."""
        return self.at(self.preferred_start)

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
