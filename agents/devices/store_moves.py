"""Moves of energy within a store: how far they can go.

A move i -> j by x takes x kWh less at the meter in slot i and x more in slot j, so the store's own
energy stays the same. Energy moves within what the store takes, or within what it gives, never from
one to the other: the losses in between would change its own energy.
"""

from dataclasses import dataclass

import numpy as np

from agents.devices.energy_grid import FILE_STEP_KWH, STEP_KWH, floored
from agents.devices.storage import LEVEL_TOLERANCE_KWH, Storage
from protocol.vectors import Array

MOVES_MAX = 6
"""Number of moves by which a schedule follows a price at most."""
_ROUNDING_KWH = 1e-12
"""Room stays this much within the tolerance of levels, for sums that are rounded differently."""


@dataclass(frozen=True, slots=True)
class Room:
    """How far energy can be moved between any two slots, kWh, float64[d, d] each.

    A move i -> j by x is possible if and only if x is a multiple of 2^-20 kWh and
    `least[i, j] <= x <= part[i, j]`, or x equals `whole[i, j]` and is above 0.
    """

    least: Array
    """Least amount of a part; above one grid step where a slot without power needs `min_in`."""
    part: Array
    """Greatest amount that leaves what is left at i possible; 0 if there is none."""
    whole: Array
    """All that is taken at i, if it can move to j as one; else 0. Only for stores with `min_in`:
    without one it is a part like any other."""

    @property
    def most(self) -> Array:
        """The greatest possible amount, float64[d, d] kWh."""
        return np.maximum(self.part, self.whole)

    def allows(self, move: tuple[int, int], amount_kwh: float) -> bool:
        """True if the move i -> j by this amount, on the grid, leaves the schedule possible."""
        if amount_kwh <= 0.0:
            return False
        if amount_kwh == self.whole[move]:
            return True
        return bool(self.least[move] <= amount_kwh <= self.part[move])


def room(store: Storage, schedule: Array) -> Room:
    """Return how far each move within a feasible schedule can go, floored to the grid.

    Each move is considered alone: two moves that both fit need not fit together.
    """
    taken, given = np.maximum(schedule, 0.0), np.maximum(-schedule, 0.0)
    plugged = store.is_plugged()
    headroom = _headroom_between(store, schedule)
    takes = taken[:, None]
    receives = plugged & (given == 0.0)
    within_in = np.minimum(store.max_in_kwh - taken, headroom / store.efficiency_in)
    within_in = np.where(receives, within_in, 0.0)
    part = np.minimum(takes - store.min_in_kwh, within_in)
    least = np.where(schedule == 0.0, max(store.min_in_kwh, STEP_KWH), STEP_KWH)
    least = np.broadcast_to(least, part.shape)
    whole = np.where((store.min_in_kwh > 0.0) & (takes <= within_in), takes, 0.0)
    gives = plugged & (taken == 0.0)
    within_out = np.minimum(store.max_out_kwh - given[:, None], headroom * store.efficiency_out)
    within_out = np.where(gives[:, None], np.minimum(given, within_out), 0.0)
    part = floored(np.maximum(np.maximum(part, within_out), 0.0))
    part = np.where(part >= least, part, 0.0)
    np.fill_diagonal(part, 0.0)
    np.fill_diagonal(whole, 0.0)
    return Room(least=least, part=part, whole=whole)


def moved(schedule: Array, move: tuple[int, int], amount_kwh: float) -> Array:
    """Return the schedule after a move i -> j."""
    changed = schedule.copy()
    changed[move[0]] -= amount_kwh
    changed[move[1]] += amount_kwh
    return changed


def with_moves(store: Storage, schedule: Array, price: Array) -> Array:
    """Return a feasible schedule after the moves that save most at a price per slot, at most
    MOVES_MAX of them, float64[d]. Amounts are multiples of 2^-10 kWh if the schedule's are."""
    saving = price[:, None] - price
    for _ in range(MOVES_MAX):
        rooms = room(store, schedule)
        amounts = floored(rooms.most, FILE_STEP_KWH)
        gain = saving * np.where(amounts >= rooms.least, amounts, 0.0)
        i, j = divmod(int(np.argmax(gain)), store.slots)
        if gain[i, j] <= 0.0:
            break
        schedule = moved(schedule, (i, j), float(amounts[i, j]))
    return schedule


def _headroom_between(store: Storage, schedule: Array) -> Array:
    """Return by how much the levels between two slots may change in a move i -> j, float64[d, d]:
    they fall if energy moves to later slots, and rise if it moves to earlier ones."""
    levels = store.levels(schedule)
    slack = LEVEL_TOLERANCE_KWH - _ROUNDING_KWH
    falling = _least_from(levels - store.low_kwh + slack)
    rising = _least_from(store.high_kwh - levels + slack)
    later = np.arange(store.slots)[:, None] < np.arange(store.slots)
    return np.where(later, falling, rising.T)


def _least_from(values: Array) -> Array:
    """Return the least of values[i] ... values[j-1] at [i, j], for i < j; infinite elsewhere."""
    slots = len(values)
    spread = np.where(np.tri(slots, k=-1, dtype=bool).T | np.eye(slots, dtype=bool), values, np.inf)
    least = np.minimum.accumulate(spread, axis=1)
    shifted = np.full((slots, slots), np.inf)
    shifted[:, 1:] = least[:, :-1]
    return shifted
