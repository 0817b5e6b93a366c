"""A part: moves within a home's stores that lower its discomfort, as far as they suit a partner.

The home proposes what it would like within what the partner announces; the partner answers with the
part that costs it nothing; the home plans again within that part, until both agree.
"""

from collections.abc import Mapping

import numpy as np

from agents.devices.store_moves import room
from agents.exchange.amounts.announcement import Announcement, on_ladder
from agents.exchange.amounts.held_home import HeldHome
from agents.exchange.amounts.pair_moves import STEPS_MAX, Limits, gain
from agents.exchange.amounts.wish import WishKind
from protocol.vectors import Array

COUNTERS_MAX = 2
"""Greatest number of times that a home plans again within the part of its partner."""


class PartWish:
    """The moves that a home wants, agreed with one partner."""

    kind: WishKind = "part"
    indivisible = False
    partners_max = 1

    def __init__(self, held: HeldHome, wanted: Announcement) -> None:
        """Set up the wish of a home that wants these amounts, as `wants` returns them."""
        self._held, self._wanted = held, wanted
        self._planned: dict[str, Array] = {}
        self._proposal = np.zeros(held.slots)
        self._counters = 0
        self._agreed = False

    def wanted(self) -> Announcement | None:
        """Return what the home wants; None once it has agreed with a partner."""
        return None if self._agreed else self._wanted

    def proposed(self, gives: Announcement) -> Array:
        """Return the change that the home likes best within what a partner announces."""
        self._counters = 0
        return self._plan(Limits(down=gives.up_kwh, up=gives.down_kwh), STEPS_MAX)

    def answered(self, part: Array) -> Array | None:
        """Take the partner's part, and plan again within it if it is not what was proposed."""
        if np.array_equal(part, self._proposal):
            self._agreed = True
            return None
        change = self._plan(Limits.of(part), 2 * STEPS_MAX)
        self._counters += 1
        if np.array_equal(part, change):
            self._agreed = True
            return None
        return np.zeros_like(part) if self._counters > COUNTERS_MAX else change

    def changed(self) -> Mapping[str, Array] | None:
        """Return the new schedules once both sides agree."""
        return self._planned if self._agreed and self._planned else None

    def _plan(self, limits: Limits, steps_max: int) -> Array:
        self._planned = gain(self._held, limits, steps_max=steps_max)
        self._proposal = self._held.change_of(self._planned)
        return self._proposal


def part_wish(held: HeldHome) -> PartWish | None:
    """Return the wish of a home for moves within its stores; None if it has none."""
    up, down = np.zeros((2, held.slots))
    for store in held.stores:
        if store.wish is None:
            continue
        schedule = held.schedules[store.name]
        cost = store.marginal_cost(schedule)
        gains = cost[:, None] > cost
        if gains.any():
            most = np.where(gains, room(store, schedule).most, 0.0)
            up += most.max(axis=0)
            down += most.max(axis=1)
    wanted = Announcement(
        up_kwh=on_ladder(up * held.traded), down_kwh=on_ladder(down * held.traded)
    )
    return PartWish(held, wanted) if wanted.up_kwh.any() and wanted.down_kwh.any() else None
