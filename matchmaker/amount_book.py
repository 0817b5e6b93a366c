"""The amount book: which household could take more or less at each slot, and which refused what.
Pure.

It knows no device: only amounts by slot, rounded down, as households announce them, and the hours
between which a partner did not move what it was asked. That is forgotten where the partner
announces more than before.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from matchmaker.household_rows import HouseholdRows
from protocol.messages import Address
from protocol.messages.amounts import PIECES
from protocol.vectors import Array

ROUNDED = sqrt(2.0)
"""An announced amount times this is above what the household could do."""
ROUNDED_USUALLY = sqrt(ROUNDED)
"""Many announced amounts times this are about what the households could do together."""


@dataclass(slots=True)
class AmountBook(HouseholdRows):
    """What whole households announce."""

    slots: int
    _up: Array = field(init=False)
    """More that each household could take, float64[rows, d] kWh."""
    _down: Array = field(init=False)
    """Less that it could take."""
    _feeders: NDArray[np.intp] = field(init=False)
    """The feeder of each household, int[rows]."""
    _hours: NDArray[np.intp] = field(init=False)
    """The hour of each slot."""
    _refused: NDArray[np.bool_] = field(init=False)
    """Whether it did not move energy between two hours, bool[rows, from, to]."""
    _unwanted: dict[int, dict[int, tuple[int, int]]] = field(default_factory=dict)
    """By the rows of requesters: those of partners that suited them in nothing, and the versions of
    both then."""
    _by_name: NDArray[np.intp] = field(init=False)
    """All rows, in the order of names."""

    def __post_init__(self) -> None:
        self._up, self._down = np.zeros((2, 16, self.slots))
        self._feeders = np.zeros(16, dtype=np.intp)
        self._by_name = np.zeros(0, dtype=np.intp)
        self._hours = np.arange(self.slots) * PIECES // self.slots
        self._refused = np.zeros((16, PIECES, PIECES), dtype=np.bool_)

    def enter(self, household: Address, feeder: int = 0) -> None:
        """Add a household that will announce what it could take, to partners at its feeder."""
        row = self._entered(household)
        if row == len(self._up):
            self._grow()
        self._feeders[row] = feeder
        if row == len(self._by_name):
            named = sorted(self.rows.items())
            self._by_name = np.array([place for _, place in named], dtype=np.intp)
        self.announce(household.name, up_kwh=np.zeros(self.slots), down_kwh=np.zeros(self.slots))

    def announce(self, household: str, *, up_kwh: Array, down_kwh: Array) -> None:
        """Take an announcement, and forget what the household refused in hours in which it could
        now take more, or less, than before."""
        row = self.rows[household]
        rises = self._in_hours(up_kwh > self._up[row])
        falls = self._in_hours(down_kwh > self._down[row])
        self._refused[row] &= ~(falls[:, None] | rises)
        self._up[row], self._down[row] = up_kwh, down_kwh
        self._versions[row] += 1

    def refuse(self, partner: str, *, left: Sequence[int], entered: Sequence[int]) -> None:
        """Remember that a household did not move energy from these pieces of the day to those when
        it was asked."""
        self._refused[self.rows[partner]][np.ix_(left, entered)] = True

    def forget_refusals(self) -> None:
        """Forget what all households refused."""
        self._refused[:] = False

    def disappoint(self, requester: str, partner: str) -> None:
        """Remember that nothing which the partner announces suits the requester, until one of them
        announces anew."""
        row, other = self.rows[requester], self.rows[partner]
        self._unwanted.setdefault(row, {})[other] = self._versions[row], self._versions[other]

    def summary(self) -> dict[str, int]:
        """Return the numbers of known households and of slots at which they announce something; no
        names."""
        count = len(self.where)
        said = np.count_nonzero(self._up[:count]) + np.count_nonzero(self._down[:count])
        return {"households": len(self.rows), "offers": int(said)}

    def ranked(
        self, requester: str, *, up_kwh: Array, down_kwh: Array, without: Collection[str] = ()
    ) -> list[tuple[str, float]]:
        """Return who could help with a change of the requester, best first, and by how much, kWh:
        households at its feeder.

        Where the requester goes up, a partner goes down. Ties go to the first by name.
        """
        count, row = len(self.where), self.rows[requester]
        rises, falls = np.flatnonzero(up_kwh), np.flatnonzero(down_kwh)
        left, fall = self._by_hour(self._down[:count, rises], up_kwh[rises], rises)
        entered, rise = self._by_hour(self._up[:count, falls], down_kwh[falls], falls)
        able = fall.any(axis=1) & rise.any(axis=1) & (self._feeders[:count] == self._feeders[row])
        able[[row, *(self.rows[name] for name in without), *self._unwanted_by(row)]] = False
        members = self._by_name[able[self._by_name]]
        both = np.minimum(fall[members][:, :, None], rise[members][:, None, :])
        both *= ~self._refused[np.ix_(members, left, entered)]
        if not both.size:
            return []
        merit = np.minimum(both.max(axis=2).sum(axis=1), both.max(axis=1).sum(axis=1))
        best = [at for at in np.argsort(-merit, kind="stable").tolist() if merit[at]]
        names = [self.where[at].name for at in members[best].tolist()]
        return list(zip(names, merit[best].tolist(), strict=True))

    def suffices(
        self,
        ranked: Sequence[tuple[str, float]],
        *,
        up_kwh: Array,
        down_kwh: Array,
        partners_max: int,
    ) -> bool:
        """Return False if it is not likely that `partners_max` of the ranked households can make
        all of a change, since they announce too little in all, or at one slot."""
        expected = sum(merit for _, merit in ranked[:partners_max]) * ROUNDED_USUALLY
        if expected < up_kwh.sum():
            return False
        members = np.array([self.rows[name] for name, _ in ranked], dtype=np.intp)
        for announced, wanted in ((self._down, up_kwh), (self._up, down_kwh)):
            slots = np.flatnonzero(wanted)
            gives = announced[np.ix_(members, slots)]
            if len(members) > partners_max:
                gives = np.partition(gives, -partners_max, axis=0)[-partners_max:]
            if (np.sort(gives, axis=0).sum(axis=0) * ROUNDED < wanted[slots]).any():
                return False
        return True

    def announced(self, household: str, *, up_kwh: Array, down_kwh: Array) -> tuple[Array, Array]:
        """Return what a household announces, up and down, no more than a requester with these
        wants needs to know."""
        row = self.rows[household]
        return np.minimum(self._up[row], down_kwh), np.minimum(self._down[row], up_kwh)

    def _in_hours(self, slots: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return for each hour whether any of its slots is marked, bool[PIECES]."""
        marked = np.zeros(PIECES, dtype=np.bool_)
        marked[self._hours[slots]] = True
        return marked

    def _unwanted_by(self, row: int) -> list[int]:
        """Return the rows of partners that suit a requester in nothing, as far as neither of the
        two has announced anew."""
        known = self._unwanted.get(row, {})
        still = {
            other: versions
            for other, versions in known.items()
            if versions == (self._versions[row], self._versions[other])
        }
        self._unwanted[row] = still
        return list(still)

    def _by_hour(
        self, announced: Array, wanted: Array, slots: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], Array]:
        """Return the hours of these slots, and the announced amounts by hour, no more than wanted:
        float64[rows, hours]."""
        place = self._hours[slots]
        first = np.ones(len(place), dtype=np.bool_)
        first[1:] = place[1:] != place[:-1]  # slots rise, and so do hours
        hours = place[first]
        members = (place[:, None] == hours).astype(np.float64)
        return hours, np.minimum(announced, wanted) @ members

    def _grow(self) -> None:
        self._up, self._down, self._refused = (
            np.concatenate([array, np.zeros_like(array)])
            for array in (self._up, self._down, self._refused)
        )
        self._feeders = np.concatenate([self._feeders, np.zeros_like(self._feeders)])
