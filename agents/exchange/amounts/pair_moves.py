"""Pair moves: energy moved from one slot to another within a store, step by step, best first.

`gain` looks for moves that a home wants, `serve` for those that cost it nothing. Both stay within
what the home's total may fall and rise at each slot. A whole change is the sum of few pair moves,
since each uses up a slot or a room.
"""

from dataclasses import dataclass

import numpy as np

from agents.devices.energy_grid import floored
from agents.devices.store import Store
from agents.devices.store_moves import Room, moved, room, room_of
from agents.exchange.amounts.held_home import HeldHome
from protocol.vectors import Array

STEPS_MAX = 12
"""Greatest number of pair moves in a change that a home proposes."""
SERVED_STEPS_MAX = 40
"""Greatest number of pair moves with which a home serves a partner."""
SCALES = 2.0 ** -np.arange(5.0)
"""Shares of a move's greatest amount that are tried, since discomfort rises more than linearly."""
LEAST_GAIN = 1e-6
"""Decrease of the sum of squared discomforts below which a change is not worth it."""
LEAST_STEP_GAIN = 1e-3
"""The same for one pair move of a change that a partner is asked for: a talk has its price."""


@dataclass(frozen=True, slots=True)
class Limits:
    """By how much a home's total may fall and rise at each slot, float64[d] kWh each."""

    down: Array
    up: Array

    @classmethod
    def of(cls, change: Array) -> "Limits":
        """Return the limits that a change exhausts."""
        return cls(down=np.maximum(-change, 0.0), up=np.maximum(change, 0.0))


def amounts(room_: Room, down: Array, up: Array) -> Array:
    """Return the greatest amount of each move i -> j within limits, float64[i, j]; 0 for none.

    `room_` has the rows and columns of the limits.
    """
    limit = np.minimum(down[:, None], up)
    part = np.minimum(room_.part, limit)
    part = np.where(part >= room_.least, part, 0.0)
    return np.maximum(part, np.where(room_.whole <= limit, room_.whole, 0.0))


def serve(held: HeldHome, limits: Limits, *, without: str = "") -> dict[str, Array]:
    """Return new schedules of devices that make as much of a change as costs nothing, all but one
    device if named.

    The greatest moves come first. Empty if nothing can be done.
    """
    down, up = limits.down * held.traded, limits.up * held.traded
    stores = {store.name: store for store in held.stores if store.name != without}
    schedules = {name: held.schedules[name] for name in stores}
    narrowed = {name: held.costless(store) for name, store in stores.items()}
    rows, columns = np.flatnonzero(down), np.flatnonzero(up)
    changed: dict[str, Array] = {}
    rooms: dict[str, Room] = {}
    for _ in range(SERVED_STEPS_MAX):
        if not (down[rows].any() and up[columns].any()):
            break
        best, step = 0.0, ("", 0, 0)
        for name, store in narrowed.items():
            if name not in rooms:
                rooms[name] = room(store, schedules[name], rows, columns)
            found = amounts(rooms[name], down[rows], up[columns])
            place = int(found.argmax())
            if found.flat[place] > best:
                best = float(found.flat[place])
                row, column = divmod(place, len(columns))
                step = name, int(rows[row]), int(columns[column])
        if best == 0.0:
            break
        name, i, j = step
        schedules[name] = changed[name] = moved(schedules[name], (i, j), best)
        del rooms[name]
        down[i] -= best
        up[j] -= best
    return changed


def gain(held: HeldHome, limits: Limits, *, steps_max: int = STEPS_MAX) -> dict[str, Array]:
    """Return new schedules of devices that lower the home's discomfort; empty if none is found."""
    down, up = limits.down * held.traded, limits.up * held.traded
    stores = [store for store in held.stores if store.wish is not None]
    schedules = {store.name: held.schedules[store.name] for store in stores}
    changed: dict[str, Array] = {}
    rows, columns = np.flatnonzero(down), np.flatnonzero(up)
    rooms: dict[str, Room] = {}
    spent: set[str] = set()
    """Stores whose best move brings nothing."""
    for _ in range(steps_max):
        if not (down[rows].any() and up[columns].any()):
            break
        best: tuple[float, Store, int, int, float] | None = None
        for store in stores:
            if store.name in spent:
                continue
            schedule = schedules[store.name]
            cost = store.marginal_cost(schedule)
            saved = cost[rows][:, None] - cost[columns]
            if saved.max() <= 0.0:
                continue
            if store.name not in rooms:
                rooms[store.name] = room(store, schedule, rows, columns)
            found = amounts(rooms[store.name], down[rows], up[columns])
            saving = saved * found
            place = int(saving.argmax())
            if best is None or saving.flat[place] > best[0]:
                row, column = divmod(place, len(columns))
                best = (
                    float(saving.flat[place]),
                    store,
                    int(rows[row]),
                    int(columns[column]),
                    float(found.flat[place]),
                )
        if best is None or best[0] < LEAST_STEP_GAIN:
            break
        _, store, i, j, most = best
        amount = scaled(store, schedules[store.name], (i, j), most)
        if amount == 0.0:
            spent.add(store.name)
            continue
        schedules[store.name] = changed[store.name] = moved(schedules[store.name], (i, j), amount)
        del rooms[store.name]
        down[i] -= amount
        up[j] -= amount
    return changed


def scaled(store: Store, schedule: Array, move: tuple[int, int], most: float) -> float:
    """Return the share of a move that lowers the store's discomfort most; 0 for none."""
    tried = floored(most * SCALES)
    trials = np.repeat(schedule[None], len(tried), axis=0)
    trials[:, move[0]] -= tried
    trials[:, move[1]] += tried
    squares = squares_of(store, trials)
    now = float(squares_of(store, schedule))
    options = room_of(store, schedule, move)
    for place in np.argsort(squares, kind="stable").tolist():
        if squares[place] >= now - LEAST_STEP_GAIN:
            break
        if options.allows((0, 0), float(tried[place])):
            return float(tried[place])
    return 0.0


def squares_of(store: Store, schedules: Array) -> Array:
    """Return the squared discomfort of schedules of a store: (..., d) -> (...)."""
    return np.asarray((store.setback(schedules) / store.tolerance) ** 2)
