"""Top trading cycles by slot, computed centrally: what the rule `ttc` reaches, and what a false
wish would bring.

Every household points to the holder of the value that is nearest to its preferred one among those
still in the pool; households on a cycle take the values they point to and leave (Shapley and Scarf
1974). Nobody loses, since everybody may point to itself, and nobody gains by a false wish (Roth
1982). The matchmaker reaches the same trades by asking the households (matchmaker/value_pool.py).
"""

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from protocol.vectors import Array


def trade_in_cycles(
    schedules: Array, preferred: Array, households: Sequence[str], *, seed: int
) -> Array:
    """Return the schedules after top trading cycles at every slot.

    All arrays are float64[n, d], kWh. `seed` decides who comes first among the holders of equal
    values, by the sorted names of the `households`.
    """
    traded = schedules.copy()
    for slot in range(schedules.shape[1]):
        held = schedules[:, slot]
        traded[:, slot] = held[
            taken_from(held, preferred[:, slot], precedence(households, slot, seed=seed))
        ]
    return traded


def precedence(households: Sequence[str], slot: int, *, seed: int) -> list[int]:
    """Return each household's place among the holders of equal values at one slot."""
    drawn = np.random.default_rng((seed, slot)).permutation(len(households)).tolist()
    place_of = dict(zip(sorted(households), drawn, strict=True))
    return [place_of[household] for household in households]


def taken_from(held: Array, wished: Array, places: Sequence[int]) -> list[int]:
    """Return, for each household, the index of the household whose value it takes at one slot.

    `held` and `wished` are float64[n], kWh. Of two values equally near, a household prefers its
    own, then the lower; of equal values its own, then the one whose holder is first in `places`.
    """
    return _Pool(held.tolist(), wished.tolist(), places).trade()


class _Pool:
    """The values at one slot that have not been taken yet, in groups of equal values."""

    def __init__(self, held: list[float], wished: list[float], places: Sequence[int]) -> None:
        self._wished = wished
        self._values = sorted(set(held))
        group_of = {value: group for group, value in enumerate(self._values)}
        self._group = [group_of[value] for value in held]
        self._holders: list[list[int]] = [[] for _ in self._values]
        for index in sorted(range(len(held)), key=places.__getitem__, reverse=True):
            self._holders[self._group[index]].append(index)
        self._above = [bisect_left(self._values, wish) for wish in wished]
        """By household: a group below which no value that is left is at or above its wish."""
        self._below = [above - 1 for above in self._above]
        """By household: a group above which no value that is left is below its wish."""
        self._taken_from: list[int | None] = [None] * len(held)

    def trade(self) -> list[int]:
        """Follow the pointers until every household is on a cycle."""
        found = self._taken_from
        for start in range(len(found)):
            path = [start] if found[start] is None else []
            while path:
                target = self._target(path[-1])
                if target not in path:
                    path.append(target)
                    continue
                cycle = path[path.index(target) :]
                del path[-len(cycle) :]
                for index, member in enumerate(cycle):
                    found[member] = cycle[(index + 1) % len(cycle)]
        return [target for target in found if target is not None]

    def _target(self, index: int) -> int:
        """Return the household whose value this one prefers among those not yet taken."""
        group = self._nearest(index)
        if group == self._group[index]:
            return index
        return self._holders[group][-1]

    def _nearest(self, index: int) -> int:
        """Return the group that this household prefers among those that have holders."""
        values, wish = self._values, self._wished[index]
        low, high = self._below[index], self._above[index]
        while low >= 0 and not self._has_holders(low):
            low -= 1
        while high < len(values) and not self._has_holders(high):
            high += 1
        self._below[index], self._above[index] = low, high
        if low < 0:
            return high
        if high == len(values):
            return low
        down, up = wish - values[low], values[high] - wish
        if down == up:
            return high if self._group[index] == high else low
        return low if down < up else high

    def _has_holders(self, group: int) -> bool:
        holders = self._holders[group]
        while holders and self._taken_from[holders[-1]] is not None:
            holders.pop()
        return bool(holders)
