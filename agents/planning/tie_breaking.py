"""The choice among candidates: their combined cost, and how ties break (docs/protocol.md, Ties)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agents.planning.costs import Arithmetic
from agents.planning.java_random import JavaRandom, JavaRandoms
from protocol.vectors import Array

_NOISE = 1e-9
"""A variance of discomforts below this is rounding."""


Weights = tuple[float, float] | tuple[Array, Array]
"""Weights alpha and beta: of one household, or of many, in a shape that broadcasts with their
costs."""


def unfairness(
    sums: Array, squares: Array, households: int | NDArray[np.int64], arithmetic: Arithmetic
) -> Array:
    """Return the population standard deviation from the sum and the sum of squares (source, eq. 5):
    (m,) -> (m,)."""
    mean = sums / households
    variance = squares / households - mean * mean
    variance = np.where(np.abs(variance) < _NOISE, 0.0, variance)
    if not arithmetic.epos:
        variance = np.maximum(variance, 0.0)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.sqrt(variance))


def combined_cost(
    inefficiency: Array,
    sums: Array,
    squares: Array,
    households: int | NDArray[np.int64],
    weights: Weights,
    arithmetic: Arithmetic,
) -> Array:
    """Return (1 - alpha - beta) * inefficiency + alpha * unfairness + beta * mean discomfort
    (source, eq. 6, with the weight of unfairness): (m,) each -> (m,), or any shapes that
    broadcast. If the arithmetic weighs sums, the latter two are multiplied by `households`."""
    alpha, beta = weights
    many = isinstance(alpha, np.ndarray)
    if not many and alpha == 0.0 and beta == 0.0:
        return inefficiency
    spread = unfairness(sums, squares, households, arithmetic)
    cost = (1.0 - alpha - beta) * inefficiency
    if arithmetic.weighs_sums:
        cost = cost + alpha * spread * households + beta * sums
    else:
        cost = cost + alpha * spread + beta * sums / households
    if not many:
        return np.asarray(cost)
    return np.where((alpha == 0.0) & (beta == 0.0), inefficiency, cost)


def choose(costs: Sequence[float], chance: JavaRandom) -> int:
    """Return the index of a smallest cost.

    Each cost that equals the smallest so far takes its place with probability 1 / (number of equal
    ones so far). NaN is never chosen.
    """
    best, index, ties = float("nan"), -1, 0
    for candidate, cost in enumerate(costs):
        if cost > best:
            continue
        if cost == best:
            ties += 1
            if chance.next_double() <= 1.0 / ties:
                index = candidate
        elif cost == cost:  # less than the best, or the first that is a number
            best, index, ties = cost, candidate, 1
    if index < 0:
        raise ArithmeticError("no candidate has a cost that is a number")
    return index


def choose_each(costs: Array, chances: JavaRandoms, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Do the same as `choose` for many rows at once: costs float64[r, m], generators `rows` int[r]
    -> int[r].

    Choices and random draws are the same as one by one.
    """
    least = np.fmin.accumulate(costs, axis=1)
    if np.isnan(least[:, -1]).any():
        raise ArithmeticError("no candidate has a cost that is a number")
    chosen: NDArray[np.intp] = (costs == least[:, -1:]).argmax(1)
    equal = np.equal(costs[:, 1:], least[:, :-1])
    tied = np.flatnonzero(equal.any(1))
    if len(tied):
        chosen[tied] = _break_ties(least[tied], equal[tied], chances, rows[tied])
    return chosen


def _break_ties(
    least: Array, equal: NDArray[np.bool_], chances: JavaRandoms, rows: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Scan the rows as `choose` does, all in step; `equal` has the candidates from the second
    on."""
    before, after = least[:, :-1], least[:, 1:]
    lower = (after < before) | (np.isnan(before) & ~np.isnan(after))
    index, ties = np.zeros(len(rows), dtype=np.intp), np.ones(len(rows))
    for candidate in np.flatnonzero((equal | lower).any(0)):
        draws = np.flatnonzero(equal[:, candidate])
        if len(draws):
            ties[draws] += 1.0
            taken = chances.next_double(rows[draws]) <= 1.0 / ties[draws]
            index[draws[taken]] = candidate + 1
        index[lower[:, candidate]] = candidate + 1
        ties[lower[:, candidate]] = 1.0
    return index
