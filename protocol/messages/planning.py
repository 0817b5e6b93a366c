"""Stage 1: the messages along the tree, and the progress reported to the orchestrator."""

from dataclasses import dataclass
from typing import NamedTuple

from protocol.domains import Finite, NotNegative, Positive, Step
from protocol.vectors import Array, Vector


class Aggregate(NamedTuple):
    """Sums over the households of a subtree, or over all households."""

    response: Array
    """Sum of the selected plans, float64[d], kWh."""
    discomfort: float
    """Sum of the discomforts."""
    discomfort_squares: float
    """Sum of the squares of the discomforts."""

    def plus(self, other: "Aggregate") -> "Aggregate":
        """Add the sums of two disjoint groups of households, the left operand first.

        Rounding depends on the order, so callers add in tree order.
        """
        return Aggregate(
            self.response + other.response,
            self.discomfort + other.discomfort,
            self.discomfort_squares + other.discomfort_squares,
        )


@dataclass(frozen=True, slots=True)
class Up:
    """Child to parent: the aggregate of the subtree in this iteration."""

    iteration: Step
    size: Positive
    """Number of households in the subtree."""
    response_kwh: Vector
    """Sum of the subtree's selected plans, kWh."""
    discomfort: Finite
    """Sum of the subtree's discomforts."""
    discomfort_squares: NotNegative
    attempt: Positive = 1
    """The attempt, as in Place; messages of another attempt are ignored."""

    @property
    def sums(self) -> Aggregate:
        """The sums that this message carries."""
        return Aggregate(self.response_kwh, self.discomfort, self.discomfort_squares)


@dataclass(frozen=True, slots=True)
class Down:
    """Parent to child: the global plan after this iteration, and whether the child's change is
    approved."""

    iteration: Step
    response_kwh: Vector
    """The global plan g, kWh."""
    discomfort: Finite
    """Sum of the discomforts of all households."""
    discomfort_squares: NotNegative
    approved: bool
    reorganise: bool
    """True if the next iteration runs on the next tree."""
    attempt: Positive = 1

    @property
    def sums(self) -> Aggregate:
        """The sums that this message carries."""
        return Aggregate(self.response_kwh, self.discomfort, self.discomfort_squares)


class Iteration(NamedTuple):
    """The measures of the global plan after one iteration, as the root computes them."""

    iteration: Step
    inefficiency: Finite
    unfairness: Finite
    mean_discomfort: Finite
    cost: Finite


@dataclass(frozen=True, slots=True)
class Progress:
    """Root to orchestrator, once per iteration, for display only: nothing waits for it."""

    iteration: Iteration
