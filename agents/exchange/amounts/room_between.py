"""The room of a store for moves between a few slots, without computing that between all of them.

It is the same as the rows and columns of `agents.devices.store_moves.room`; a partner's wish names
few slots, and a home looks at its room for each pair move.
"""

import numpy as np
from numpy.typing import NDArray

from agents.devices.energy_grid import STEP_KWH, floored
from agents.devices.storage import LEVEL_TOLERANCE_KWH, Storage
from agents.devices.store_moves import Room
from protocol.vectors import Array

Slots = NDArray[np.intp]
"""Numbers of slots, rising."""

_SLACK_KWH = LEVEL_TOLERANCE_KWH - 1e-12
"""By how much a level may miss a bound, with a reserve for sums that are rounded differently."""


def room_between(store: Storage, schedule: Array, rows: Slots, columns: Slots) -> Room:
    """Return how far moves from the slots `rows` to the slots `columns` can go, each alone."""
    taken, given = np.maximum(schedule, 0.0), np.maximum(-schedule, 0.0)
    headroom = _headroom(store, schedule, rows, columns)
    takes, gives = taken[rows][:, None], given[rows][:, None]
    start, end = store.plugged
    open_to = (columns >= start) & (columns < end)
    into = np.minimum(store.max_in_kwh - taken[columns], headroom / store.efficiency_in)
    into = np.where(open_to & (given[columns] == 0.0), into, 0.0)
    part = np.minimum(takes - store.min_in_kwh, into)
    if store.max_out_kwh > 0.0:
        open_from = (rows >= start) & (rows < end) & (taken[rows] == 0.0)
        out = np.minimum(store.max_out_kwh - gives, headroom * store.efficiency_out)
        out = np.where(open_from[:, None], np.minimum(given[columns], out), 0.0)
        part = np.maximum(part, out)
    part = floored(np.maximum(part, 0.0))
    least = np.where(schedule[columns] == 0.0, max(store.min_in_kwh, STEP_KWH), STEP_KWH)
    least = np.repeat(least[None], len(rows), axis=0)
    apart = rows[:, None] != columns
    part = np.where((part >= least) & apart, part, 0.0)
    whole = np.zeros_like(part)
    if store.min_in_kwh > 0.0:
        whole = np.where((takes <= into) & apart, takes, 0.0)
    return Room(least=least, part=part, whole=whole)


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
