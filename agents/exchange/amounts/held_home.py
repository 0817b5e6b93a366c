"""A home during the exchange: its devices' schedules, and how much discomfort it may have.

This module decides which changes of schedules a home may make. It never holds schedules that the
devices cannot follow, and its own energy never changes.
"""

from collections.abc import Mapping

import numpy as np

from agents.devices.device import discomfort
from agents.devices.home import Home, Schedules
from agents.devices.home_plans import Caps
from agents.devices.store import Store
from agents.exchange.amounts.costless_store import costless
from protocol.errors import InputError
from protocol.terms import DisclosureName, RuleName
from protocol.vectors import Array

ROUNDING = 1e-12
"""Sums of squared discomforts that differ by less are equal: levels are rounded, amounts are not.
"""


class HeldHome:
    """A home and the schedules that its devices follow now.

    Invariant: the home can follow them, they sum to the same energy as at the start, and the sum
    of squared discomforts is at most `allowed` (but for rounding).
    """

    def __init__(
        self,
        home: Home,
        schedules: Schedules,
        *,
        rule: RuleName = "mutual",
        caps: Caps | None = None,
    ) -> None:
        """Set up a home as stage 1 left it. `caps` are on the discomfort of each device, by
        the mandate. Raises InputError if the home cannot follow the schedules."""
        fault = home.fault(schedules)
        if fault is not None:
            raise InputError(f"cannot be followed: {fault}", field=home.id)
        self.home, self.rule, self._caps = home, rule, caps
        self.traded = np.ones(home.slots, dtype=np.bool_)
        """The slots at which partners may change the total, bool[d]."""
        self.disclosure: DisclosureName = "limit"
        """What it announces: amounts (`limit`), or only directions."""
        self._schedules = dict(schedules)
        self._discomforts = self._discomforts_of(schedules)
        """The discomfort u of each device, now."""
        self._costless: dict[str, tuple[Array, Store]] = {}
        """Stores narrowed to what costs nothing, each with the schedule from which on."""
        self._energy_kwh = float(home.total(schedules).sum())
        self._began = self.squares = self.squares_of(schedules)
        """Sum of squared discomforts of the devices, now."""
        self._least = self.squares
        self.arranged = False
        """True once the moves inside the home have been looked for since its last change."""

    @property
    def slots(self) -> int:
        """Number of slots d of the day."""
        return self.home.slots

    @property
    def schedules(self) -> Schedules:
        """The schedules of the devices now."""
        return self._schedules

    @property
    def total(self) -> Array:
        """The home's energy at the meter now, float64[d] kWh."""
        return self.home.total(self._schedules)

    @property
    def discomfort(self) -> float | None:
        """D now; None for a home without any wish."""
        return self.home.discomfort(self._schedules)

    @property
    def stores(self) -> list[Store]:
        """The devices that fill and empty."""
        return [device for device in self.home.devices if isinstance(device, Store)]

    @property
    def allowed(self) -> float:
        """The greatest sum of squared discomforts that a partner's wish may lead to. `mutual`: the
        least so far; `cooperative`: that at the start."""
        return self._began if self.rule == "cooperative" else self._least

    def squares_of(self, schedules: Schedules) -> float:
        """Return the sum of squared discomforts of these schedules, of all devices or of some."""
        now = self._schedules
        changed = {
            name: schedule for name, schedule in schedules.items() if schedule is not now.get(name)
        }
        after = {**self._discomforts, **self._discomforts_of(changed)}
        return sum((after[name] * after[name] for name in schedules), 0.0)

    def squares_after(self, changed: Mapping[str, Array]) -> float:
        """Return the sum of squared discomforts once these devices have new schedules."""
        return self.squares_of({**self._schedules, **changed})

    def costless(self, store: Store) -> Store:
        """Return the store with levels narrowed to those that cost no comfort from now on."""
        schedule = self._schedules[store.name]
        known = self._costless.get(store.name)
        if known is None or known[0] is not schedule:
            known = self._costless[store.name] = schedule, costless(store, schedule)
        return known[1]

    def change_of(self, changed: Mapping[str, Array]) -> Array:
        """Return by how much new schedules of some devices change the total, float64[d] kWh."""
        change = np.zeros(self.slots)
        for name, schedule in changed.items():
            change += schedule - self._schedules[name]
        return change

    def may_take(self, changed: Mapping[str, Array]) -> bool:
        """True if the home can follow the new schedules, keeps its energy, and is not worse off."""
        after = {**self._schedules, **changed}
        return (
            float(self.change_of(changed).sum()) == 0.0
            and self._within_cap(changed)
            and self.squares_of(after) <= self.allowed + ROUNDING
            and self.home.fault(after) is None
        )

    def _within_cap(self, changed: Mapping[str, Array]) -> bool:
        """True if no device rises beyond its cap."""
        caps = self._caps
        if caps is None:
            return True
        for name, schedule in changed.items():
            device = self.home.device(name)
            now = float(discomfort(device, self._schedules[name]))
            if float(discomfort(device, schedule)) > max(caps.of(name), now) + ROUNDING:
                return False
        return True

    def take(self, changed: Mapping[str, Array]) -> None:
        """Follow new schedules of some devices from now on. Raises ValueError if they cannot be
        followed or do not keep the home's energy."""
        after = {**self._schedules, **changed}
        fault = self.home.fault(after)
        if fault is not None:
            raise ValueError(f"{self.home.id} cannot follow {fault}")
        if float(self.home.total(after).sum()) != self._energy_kwh:
            raise ValueError(f"{self.home.id} would not keep its own energy")
        self._discomforts |= self._discomforts_of(changed)
        self._schedules, self.arranged = after, False
        self.squares = self.squares_of(after)
        self._least = min(self._least, self.squares)

    def _discomforts_of(self, schedules: Mapping[str, Array]) -> dict[str, float]:
        return {
            name: float(discomfort(self.home.device(name), schedule))
            for name, schedule in schedules.items()
        }
