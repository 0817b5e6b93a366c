"""Ways to fill a storage: at once, by thermostat, for own use, or at the cheapest times.

This module decides schedules; amounts are multiples of 2^-10 kWh. A result need not be feasible
where nothing is: the caller checks.
"""

from math import floor

import numpy as np

from agents.devices.energy_grid import FILE_STEP_KWH, floored, rounded
from agents.devices.storage import LEVEL_TOLERANCE_KWH, Storage
from protocol.vectors import Array


def at_once(storage: Storage, need_kwh: float) -> Array:
    """Return the schedule that takes `need_kwh`, rounded up, as soon as it can, float64[d].

    The last slot takes the rest. Where that is less than the least power, the slot before it takes
    less, so that both can.
    """
    schedule = np.zeros(storage.slots)
    left = -_step_down(-need_kwh)
    for slot in range(*storage.plugged):
        if left <= 0.0:
            break
        amount = min(left, storage.max_in_kwh)
        if 0.0 < left - amount < storage.min_in_kwh:
            amount = max(left - storage.min_in_kwh, storage.min_in_kwh)
        amount = max(amount, storage.min_in_kwh)
        schedule[slot] = amount
        left -= amount
    return schedule


def by_thermostat(storage: Storage) -> Array:
    """Return the schedule that keeps the level at the start as well as it can, float64[d]."""
    schedule, plugged = np.zeros(storage.slots), storage.is_plugged()
    level = storage.level_kwh
    for slot in range(storage.slots):
        level -= storage.use_kwh[slot]
        wanted = (storage.level_kwh - level) / storage.efficiency_in
        amount = _step_down(min(wanted, storage.max_in_kwh))
        if amount > 0.0 and amount >= storage.min_in_kwh and plugged[slot]:
            schedule[slot] = amount
            level += storage.efficiency_in * amount
    return schedule


def for_own_use(storage: Storage, rest_kwh: Array) -> Array:
    """Return the schedule that takes what a home has too much and gives what it lacks, slot by
    slot, float64[d]. `rest_kwh` is everything else in the home."""
    schedule = np.zeros(storage.slots)
    level = storage.level_kwh
    for slot in range(*storage.plugged):
        level -= storage.use_kwh[slot]
        rest = float(rest_kwh[slot])
        if rest < 0.0:
            room = (storage.high_kwh[slot] - level) / storage.efficiency_in
            amount = _step_down(min(-rest, storage.max_in_kwh, room))
            amount = amount if amount >= storage.min_in_kwh else 0.0
            level += storage.efficiency_in * amount
        else:
            room = (level - storage.low_kwh[slot]) * storage.efficiency_out
            amount = -_step_down(min(rest, storage.max_out_kwh, room))
            level += amount / storage.efficiency_out
        schedule[slot] = amount
    return schedule


def filled(storage: Storage, price: Array, energy_kwh: float) -> Array:
    """Return the schedule that fills a storage at its cheapest times, float64[d].

    Deadline by deadline, each time the level would fall below its bound, energy goes into the
    cheapest earlier slots with headroom; then whatever is left of `energy_kwh` into the cheapest of
    all. The sum is `energy_kwh` if that is possible.
    """
    filling = _Filling(storage, price)
    while (deadline := filling.first_short()) is not None:
        lacking = filling.lacking(deadline)
        if not filling.add(lacking, until=deadline + 1):
            break
    filling.add(energy_kwh - float(filling.schedule.sum()), until=storage.slots)
    return filling.schedule


def averaged(schedule: Array, other: Array) -> Array:
    """Return the mean of two schedules of the same energy, on the grid and with that energy.

    Of the slots whose mean lies half a step off the grid, every other one is rounded up.
    """
    mean = (schedule + other) / 2.0
    lower = floored(mean, FILE_STEP_KWH)
    (odd,) = np.nonzero(mean != lower)
    lower[odd[::2]] += FILE_STEP_KWH
    return rounded(lower)


class _Filling:
    """A schedule that grows.

    Invariant: `below` and `above` are the distances of its levels from the lowest and the highest.
    """

    def __init__(self, storage: Storage, price: Array) -> None:
        self.storage = storage
        self.schedule = np.zeros(storage.slots)
        self._measure()
        plugged = np.flatnonzero(storage.is_plugged())
        order = plugged[np.argsort(price[plugged], kind="stable")]
        self._cheapest: list[int] = order.tolist()
        self._open = self._cheapest.copy()
        """The slots that may still take something, the cheapest first."""

    def _measure(self) -> None:
        levels = self.storage.levels(self.schedule)
        self.below, self.above = levels - self.storage.low_kwh, self.storage.high_kwh - levels

    def first_short(self) -> int | None:
        """Return the first slot at whose end the level is too low, or None."""
        slot = int(np.argmax(self.below < -LEVEL_TOLERANCE_KWH))
        return slot if self.below[slot] < -LEVEL_TOLERANCE_KWH else None

    def lacking(self, slot: int) -> float:
        """Return the energy at the meter that the level lacks, rounded up to the grid."""
        lacking = -float(self.below[slot]) - LEVEL_TOLERANCE_KWH / 2
        return -_step_down(-lacking / self.storage.efficiency_in)

    def add(self, energy_kwh: float, *, until: int) -> bool:
        """Add energy in the cheapest slots before `until`. Returns False if nothing fits."""
        added = 0.0
        full: set[int] = set()
        for slot in self._open:
            if energy_kwh - added <= 0.0:
                break
            if slot < until:
                fits = self._fits_in(slot)
                if fits <= 0.0:
                    full.add(slot)  # for good, since adding never lowers a level
                added += self._add_in(slot, min(fits, _step_down(energy_kwh - added)))
        if full:
            self._open = [slot for slot in self._open if slot not in full]
        if energy_kwh - added <= 0.0:
            return True
        return self._add_rest(energy_kwh - added, until) or added > 0.0

    def _add_rest(self, rest_kwh: float, until: int) -> bool:
        """Add a rest that is less than the least power to a slot of its own, which takes what is
        missing from a slot with more than that, the dearest first."""
        least = self.storage.min_in_kwh
        free = [s for s in self._cheapest if s < until and self.schedule[s] == 0.0]
        if not 0.0 < rest_kwh < least or not free:
            return False
        for slot in self._cheapest[::-1]:
            if slot < until and self.schedule[slot] - (least - rest_kwh) >= least:
                self.schedule[slot] -= least - rest_kwh
                break
        self.schedule[free[0]] = least
        self._measure()
        self._open = self._cheapest.copy()
        return True

    def _fits_in(self, slot: int) -> float:
        """Return how much more one slot can take, on the grid."""
        storage, present = self.storage, float(self.schedule[slot])
        if present >= storage.max_in_kwh:
            return 0.0
        headroom = float(self.above[slot:].min()) / storage.efficiency_in
        return _step_down(min(storage.max_in_kwh - present, headroom))

    def _add_in(self, slot: int, amount: float) -> float:
        """Add an amount that fits in one slot, unless it is too little; returns how much."""
        storage = self.storage
        if amount <= 0.0 or (self.schedule[slot] == 0.0 and amount < storage.min_in_kwh):
            return 0.0
        self.schedule[slot] += amount
        self.below[slot:] += storage.efficiency_in * amount
        self.above[slot:] -= storage.efficiency_in * amount
        return amount


def _step_down(kwh: float) -> float:
    return floor(kwh / FILE_STEP_KWH) * FILE_STEP_KWH
