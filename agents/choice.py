"""Which of several candidates: their combined cost, and how ties break (EPOS-SPEC section 3)."""

from collections.abc import Sequence

import numpy as np

from agents.chance import JavaRandom
from agents.costs import Arithmetic
from protocol.vectors import Array

_NOISE = 1e-9
"""A variance of discomforts below this is rounding."""


def unfairness(sums: Array, squares: Array, households: int, arithmetic: Arithmetic) -> Array:
    """Population standard deviation from sum and sum of squares (source, eq. 5): (m,) -> (m,)."""
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
    households: int,
    weights: tuple[float, float],
    arithmetic: Arithmetic,
) -> Array:
    """(1 - alpha - beta) * inefficiency + alpha * unfairness + beta * mean discomfort (source, eq.
    6, with the weight of unfairness): (m,) each -> (m,). `weights` is (alpha, beta)."""
    alpha, beta = weights
    if alpha == 0.0 and beta == 0.0:
        return inefficiency
    spread = unfairness(sums, squares, households, arithmetic)
    return (1.0 - alpha - beta) * inefficiency + alpha * spread + beta * sums / households


def choose(costs: Sequence[float], chance: JavaRandom) -> int:
    """Index of a smallest cost; each one that equals the smallest so far takes its place with
    probability 1 / (how many have equalled it). NaN is never chosen."""
    best, index, ties = float("nan"), -1, 0
    for candidate, cost in enumerate(costs):
        if cost > best:
            continue
        if cost == best:
            ties += 1
            if chance.next_double() <= 1.0 / ties:
                index = candidate
        elif cost < best or (index < 0 and cost == cost):
            best, index, ties = cost, candidate, 1
    if index < 0:
        raise ArithmeticError("no candidate has a cost that is a number")
    return index
