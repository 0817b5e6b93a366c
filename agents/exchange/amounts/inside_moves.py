"""Inside moves: a home rearranges its own devices while its total stays the same in every slot.

A cycle moves to a better start if the home's own stores make room for all of it. Energy moves
between two slots in one store and back in another, if the home gains by both together.
"""

from collections.abc import Mapping
from itertools import permutations

import numpy as np

from agents.devices.energy_grid import floored
from agents.devices.store import Store
from agents.devices.store_moves import moved, room
from agents.exchange.amounts.held_home import HeldHome
from agents.exchange.amounts.pair_moves import LEAST_GAIN, SCALES
from agents.exchange.amounts.whole_wish import WholeWish, better_starts
from protocol.vectors import Array

STARTS_MAX = 96
"""Greatest number of starts tried for a cycle."""
STEPS_MAX = 24
"""Greatest number of pairs of moves between stores."""


def rearrange(held: HeldHome) -> bool:
    """Make all inside moves that help. Returns True if there was any."""
    found = False
    if held.arranged:
        return found
    while (whole := _free_whole(held)) is not None:
        held.take(whole)
        found = True
    for _ in range(STEPS_MAX):
        pair = _best_pair(held)
        if pair is None:
            break
        held.take(pair)
        found = True
    held.arranged = True
    return found


def _free_whole(held: HeldHome) -> Mapping[str, Array] | None:
    """Return a better start of a cycle for which the home needs nobody."""
    down, up = _reach(held)
    if not (down.any() and up.any()):
        return None
    for cycle, start in better_starts(held, starts_max=STARTS_MAX):
        change = cycle.at(start) - held.schedules[cycle.name]
        if ((change <= down) & (-change <= up)).all():
            wish = WholeWish(held, cycle.name, cycle.at(start))
            if not wish.rest.any():
                return wish.changed()
    return None


def _reach(held: HeldHome) -> tuple[Array, Array]:
    """Return by how much the stores together could at most take less and more, float64[d] kWh."""
    down, up = np.zeros((2, held.slots))
    for store in held.stores:
        schedule, plugged = held.schedules[store.name], store.is_plugged()
        down += np.where(plugged, schedule + store.max_out_kwh, 0.0)
        up += np.where(plugged, store.max_in_kwh - schedule, 0.0)
    return down, up


def _best_pair(held: HeldHome) -> Mapping[str, Array] | None:
    """Return the moves i -> j in one store and j -> i in another that together help most."""
    best, step = LEAST_GAIN, None
    stores = held.stores
    if len(stores) < 2:
        return None
    costs = {store.name: store.marginal_cost(held.schedules[store.name]) for store in stores}
    rooms = {store.name: room(store, held.schedules[store.name]) for store in stores}
    for one, other in permutations(stores, 2):
        if one.wish is None:
            continue
        cost = costs[one.name] - costs[other.name]
        saved = cost[:, None] - cost
        most = np.minimum(rooms[one.name].part, rooms[other.name].part.T)
        fits = (most >= rooms[one.name].least) & (most >= rooms[other.name].least.T)
        saving = np.where(fits, saved * most, 0.0)
        place = int(saving.argmax())
        if saving.flat[place] > best:
            best, move = float(saving.flat[place]), divmod(place, held.slots)
            step = one, other, move, float(most.flat[place])
    return None if step is None else _scaled_pair(held, step)


def _scaled_pair(
    held: HeldHome, step: tuple[Store, Store, tuple[int, int], float]
) -> Mapping[str, Array] | None:
    one, other, move, most = step
    best, found = held.squares - LEAST_GAIN, None
    for amount in floored(most * SCALES).tolist():
        changed = {
            one.name: moved(held.schedules[one.name], move, amount),
            other.name: moved(held.schedules[other.name], move, -amount),
        }
        squares = held.squares_after(changed)
        if squares < best and held.may_take(changed):
            best, found = squares, changed
    return found
