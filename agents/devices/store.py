"""Stores: devices that fill and empty, such as a car, a boiler, a heat pump, a battery (S2: FRBC).

This module decides what a schedule of a store costs in comfort, and which one its people prefer.
`store_moves` decides how far one can be changed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from agents.devices import store_filling
from agents.devices.storage import Storage
from agents.devices.store_moves import with_moves
from agents.devices.store_wishes import StoreWish
from protocol.vectors import Array

_TILTS = (0.0, 1.0, 4.0, 16.0, 64.0)
"""How much dearer the end of the day is made than its start until a store is filled soon enough."""
_AVERAGES = 3
"""How often a schedule is averaged with the preferred one at most."""


@dataclass(frozen=True, slots=True)
class Store(Storage):
    """A device with a level, and what its people want of it."""

    wish: StoreWish | None = None
    need_kwh: float = 0.0
    """Energy that it must take at the meter, for a car; its lowest level rises accordingly."""

    @property
    def kind(self) -> str:
        """The kind of every store."""
        return "store"

    @property
    def unit(self) -> str | None:
        """Unit of the setback; None without a wish."""
        return None if self.wish is None else self.wish.unit

    @property
    def tolerance(self) -> float:
        """The setback that is just acceptable; 1 without a wish."""
        return 1.0 if self.wish is None else self.wish.tolerance

    def setback(self, schedule: Array) -> Array:
        """Return how far schedules miss the wish, in `unit`: (..., d) -> (...)."""
        if self.wish is None:
            return np.zeros(np.shape(schedule)[:-1])
        return self.wish.setback(self.levels(schedule))

    def marginal_cost(self, schedule: Array) -> Array:
        """Return g, the change of u^2 per kWh more at the meter in each slot, float64[d].

        A small move i -> j by x changes u^2 by x * (g[j] - g[i]); within what the store gives,
        divide by efficiency_in * efficiency_out.
        """
        if self.wish is None:
            return np.zeros(self.slots)
        slope = self.wish.squared_slope(self.levels(schedule))
        return np.asarray(self.efficiency_in * np.cumsum(slope[::-1])[::-1])

    def preferred(self, rest_kwh: Array) -> Array:
        """Return the schedule of greatest comfort: what a car needs at once at full power; a
        battery for own use of `rest_kwh`, all else in the home; heat by thermostat.

        It may have a fault if there is no better one.
        """
        if self.max_out_kwh and not self.need_kwh:
            return store_filling.for_own_use(self, rest_kwh)
        if self.need_kwh:
            return store_filling.at_once(self, self.need_kwh)
        schedule = store_filling.by_thermostat(self)
        if self.fault(schedule) is None:
            return schedule
        return store_filling.filled(self, np.arange(float(self.slots)), 0.0)

    def cheapest(self, price: Array, chance: Generator, *, preferred: Array, cap: float) -> Array:
        """Return a feasible schedule with the energy of the preferred one that follows a price per
        slot, and whose discomfort is at most `cap`; the preferred schedule if none is found."""
        if self.max_out_kwh:
            return with_moves(self, preferred, price)
        schedule = preferred
        average = self.unit == "degrees" and chance.random() < 0.5
        for tilt in _TILTS:
            tilted = price + tilt * np.linspace(0.0, 1.0, self.slots)
            schedule = store_filling.filled(self, tilted, float(preferred.sum()))
            if self.unit == "degrees":
                schedule = self._averaged(schedule, preferred, at_least=average, cap=cap)
            if self._fits(schedule, preferred, cap):
                return schedule
        return preferred

    def _averaged(self, schedule: Array, preferred: Array, *, at_least: bool, cap: float) -> Array:
        """Return the schedule, averaged with the preferred one until its discomfort is within the
        cap, and once in any case if `at_least`. All feasible schedules of heat are a convex set."""
        for step in range(_AVERAGES):
            if self._fits(schedule, preferred, cap) and (step or not at_least):
                break
            schedule = store_filling.averaged(schedule, preferred)
        return schedule

    def _fits(self, schedule: Array, preferred: Array, cap: float) -> bool:
        within = float(self.setback(schedule)) <= cap * self.tolerance
        same = float(schedule.sum()) == float(preferred.sum())
        return within and same and self.fault(schedule) is None
