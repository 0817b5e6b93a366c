"""The offer book: the offers by slot and household, and how well each suits a wish. Pure. Busy
households and the ends of leases are handled in leases.py.

The choice among suitable offers: if offers disclose limits, the pair that seems to gain most
together. If the requester names a value it wants instead, the match with the largest expected gain,
weighted by how likely it is to agree. A household that has refused is not asked for anything that
it must then refuse as well.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from protocol.messages import Address

LADDER = 2.0**0.5
"""Ratio between the steps of disclosed limits, which are rounded down: the true limit lies less
than a step above."""
GUESS = (1 + LADDER) / 2
"""Factor from a disclosed limit to the middle of the range of true limits behind it."""
FAR = 1e100
"""A limit that stands for a direction only."""
TINY = 1e-12
"""Replaces 0 in denominators."""
ALWAYS = -1
_NEVER = -2


class Wish(NamedTuple):
    """A wish at one slot: the value nearest to `wanted` within `tolerance`, kWh; if `wanted` is
    None, any value that suits the own offer."""

    slot: int
    wanted: float | None = None
    tolerance: float = 0.0


class Merits(NamedTuple):
    """The suitable households for a wish, as columns in rising order, and the merit of each, >
    0."""

    columns: NDArray[np.intp]
    merit: NDArray[np.float64]


_NOBODY = np.zeros(0)


@dataclass(slots=True)
class Offers:
    """Offers, with their disclosed limits and what refusals have shown about them.

    A household is a column of the arrays, [slot, column]; there are more columns than households.
    """

    slots: int
    columns: dict[str, int] = field(default_factory=dict)
    where: list[Address] = field(default_factory=list)
    """Address of the household in each column."""
    value: NDArray[np.float64] = field(init=False)
    stands: NDArray[np.bool_] = field(init=False)
    """True where there is an offer: bool[slot, column]."""
    free: NDArray[np.bool_] = field(init=False)
    """True where the offer stands and is not leased; maintained by `Leases`."""
    slack: NDArray[np.float64] = field(init=False)
    """For each household: 0 if its limits bind, else infinite."""
    _limit: NDArray[np.float64] = field(init=False)
    _target: NDArray[np.float64] = field(init=False)
    _up: NDArray[np.float64] = field(init=False)
    """Upper bound on the true limit upwards, known from refusals, kWh."""
    _down: NDArray[np.float64] = field(init=False)
    _bad: list[dict[int, dict[int, int]]] = field(init=False)
    """For each slot: household -> households not to match it with, and until which round."""
    _sorted: bool = True

    def __post_init__(self) -> None:
        self._bad = [{} for _ in range(self.slots)]
        self._allocate(16)

    # -- changes of offers ------------------------------------------------------------------------

    def enter(self, household: Address) -> int:
        """Return the column of a household, and forget what was known of it."""
        column = self.columns.get(household.name)
        if column is None:
            column = len(self.where)
            if column == self.value.shape[1]:
                self._allocate(2 * column)
            self.columns[household.name] = column
            self.where.append(household)
            self._sorted = False
        self.where[column] = household
        self.stands[:, column] = False
        for slot in range(self.slots):
            self._forget(slot, column)
        return column

    def put(self, slot: int, column: int, value: float, limit: float | None) -> None:
        """Add or replace an offer, as in `Leases.offer`. Households that did not agree on the last
        one may try it."""
        self.value[slot, column] = value
        if limit is None:
            # Nothing is disclosed, so no limit can bind: treated as opposite to every requester.
            self._limit[slot, column], self._target[slot, column] = np.nan, value
        else:
            self._limit[slot, column] = limit
            known = abs(limit) < FAR
            self._target[slot, column] = value + (limit * GUESS / 2 if known else 0.0)
        self.stands[slot, column] = True
        self._forget(slot, column)

    def drop(self, slot: int, column: int) -> None:
        """Remove an offer."""
        self.stands[slot, column] = False
        self._forget(slot, column)

    # -- choosing ---------------------------------------------------------------------------------

    def merit(self, wish: Wish, column: int, min_gain_kwh2: float, round: int) -> Merits:
        """Return the suitable households for a wish, busy or not, and how well each one suits."""
        slot, own, width = wish.slot, self.value[wish.slot, column], self._width(wish, column)
        away = self.value[slot] - own
        serves = away * (width - away) > min_gain_kwh2
        serves &= self.stands[slot]
        # A household whose limits bind is not asked beyond them.
        serves &= ~(away * (self._limit[slot] + away) > self.slack)
        serves[self._not_now(slot, column, round)] = False
        # Mostly few are left, and often none; the rest computes these alone.
        others = serves.nonzero()[0]
        if not len(others):
            return Merits(others, _NOBODY)
        away, limits, slack = away[others], self._limit[slot, others], self.slack[others]
        # No household is asked for something it must refuse, since it has refused less.
        known = np.where(away < 0, self._up[slot, others], self._down[slot, others])
        most = np.where(slack == 0.0, 0.0, away * (width * LADDER - away))
        agrees = np.abs(away) * (known - np.abs(away)) + most > 0
        if wish.wanted is None:
            merit = away * (self._target[slot, column] - self._target[slot, others])
            agrees &= merit > min_gain_kwh2 / 2
        else:
            distance = np.abs(self.value[slot, others] - wish.wanted)
            agrees &= distance <= wish.tolerance
            # Households that want the opposite direction come first.
            opposite = away * limits < 0
            if self.slack[column] == 0.0:
                # Then by expected gain: the nearer the two values, the more likely the other
                # household agrees. Its limit is assumed to lie anywhere up to the known bound, or
                # up to the requester's own limit.
                far = np.maximum(np.minimum(known, abs(width)), TINY)
                chance = np.maximum(1.0 - np.abs(away) / far, TINY)
                merit = 1.0 + opposite + away * (width - away) / max(width * width, TINY) * chance
            else:
                # Households that hold no more than is wanted always agree under the rule
                # cooperative.
                short = np.abs(away) <= abs(wish.wanted - own)
                merit = (1.0 + opposite + (opposite & short)) + 1.0 / (1.0 + distance)
        agrees &= merit > 0
        return Merits(others[agrees], merit[agrees])

    def _not_now(self, slot: int, column: int, round: int) -> list[int]:
        """Return the households that this one is not to be matched with now, itself included."""
        bad = self._bad[slot].get(column, {})
        return [
            column,
            *(other for other, until in bad.items() if until == ALWAYS or until >= round),
        ]

    def _width(self, wish: Wish, column: int) -> float:
        """Return how far the requester would go, kWh, signed."""
        if wish.wanted is not None:
            return 2 * (wish.wanted - float(self.value[wish.slot, column]))
        limit = float(self._limit[wish.slot, column])
        return limit if self.slack[column] == 0.0 else limit * GUESS

    def gain(self, wish: Wish, column: int, match: int) -> float:
        """Return the requester's estimated gain from this match, kWh^2."""
        away = float(self.value[wish.slot, match] - self.value[wish.slot, column])
        return away * (self._width(wish, column) - away)

    # -- learning ---------------------------------------------------------------------------------

    def remember(self, slot: int, column: int, other: int, until: int) -> None:
        """Exclude matches of these two until one of them changes its offer or the round `until` is
        over. With ALWAYS, only a changed offer ends the exclusion."""
        bad = self._bad[slot]
        bad.setdefault(column, {})[other] = until
        # This entry is found when the other household's offer changes.
        bad.setdefault(other, {}).setdefault(column, _NEVER)

    def learn(self, slot: int, match: int, held: tuple[float, float], gain: float) -> None:
        """Learn from a refusal by the match: it bounds how far that household would go in this
        direction.

        Within its limits it would have gained, or lost less than the requester would have gained.
        `held` has the values of requester and match, kWh.
        """
        away = held[0] - held[1]
        if self.value[slot, match] != held[1] or away == 0:
            return
        most = abs(away) - (0.0 if self.slack[match] == 0.0 else max(0.0, gain) / abs(away))
        known = self._up if away > 0 else self._down
        known[slot, match] = min(known[slot, match], most)

    def _forget(self, slot: int, column: int) -> None:
        others = self._bad[slot].pop(column, None)
        for other in others or ():
            self._bad[slot][other].pop(column, None)
        self._up[slot, column] = self._down[slot, column] = FAR

    # -- room and order ---------------------------------------------------------------------------

    def _allocate(self, columns: int) -> None:
        def grown(name: str, dtype: type, fill: float) -> NDArray[Any]:
            array: NDArray[Any] = np.full((self.slots, columns), fill, dtype)
            old = getattr(self, name, None)
            if old is not None:
                array[:, : old.shape[1]] = old
            return array

        for name, dtype, fill in (
            ("value", np.float64, 0.0),
            ("_limit", np.float64, 0.0),
            ("_target", np.float64, 0.0),
            ("_up", np.float64, FAR),
            ("_down", np.float64, FAR),
            ("stands", np.bool_, False),
            ("free", np.bool_, False),
        ):
            setattr(self, name, grown(name, dtype, fill))
        slack = np.zeros(columns)
        old = getattr(self, "slack", None)
        if old is not None:
            slack[: len(old)] = old
        self.slack = slack

    def sort(self) -> bool:
        """Sort households by name, so that ties do not depend on the order of entry. Returns True
        if anything has moved."""
        if self._sorted:
            return False
        order = sorted(range(len(self.where)), key=lambda column: self.where[column].name)
        everything = order + list(range(len(order), self.value.shape[1]))
        for name in ("value", "_limit", "_target", "_up", "_down", "stands", "free"):
            setattr(self, name, np.ascontiguousarray(getattr(self, name)[:, everything]))
        self.slack = self.slack[everything]
        self.where = [self.where[column] for column in order]
        to = {column: place for place, column in enumerate(order)}
        self.columns = {where.name: place for place, where in enumerate(self.where)}
        self._bad = [
            {to[a]: {to[b]: until for b, until in row.items()} for a, row in bad.items()}
            for bad in self._bad
        ]
        self._sorted = True
        return True
