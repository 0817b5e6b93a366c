"""Which swaps of values both homes' devices can follow.

This module decides which swaps are asked about: single slots drawn at random among those that both
sides' RMSE welcomes, and the bundles that an exchange of bundles really makes first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from agents.devices.home import Home
from orchestrator.experiments.homes.home_programs import can_follow
from orchestrator.results.run_results import ExchangeRow
from protocol.vectors import Array

DRAWS_PER_SWAP = 200
"""Pairs and slots that are drawn at most for each swap that is asked about."""


@dataclass(frozen=True, slots=True)
class Swap:
    """Two homes that swap their values at some slots."""

    homes: tuple[str, str]
    slots: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Followed:
    """How many swaps the devices of both homes, of one, or of neither can follow."""

    both: int
    one: int
    neither: int

    @property
    def swaps(self) -> int:
        """Number of swaps that were asked about."""
        return self.both + self.one + self.neither

    @property
    def share(self) -> float:
        """Share of swaps that both can follow."""
        return self.both / self.swaps if self.swaps else float("nan")


def welcome_slots(
    now: Mapping[str, Array], preferred: Mapping[str, Array], *, count: int, seed: int
) -> list[Swap]:
    """Return random single-slot swaps that bring both sides nearer to what they prefer."""
    chance, names = np.random.default_rng(seed), list(now)
    found: dict[tuple[str, str, int], Swap] = {}
    for _ in range(count * DRAWS_PER_SWAP):
        if len(found) == count or len(names) < 2:
            break
        one, other = (names[at] for at in chance.choice(len(names), 2, replace=False))
        slot = int(chance.integers(len(now[one])))
        mine, theirs = float(now[one][slot]), float(now[other][slot])
        nearer = all(
            abs(new - preferred[name][slot]) < abs(old - preferred[name][slot])
            for name, old, new in ((one, mine, theirs), (other, theirs, mine))
        )
        if nearer:
            found[one, other, slot] = Swap((one, other), (slot,))
    return list(found.values())


def first_bundles(exchanges: Iterable[ExchangeRow]) -> list[Swap]:
    """Return the bundles of homes that had not exchanged before, from a trace."""
    bundles: dict[tuple[int, str, str], list[int]] = {}
    for row in exchanges:
        bundles.setdefault((row.round, row.requester, row.responder), []).append(row.slot)
    seen: set[str] = set()
    found = []
    for (_, one, other), slots in bundles.items():
        if not {one, other} & seen:
            found.append(Swap((one, other), tuple(slots)))
        seen |= {one, other}
    return found


def followed(
    swaps: Iterable[Swap], homes: Mapping[str, Home], now: Mapping[str, Array]
) -> Followed:
    """Ask the devices of both homes of each swap whether they can follow what it leaves them."""
    counts = [0, 0, 0]
    for swap in swaps:
        able = 0
        for name, other in (swap.homes, swap.homes[::-1]):
            total = now[name].copy()
            total[list(swap.slots)] = now[other][list(swap.slots)]
            able += can_follow(homes[name], total)
        counts[able] += 1
    return Followed(both=counts[2], one=counts[1], neither=counts[0])
