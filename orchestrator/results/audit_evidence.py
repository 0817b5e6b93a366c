"""The evidence for an audit: what the orchestrator of a run gets to know anyway, and how far
rounding can change it.

Schedules stay with their households. So an audit has the plans that the orchestrator made or read
itself, the sums that the root reports, and what each household says in its result.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from agents.devices.energy_grid import AMOUNT_MAX_KWH, on_grid
from agents.feeder_sums import by_feeder
from agents.planning.tree import level_of
from agents.plans import Plans
from protocol.messages import ExchangeHistory, PlanningHistory, Result
from protocol.terms import Terms
from protocol.vectors import Array

UNIT_ROUNDOFF = 2.0**-53
"""Largest relative error of one operation of float64."""
_SHIFTED = 3
"""After an equal shift nobody holds more than this many times the largest value before: its own
preferred value and the mean excess, which is a difference of two values."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The reports of one run that has ended, and what they are compared with."""

    terms: Terms
    members: Sequence[str]
    """The households in tree order."""
    plans: Mapping[str, Plans]
    """The plans of the households whose plans the orchestrator knows."""
    results: Mapping[str, Result]
    histories: Sequence[PlanningHistory]
    """The history of stage 1 before each exchange, or the only one."""
    exchange: ExchangeHistory | None
    feeders: Mapping[str, Terms] = field(default_factory=dict)
    """The terms of each household, if feeders have limits of their own; only their number counts.
    """
    feeder_names: Sequence[str] = ()
    """Their names, in the order of the sums by feeder."""
    exact: bool = field(init=False)
    """True if all values are known to lie on the dyadic grid, on which sums are exact."""
    largest_kwh: float = field(init=False)
    """The largest magnitude that a value at one slot can have, kWh. A household whose plans are
    unknown is taken to have no value above the sums of all."""

    def __post_init__(self) -> None:
        values = [self._values_of(name) for name in self.plans]
        largest = max((float(np.abs(own).max()) for own in values), default=0.0)
        if self.unknown:
            largest = max(largest, float(np.abs(self.histories[0].response_kwh).max()))
        exchange = self.terms.exchange
        if exchange is not None and exchange.equal_shift:
            values += [own.preferred for own in self.plans.values()]
            largest = _SHIFTED * max(float(np.abs(own).max()) for own in values)
        exact = not self.unknown and all(map(on_grid, values))
        small = largest * len(self.members) < AMOUNT_MAX_KWH
        object.__setattr__(self, "exact", exact and small)
        object.__setattr__(self, "largest_kwh", largest)

    def _values_of(self, name: str) -> Array:
        """Return the values that a household can bring into an exchange: its selected plan, or all
        its plans if it plans again."""
        own = self.plans[name].values
        if self.results[name].replanned:
            return own
        return np.asarray(own[self.results[name].selected_plan])

    @property
    def unknown(self) -> tuple[str, ...]:
        """The households whose plans the orchestrator does not know."""
        return tuple(name for name in self.members if name not in self.plans)

    @property
    def slots(self) -> int:
        """Number of slots."""
        return len(self.histories[0].response_kwh) // (1 + self.terms.feeders)

    def summed(self, schedules: Mapping[str, Array]) -> Array:
        """Return the exact sums of schedules of all households, rounded once: by slot, and then by
        feeder and slot, as sums along the tree have them."""
        own = [
            by_feeder(schedule, self.feeders.get(name, self.terms))
            for name, schedule in schedules.items()
        ]
        return np.array([math.fsum(values) for values in zip(*own, strict=True)])

    def place(self, index: int) -> str:
        """Return the slot, and the feeder if it is not the sum of all, at this index of a sum."""
        feeder, slot = divmod(index, self.slots)
        return f"slot {slot}" + (f" and feeder {self.feeder_names[feeder - 1]}" if feeder else "")

    def slots_of(self, indices: Sequence[int]) -> tuple[int, ...]:
        """Return the slots at these indices of a sum, rising."""
        return tuple(sorted({index % self.slots for index in indices}))

    @property
    def sums(self) -> list[tuple[Array, Array]]:
        """The sums of all schedules before and after each exchange, float64[d * (1 + F)] each with
        the sums at F feeders, kWh."""
        if self.exchange is None:
            return []
        later = [
            again.response_kwh if again.summed_kwh is None else again.summed_kwh
            for again in self.histories[1:]
        ]
        before = [history.response_kwh for history in self.histories]
        return list(zip(before, [*later, self.exchange.response_kwh], strict=True))

    @property
    def rounding_kwh(self) -> float:
        """The most by which rounding can separate two sums of the same values at one slot, kWh.

        On its way up the tree a value goes through at most one addition per child and one for the
        household itself on each level. Each addition adds a relative error of at most
        UNIT_ROUNDOFF, in both sums.
        """
        if self.exact:
            return 0.0
        households, arity = len(self.members), self.terms.arity
        additions = level_of(households - 1, arity) * (arity + 1)
        return 2 * additions * UNIT_ROUNDOFF * households * self.largest_kwh

    @property
    def own_rounding_kwh(self) -> float:
        """The most by which rounding can change the energy drift of one household, which is the
        difference of two sums over all slots, kWh."""
        if self.exact:
            return 0.0
        return 2 * (self.slots + 1) * UNIT_ROUNDOFF * self.slots * self.largest_kwh

    @property
    def discomfort_rounding_kwh(self) -> float:
        """The most by which rounding can change the RMSE of one household, kWh."""
        return (self.slots + 4) * UNIT_ROUNDOFF * 2 * _SHIFTED * self.largest_kwh
