"""Hard constraints: bounds on the global plan, or on the costs (docs/epos.md).

From the second iteration on, the candidates with the smallest violation are kept before any cost is
compared, both when plans are selected and when changes of children are approved. In the first
iteration households know only their own subtree, and the slack replaces the cost. With
`Arithmetic.epos` the constraint is a penalty on the inefficiency instead, as in EPOS.
"""

import math
from typing import NamedTuple

import numpy as np

from agents.planning.costs import Arithmetic
from agents.planning.tie_breaking import combined_cost, unfairness
from protocol.terms import HardConstraint, Limit
from protocol.vectors import Array

AT_MOST, AT_LEAST, EQUAL = 1, 2, 3


class Candidates(NamedTuple):
    """The outcome of each of m candidates: global plans (m, d), and three measures (m,)."""

    response: Array
    inefficiency: Array
    sums: Array
    squares: Array


class Judgement(NamedTuple):
    """The inefficiencies to compare, and the candidates that are excluded (bool[m], or None for
    none)."""

    inefficiency: Array
    excluded: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] | None


def judge(
    constraint: HardConstraint,
    candidates: Candidates,
    *,
    first: bool,
    known: int,
    households: int,
    weights: tuple[float, float],
    arithmetic: Arithmetic,
) -> Judgement:
    """Apply the constraint to the candidates.

    `known` is the number of households that the sums cover, `households` the number in the whole
    run; they differ in the first iteration only.
    """
    bounded = _bounded(constraint, candidates, known, households, weights, arithmetic)
    if first:
        return Judgement(_first_cost(constraint, bounded, households, arithmetic), None)
    violation = _violation(constraint, bounded, arithmetic)
    if arithmetic.epos:
        penalised = np.where(violation > 0, households * violation, candidates.inefficiency)
        return Judgement(penalised, None)
    return Judgement(candidates.inefficiency, violation > violation.min())


def _bounded(
    constraint: HardConstraint,
    candidates: Candidates,
    known: int,
    households: int,
    weights: tuple[float, float],
    arithmetic: Arithmetic,
) -> Array:
    """Return the values that the limits apply to: (m, d), or (m, 4) for a constraint on costs."""
    if constraint.kind == "plans":
        return candidates.response
    spread = unfairness(candidates.sums, candidates.squares, known, arithmetic)
    # EPOS divides by the number of all households even where it knows only its subtree.
    mean = candidates.sums / (households if arithmetic.epos else known)
    if arithmetic.epos:
        alpha, beta = weights
        cost = alpha * spread + beta * mean + (1.0 - alpha - beta) * candidates.inefficiency
    else:
        cost = combined_cost(
            candidates.inefficiency, candidates.sums, candidates.squares, known, weights, arithmetic
        )
    return np.stack([mean, candidates.inefficiency, spread, cost], axis=-1)


def _first_cost(
    constraint: HardConstraint, bounded: Array, households: int, arithmetic: Arithmetic
) -> Array:
    """Return the cost that replaces the inefficiency while only the own subtree is known."""
    if len(constraint.limits) == 2:
        low, high = constraint.limits
        counted = (np.array(low.mode) != 0) | (np.array(high.mode) != 0)
        distance = np.where(counted, (low.bound + high.bound) / 2.0 - bounded, 0.0)
        return np.sqrt(arithmetic.total(distance * distance))
    (limit,) = constraint.limits
    mode = np.array(limit.mode)
    apart = 2.0 * np.abs(limit.bound - bounded)
    slack = np.select(
        [mode == AT_MOST, mode == AT_LEAST, mode == EQUAL],
        # EPOS rewards the distance from a value that should be met exactly.
        [limit.bound - bounded, bounded - limit.bound, apart if arithmetic.epos else -apart],
        0.0,
    )
    slacks: list[float] = (arithmetic.total(slack) / households).tolist()
    return np.array([_inverse_exp(value) for value in slacks])


def _inverse_exp(x: float) -> float:
    """Return 1 / exp(x) for the comparison of costs.

    Not numpy's exp: its last bits differ between processors, and a tie may depend on them. This one
    nearly always has the bits of Java's.
    """
    try:
        return 1.0 / math.exp(x)
    except OverflowError:
        return 0.0
    except ZeroDivisionError:
        return math.inf


def _violation(constraint: HardConstraint, bounded: Array, arithmetic: Arithmetic) -> Array:
    """Return how far each candidate exceeds the limits, summed over components: (m,)."""
    parts = [excess(limit, bounded) for limit in constraint.limits]
    if len(parts) == 1:
        return arithmetic.total(parts[0])
    both = parts[0] + parts[1]
    if arithmetic.epos:
        # EPOS skips a component whose first mode is 0, whatever the second one is.
        both = np.where(np.array(constraint.limits[0].mode) == 0, 0.0, both)
    return arithmetic.total(both)


def excess(limit: Limit, bounded: Array) -> Array:
    """Return how far values are beyond a limit in each component: (..., m) -> (..., m)."""
    mode = np.array(limit.mode)
    over = bounded - limit.bound
    return np.asarray(
        np.select(
            [mode == AT_MOST, mode == AT_LEAST, mode == EQUAL],
            [np.maximum(0.0, over), np.maximum(0.0, -over), np.abs(over)],
            0.0,
        )
    )
