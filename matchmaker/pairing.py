"""The pairing of a round: which two households talk about a bundle. Pure arithmetic.

Each household considers a few others drawn at random, so the work for one does not grow with the
population. The pairs with the largest estimated gains are taken first; a household is in one pair
at most. A gain is estimated from what offers disclose: values and limits.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from protocol.vectors import Array

CANDIDATES = 32
"""Number of others that a household considers in a round."""
PRICE_STEPS = 8
"""Number of times that the price on energy is halved in on."""
ROWS = 8
"""Number of households whose candidates are compared at once: few, for a processor's cache."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two households, by row, and their estimated gain, kWh^2."""

    first: int
    second: int
    gain_kwh2: float


def draw_candidates(households: int, chance: np.random.Generator) -> NDArray[np.intp]:
    """Return the others that each household considers, int[households, candidates]; all of them if
    they are few."""
    own = np.arange(households)[:, None]
    if households <= CANDIDATES + 1:
        drawn = np.broadcast_to(np.arange(households - 1), (households, households - 1))
    else:
        drawn = chance.integers(0, households - 1, (households, CANDIDATES))
    return np.asarray(drawn + (drawn >= own), dtype=np.intp)


def estimated_gains(
    values: Array, wanted: Array, *, first: NDArray[np.intp], second: NDArray[np.intp]
) -> Array:
    """Return the estimated joint gains of pairs of rows, float64[pairs], kWh^2.

    `values` and `wanted` are float64[households, slots], kWh: the values held and the estimated
    preferred values. An exchange at one slot changes both squared deviations together by
    2 * (value of second - value of first) * (wanted by second - wanted by first). Of all slots
    those are exchanged that gain at the price on energy at which about none moves. Slots that
    either does not trade have NaN as value.
    """
    energy = values[second] - values[first]
    own_price = wanted[second] - wanted[first]
    own_price *= 2
    untraded = np.isnan(energy)
    if untraded.any():
        energy[untraded] = own_price[untraded] = 0.0
    high = np.abs(own_price).max(axis=1)
    low = -high
    change = np.empty_like(energy)  # one array for all steps, for speed

    def at(price: Array) -> Array:
        np.add(own_price, price[:, None], out=change)
        return np.multiply(energy, change, out=change)

    for _ in range(PRICE_STEPS):
        price = (low + high) / 2
        moved = np.multiply(energy, at(price) < 0, out=change).sum(axis=1)
        low, high = np.where(moved > 0, price, low), np.where(moved > 0, high, price)
    return np.asarray(-np.minimum(at((low + high) / 2), 0.0).sum(axis=1))


def pair_up(
    values: Array,
    wanted: Array,
    *,
    candidates: NDArray[np.intp],
    excluded: NDArray[np.bool_],
    min_gain_kwh2: float,
) -> list[Pair]:
    """Return the pairs of a round, the largest estimated gain first.

    `excluded` is bool[households, candidates]. Of a pair, `first` is the household that considered
    `second`. Equal gains are ordered by row.
    """
    gains = np.zeros(candidates.shape)
    for start in range(0, len(candidates), ROWS):
        rows = slice(start, start + ROWS)
        second = candidates[rows]
        first = np.broadcast_to(np.arange(start, start + len(second))[:, None], second.shape)
        found = estimated_gains(values, wanted, first=first.ravel(), second=second.ravel())
        gains[rows] = found.reshape(second.shape)
    considered = ~excluded & (gains > min_gain_kwh2)
    first, column = considered.nonzero()
    second, gain = candidates[first, column], gains[first, column]
    free = np.ones(len(values), dtype=np.bool_)
    pairs = []
    for edge in np.lexsort((second, first, -gain)):
        a, b = int(first[edge]), int(second[edge])
        if free[a] and free[b]:
            free[a] = free[b] = False
            pairs.append(Pair(a, b, float(gain[edge])))
    return pairs
