"""What is offered, by slot and household, and how well an offer would serve a wish. Pure; who is
busy and what becomes of a match is decided in leases.py.

Choice among those who would serve: if offers tell how far their owners would go, the pair that
seems to gain most together. If the requester names a value it wants instead, the one with whom most
gain is to be expected, by how likely it is to agree; whoever has refused is not asked for what it
must then refuse, too.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from protocol.messages import Address

LADDER = 2.0**0.5
"""Limits are named on steps of this ratio, rounded down: the true one lies within a step above."""
GUESS = (1 + LADDER) / 2
"""Named limit -> the middle of what it may stand for."""
FAR = 1e100
"""A limit in a direction that tells nothing more."""
TINY = 1e-12
"""Where something must not be 0."""
ALWAYS = -1
_NEVER = -2


class Wish(NamedTuple):
    """What a lookup asks for at one slot: the value nearest to `wanted` within `tolerance`; if that
    is None, whatever suits the own offer."""

    slot: int
    wanted: float | None = None
    tolerance: float = 0.0


class Merits(NamedTuple):
    """Who would serve a wish, as columns in rising order, and how well, > 0."""

    columns: NDArray[np.intp]
    merit: NDArray[np.float64]


_NOBODY = np.zeros(0)


@dataclass(slots=True)
class Offers:
    """Offers, what they say, and what refusals have shown of them.

    A household is a column of the arrays, [slot, column]; there are more columns than households.
    """

    slots: int
    columns: dict[str, int] = field(default_factory=dict)
    where: list[Address] = field(default_factory=list)
    """By column."""
    value: NDArray[np.float64] = field(init=False)
    stands: NDArray[np.bool_] = field(init=False)
    """Whether there is an offer."""
    free: NDArray[np.bool_] = field(init=False)
    """Whether it stands and nobody is busy with it: kept by `Leases`."""
    slack: NDArray[np.float64] = field(init=False)
    """By household: 0 if its limits bind, else infinite."""
    _limit: NDArray[np.float64] = field(init=False)
    _target: NDArray[np.float64] = field(init=False)
    _up: NDArray[np.float64] = field(init=False)
    """Its true limit upwards is below this, as its refusals show."""
    _down: NDArray[np.float64] = field(init=False)
    _bad: list[dict[int, dict[int, int]]] = field(init=False)
    """By slot: household -> those it is not to be matched with, and until which round."""
    _sorted: bool = True

    def __post_init__(self) -> None:
        self._bad = [{} for _ in range(self.slots)]
        self._allocate(16)

    # -- telling ----------------------------------------------------------------------------------

    def enter(self, household: Address) -> int:
        """The column of a household; what was known of it is forgotten."""
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
        """A new offer, as in `Leases.offer`: who did not agree on the last may try again."""
        self.value[slot, column] = value
        if limit is None:
            # Nothing is said, so nothing can bind: opposite to whoever asks.
            self._limit[slot, column], self._target[slot, column] = np.nan, value
        else:
            self._limit[slot, column] = limit
            known = abs(limit) < FAR
            self._target[slot, column] = value + (limit * GUESS / 2 if known else 0.0)
        self.stands[slot, column] = True
        self._forget(slot, column)

    def drop(self, slot: int, column: int) -> None:
        """No offer any more."""
        self.stands[slot, column] = False
        self._forget(slot, column)

    # -- choosing ---------------------------------------------------------------------------------

    def merit(self, wish: Wish, column: int, min_gain_kwh2: float, round: int) -> Merits:
        """How well each of those who would serve at all does so, busy or not."""
        slot, own, width = wish.slot, self.value[wish.slot, column], self._width(wish, column)
        away = self.value[slot] - own
        serves = away * (width - away) > min_gain_kwh2
        serves &= self.stands[slot]
        # A household whose limits bind is not asked beyond them.
        serves &= ~(away * (self._limit[slot] + away) > self.slack)
        serves[self._not_now(slot, column, round)] = False
        # Mostly these are few, and often nobody: the rest is about them alone.
        others = serves.nonzero()[0]
        if not len(others):
            return Merits(others, _NOBODY)
        away, limits, slack = away[others], self._limit[slot, others], self.slack[others]
        # Nor is anybody asked for what it must refuse, since it refused less.
        known = np.where(away < 0, self._up[slot, others], self._down[slot, others])
        most = np.where(slack == 0.0, 0.0, away * (width * LADDER - away))
        agrees = np.abs(away) * (known - np.abs(away)) + most > 0
        if wish.wanted is None:
            merit = away * (self._target[slot, column] - self._target[slot, others])
            agrees &= merit > min_gain_kwh2 / 2
        else:
            distance = np.abs(self.value[slot, others] - wish.wanted)
            agrees &= distance <= wish.tolerance
            # First those who want the other way.
            opposite = away * limits < 0
            if self.slack[column] == 0.0:
                # Then by what is to be expected: the nearer the two values, the more likely the
                # other one agrees; its limit is taken to lie anywhere up to what is known of it,
                # or up to the requester's own.
                far = np.maximum(np.minimum(known, abs(width)), TINY)
                chance = np.maximum(1.0 - np.abs(away) / far, TINY)
                merit = 1.0 + opposite + away * (width - away) / max(width * width, TINY) * chance
            else:
                # Those who hold no more than is wanted are sure to agree under the rule
                # cooperative.
                short = np.abs(away) <= abs(wish.wanted - own)
                merit = (1.0 + opposite + (opposite & short)) + 1.0 / (1.0 + distance)
        agrees &= merit > 0
        return Merits(others[agrees], merit[agrees])

    def _not_now(self, slot: int, column: int, round: int) -> list[int]:
        """Those with whom it is not to be matched now, itself among them."""
        bad = self._bad[slot].get(column, {})
        return [
            column,
            *(other for other, until in bad.items() if until == ALWAYS or until >= round),
        ]

    def _width(self, wish: Wish, column: int) -> float:
        """How far the requester would go, kWh, signed."""
        if wish.wanted is not None:
            return 2 * (wish.wanted - float(self.value[wish.slot, column]))
        limit = float(self._limit[wish.slot, column])
        return limit if self.slack[column] == 0.0 else limit * GUESS

    def gain(self, wish: Wish, column: int, match: int) -> float:
        """What the requester seems to gain by this match, kWh^2."""
        away = float(self.value[wish.slot, match] - self.value[wish.slot, column])
        return away * (self._width(wish, column) - away)

    # -- learning ---------------------------------------------------------------------------------

    def remember(self, slot: int, column: int, other: int, until: int) -> None:
        """Not to match these two until one of them offers anew or this round is over (ALWAYS: until
        then only)."""
        bad = self._bad[slot]
        bad.setdefault(column, {})[other] = until
        # So that the entry is found when the other one's offer changes.
        bad.setdefault(other, {}).setdefault(column, _NEVER)

    def learn(self, slot: int, match: int, held: tuple[float, float], gain: float) -> None:
        """A match refused: it bounds how far it would go that way. Else it would have gained, or
        lost less than the requester would have gained. `held`: what requester and match had."""
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
        """Households in the order of their names, so that ties do not depend on who entered first:
        whether anything has moved."""
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
