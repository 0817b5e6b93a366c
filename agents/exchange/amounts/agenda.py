"""The agenda of a home in one round: which wish comes next.

Parts come first, then cycles at better starts, then charges of cars. The next wish is computed from
what the home holds at that moment, since others may have changed it meanwhile. What has failed is
not tried again in the same round.
"""

from collections.abc import Hashable

from agents.exchange.amounts.held_home import HeldHome
from agents.exchange.amounts.part_wish import part_wish
from agents.exchange.amounts.whole_wish import (
    WholeWish,
    better_charges,
    better_starts,
    charge_wish,
)
from agents.exchange.amounts.wish import Wish

PARTS_MAX = 2
"""Greatest number of partners for parts in one round."""


class Agenda:
    """The wishes of a home in one round."""

    def __init__(self, held: HeldHome) -> None:
        self._held = held
        self._parts = PARTS_MAX
        self._tried: set[Hashable] = set()

    def next_wish(self) -> Wish | None:
        """Return the next wish; None if the home wants nothing more in this round."""
        held = self._held
        if self._parts:
            self._parts -= 1
            wish = part_wish(held)
            if wish is not None:
                return wish
            self._parts = 0
        for cycle, start in better_starts(held):
            if self._is_new((cycle.name, start)):
                return WholeWish(held, cycle.name, cycle.at(start))
        for car in better_charges(held):
            amount = float(held.schedules[car.store.name][car.move[0]])
            if self._is_new((car.store.name, car.move, amount)):
                return charge_wish(held, car)
        return None

    def _is_new(self, key: Hashable) -> bool:
        """Return True the first time that this is tried."""
        if key in self._tried:
            return False
        self._tried.add(key)
        return True
