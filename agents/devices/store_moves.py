"""Moves of energy within a store: how far they can go.

A move i -> j by x takes x kWh less at the meter in slot i and x more in slot j, so the store's own
energy stays the same. Energy moves within what the store takes, or within what it gives, never from
one to the other: the losses in between would change its own energy.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.devices.energy_grid import FILE_STEP_KWH, STEP_KWH, floored
from agents.devices.storage import LEVEL_TOLERANCE_KWH, Storage
from protocol.vectors import Array

MOVES_MAX = 6
"""Number of moves by which a schedule follows a price at most."""
Slots = NDArray[np.intp]
"""Numbers of slots, rising."""

_SLACK_KWH = LEVEL_TOLERANCE_KWH - 1e-12
"""By how much a level may miss a bound, with a reserve for sums that are rounded differently."""


@dataclass(frozen=True, slots=True)
class Room:
    """How far energy can be moved from some slots to others, kWh, float64[rows, columns] each.

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
        """The greatest possible amount, float64[rows, columns] kWh."""
        return np.maximum(self.part, self.whole)

    def allows(self, move: tuple[int, int], amount_kwh: float) -> bool:
        """True if the move i -> j by this amount, on the grid, leaves the schedule possible."""
        if amount_kwh <= 0.0:
            return False
        if amount_kwh == self.whole[move]:
            return True
        return bool(self.least[move] <= amount_kwh <= self.part[move])


def room(
    store: Storage, schedule: Array, rows: Slots | None = None, columns: Slots | None = None
) -> Room:
    """Return how far each move within a feasible schedule can go, floored to the grid: from the
    slots `rows` to the slots `columns`, by default between all.

    Each move is considered alone: two moves that both fit need not fit together.
    """
    every = np.arange(store.slots)
    rows = every if rows is None else rows
    columns = every if columns is None else columns
    headroom = _headroom(store, schedule, rows, columns)
    left, right = schedule[rows], schedule[columns]
    takes = np.maximum(left, 0.0)[:, None]
    start, end = store.plugged
    open_to = (columns >= start) & (columns < end) & (right >= 0.0)
    into = np.minimum(store.max_in_kwh - right, headroom / store.efficiency_in)
    into = np.where(open_to, into, 0.0)
    part = np.minimum(takes - store.min_in_kwh, into)
    if store.max_out_kwh > 0.0:
        given = np.maximum(-right, 0.0)
        open_from = (rows >= start) & (rows < end) & (left <= 0.0)
        gives = np.maximum(-left, 0.0)[:, None]
        out = np.minimum(store.max_out_kwh - gives, headroom * store.efficiency_out)
        out = np.where(open_from[:, None], np.minimum(given, out), 0.0)
        part = np.maximum(part, out)
    apart = rows[:, None] != columns
    part = floored(np.maximum(part, 0.0)) * apart
    least = np.full(part.shape, STEP_KWH)
    whole = np.zeros(part.shape)
    if store.min_in_kwh > 0.0:
        least[:, right == 0.0] = max(store.min_in_kwh, STEP_KWH)
        part = np.where(part >= least, part, 0.0)
        whole = np.where((takes <= into) & apart, takes, 0.0)
    return Room(least=least, part=part, whole=whole)


def room_of(store: Storage, schedule: Array, move: tuple[int, int]) -> Room:
    """Return how far one move can go: a room of one row and one column."""
    return room(store, schedule, np.array(move[:1]), np.array(move[1:]))


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


def _headroom(store: Storage, schedule: Array, rows: Slots, columns: Slots) -> Array:
    """Return by how much the levels between slots may change, float64[rows, columns]: they fall if
    energy moves to later slots, and rise if it moves to earlier ones."""
    levels = store.levels(schedule)
    falling = _least_since(levels - store.low_kwh + _SLACK_KWH, rows, columns)
    rising = _least_since(store.high_kwh - levels + _SLACK_KWH, columns, rows).T
    return np.where(rows[:, None] < columns, falling, rising)


def _least_since(values: Array, starts: Slots, ends: Slots) -> Array:
    """Return the least of values[i] ... values[j-1] for starts i and ends j, if i < j."""
    spread = np.where(np.arange(len(values)) >= starts[:, None], values, np.inf)
    least: Array = np.minimum.accumulate(spread, axis=1)
    return least[:, np.maximum(ends - 1, 0)]
