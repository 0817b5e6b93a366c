"""The announcement of a home: how much more or less it could take at each slot, at no loss.

Amounts are rounded down to powers of sqrt 2; no device and no gain is named. An announcement is a
hint for the choice of a partner, never a promise: the partner is asked all the same. The wants of a
home are announced likewise, with its lookup (part_wish.py).
"""

from dataclasses import dataclass

import numpy as np

from agents.devices.energy_grid import STEP_KWH
from agents.devices.store_moves import room
from agents.exchange.amounts.held_home import HeldHome
from protocol.messages.amounts import PIECES
from protocol.vectors import Array

LEAST_ANNOUNCED_KWH = 2.0**-8
"""Smaller amounts, below about 4 Wh, are announced as 0."""


DIRECTION_KWH = 0.25
"""What a home announces where it could take more or less, if it tells only directions."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """Amounts by slot, float64[d] kWh each, on the ladder."""

    up_kwh: Array
    """More than now."""
    down_kwh: Array
    """Less than now."""


def on_ladder(kwh: Array) -> Array:
    """Return the greatest powers of sqrt 2 that are not above the amounts; 0 for small ones."""
    steps = np.floor(2.0 * np.log2(np.maximum(kwh, STEP_KWH)))
    rung = np.exp2(steps / 2.0)
    rung = np.where(rung > kwh, np.exp2((steps - 1.0) / 2.0), rung)
    return np.where(kwh >= LEAST_ANNOUNCED_KWH, rung, 0.0)


def undone(rest: Array, gives: Announcement) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the pieces of the day in which a partner takes neither less nor more as it was asked,
    though it announced it. `rest` is what the requester still adds, float64[d] kWh."""
    piece = np.arange(len(rest)) * PIECES // len(rest)
    left = set(piece[(rest > 0.0) & (gives.down_kwh > 0.0)].tolist())
    entered = set(piece[(rest < 0.0) & (gives.up_kwh > 0.0)].tolist())
    return tuple(sorted(left)), tuple(sorted(entered))


def announcement(held: HeldHome) -> Announcement:
    """Return how much more or less a home could take at each slot, at no loss, as far as it
    discloses that."""
    up, down = np.zeros((2, held.slots))
    for store in held.stores:
        schedule = held.schedules[store.name]
        most = room(held.costless(store), schedule).most
        up += most.max(axis=0)
        down += most.max(axis=1)
    told = directions if held.disclosure == "direction" else on_ladder
    return Announcement(up_kwh=told(up * held.traded), down_kwh=told(down * held.traded))


def directions(kwh: Array) -> Array:
    """Return the same amount wherever there is one that would be announced."""
    return np.where(kwh >= LEAST_ANNOUNCED_KWH, DIRECTION_KWH, 0.0)
