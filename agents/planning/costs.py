"""Inefficiency of a global plan: numpy kernels, batch first (m, d) -> (m,). No I/O, no state.

One kernel serves one candidate or a thousand: the result of a row does not depend on its batch, so
selections are the same however households are spread over processes. docs/protocol.md
("Decisions of stage 1") has the formulas; docs/epos.md lists where the arithmetic `epos` deviates
from them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from agents.plans import Plans
from protocol.terms import CostName, ScalingName
from protocol.vectors import Array

Total = Callable[[Array], Array]
Cost = Callable[[Array], Array]

_TINY = 1e-10
_SMALLEST = 4.9e-324


def pairwise(x: Array) -> Array:
    """Sum over the last axis in numpy's pairwise order: fast, with a small rounding error."""
    total: Array = np.add.reduce(x, -1)
    return total


def left_to_right(x: Array) -> Array:
    """Sum over the last axis strictly from left to right, as a loop would."""
    return np.asarray(np.add.accumulate(x, axis=-1)[..., -1])


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """The order in which numbers are added, whether EPOS's deviations are repeated (`coflex
    verify`), and people's own functions, which take the place of those that the terms name."""

    total: Total = pairwise
    epos: bool = False
    own_cost: Cost | None = None
    own_discomfort: Callable[[Plans], Array] | None = None
    weighs_sums: bool = False
    """True if alpha and beta weigh discomforts as one household feels them, not their means over
    all households: for discomforts of devices, where 1 is just acceptable."""


EXACT = Arithmetic()
COMPATIBLE = Arithmetic(total=left_to_right, epos=True)


def cost_function(
    name: CostName, target: Array | None, scaling: ScalingName, arithmetic: Arithmetic
) -> Cost:
    """Return the named cost function (m, d) -> (m,). `target` is float64[d] where the cost needs
    one. An own cost of the arithmetic takes its place."""
    if arithmetic.own_cost is not None:
        return arithmetic.own_cost
    kernels = _Kernels(arithmetic)
    goal = np.zeros(0) if target is None else target
    match name:
        case "var":
            return kernels.variance
        case "std":
            return kernels.deviation
        case "max":
            return lambda x: np.asarray(x.max(-1))
        case "dot":
            return lambda x: arithmetic.total(goal * x)
        case "sqr":
            return lambda x: arithmetic.total((x - goal) * (x - goal))
        case "residual":
            return lambda x: kernels.variance(x - goal)
        case "rmse":
            return kernels.rmse(goal)
        case "xcorr":
            return kernels.cross_correlation(goal)
        case "rss":
            return kernels.scaled_squares(goal, scaling)


class _Kernels:
    """The formulas of all costs, for one order of summation."""

    def __init__(self, arithmetic: Arithmetic) -> None:
        self.total, self.epos = arithmetic.total, arithmetic.epos

    def mean(self, x: Array) -> Array:
        return np.asarray(self.total(x) / x.shape[-1])

    def variance(self, x: Array) -> Array:
        """Return the population variance: (m, d) -> (m,)."""
        slots = x.shape[-1]
        centred = x - (self.total(x) / slots)[..., None]
        np.multiply(centred, centred, out=centred)
        return np.asarray(self.total(centred) / slots)

    def deviation(self, x: Array) -> Array:
        """Return the population standard deviation: (m, d) -> (m,)."""
        return np.sqrt(self.variance(x))

    def rmse(self, goal: Array) -> Cost:
        """Return the root mean squared error to the goal, which is shifted and stretched to the
        moments of x."""
        centred = goal - self.mean(goal)
        stretch = self.deviation(goal) + _TINY

        def cost(x: Array) -> Array:
            fitted = centred * (self.deviation(x) / stretch)[..., None] + self.mean(x)[..., None]
            error = fitted - x
            return np.asarray(np.sqrt(self.total(error * error) / x.shape[-1]))

        return cost

    def cross_correlation(self, goal: Array) -> Cost:
        """Return the negated correlation with the goal, so that less is better."""
        centred = goal - self.mean(goal)
        scale = goal.shape[-1] * self.deviation(goal)

        def cost(x: Array) -> Array:
            product = self.total((x - self.mean(x)[..., None]) * centred)
            return np.asarray(-(product / (scale * self.deviation(x) + _TINY)))

        return cost

    def scaled_squares(self, goal: Array, scaling: ScalingName) -> Cost:
        """Return the residual sum of squares between scaled response and scaled goal."""
        scale = self.scaling(scaling)
        # EPOS scales the goal before it has read the scaling option.
        aim = self.scaling("std")(goal) if self.epos else scale(goal)

        def cost(x: Array) -> Array:
            error = scale(x) - aim
            return self.total(error * error)

        return cost

    def scaling(self, name: ScalingName) -> Callable[[Array], Array]:
        match name:
            case "std":
                return self._standardise
            case "unit-length":
                return self._unit_length
            case "min-max":
                return self._min_max

    def _standardise(self, x: Array) -> Array:
        return np.asarray((x - self.mean(x)[..., None]) / (self.deviation(x) + _TINY)[..., None])

    def _unit_length(self, x: Array) -> Array:
        return np.asarray(x / (np.sqrt(self.total(x * x)) + _TINY)[..., None])

    def _min_max(self, x: Array) -> Array:
        low, high = x.min(-1)[..., None], x.max(-1)[..., None]
        if self.epos:
            # EPOS searches for the maximum from the smallest positive number upwards.
            high = np.maximum(high, _SMALLEST)
            return np.asarray((x - low) / (high - low))
        span = high - low
        return np.asarray((x - low) / np.where(span == 0, 1.0, span))
