"""Baselines for stage 1: what a planner with full knowledge of all plans could select.

Pure: plans in, selections out. `results.measures` judges the selections. The baselines for stage 2
are in `exchange_assignment`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.planning.costs import Cost
from agents.plans import Plans
from protocol.terms import DiscomfortName
from protocol.vectors import Array

STARTS = 10
"""Number of starts of coordinate descent."""
Selection = NDArray[np.intp]
"""The index of each household's plan, intp[n]."""


@dataclass(frozen=True, slots=True)
class Choices:
    """The plans of all households, float64[k, d] each, and the discomfort of each plan as beta
    weighs its mean, float64[k]."""

    plans: Sequence[Array]
    discomforts: Sequence[Array]

    @classmethod
    def of(cls, households: Sequence[Plans], discomfort: DiscomfortName) -> "Choices":
        """Return the choices of these households, with discomforts by this measure. Those of
        devices are weighed as each household feels them, not by their mean."""
        weight = len(households) if discomfort == "device" else 1
        return cls(
            plans=[own.values for own in households],
            discomforts=[weight * own.discomforts(discomfort) for own in households],
        )

    def demand(self, selection: Selection) -> Array:
        """Return the sum of the selected plans, float64[d], kWh."""
        chosen = [plans[place] for plans, place in zip(self.plans, selection, strict=True)]
        return np.asarray(np.sum(chosen, axis=0))


@dataclass(frozen=True, slots=True)
class Descent:
    """The end of a coordinate descent."""

    selection: Selection
    inefficiency: float
    sweeps: int
    """Number of passes over all households; the last one changed nothing."""


def random_selection(choices: Choices, chance: np.random.Generator) -> Selection:
    """Draw a plan for each household, with equal probabilities."""
    return np.array([chance.integers(len(plans)) for plans in choices.plans], np.intp)


def objective(choices: Choices, cost: Cost, beta: float, selection: Selection) -> float:
    """Return (1 - beta) * inefficiency + beta * mean discomfort: the cost of stage 1 for all
    households together, without unfairness (paper, eq. 6; `agents.planning.costs`)."""
    own = [each[place] for each, place in zip(choices.discomforts, selection, strict=True)]
    return float((1 - beta) * cost(choices.demand(selection)) + beta * np.mean(own))


def starts(preferred: Selection, choices: Choices, chance: np.random.Generator) -> list[Selection]:
    """Return STARTS selections at which descents begin: the preferred plans and random ones."""
    return [preferred, *(random_selection(choices, chance) for _ in range(STARTS - 1))]


def descend(
    choices: Choices, cost: Cost, beta: float, *, start: Selection, chance: np.random.Generator
) -> Descent:
    """Run centralised coordinate descent: one household after another, in random order, takes the
    plan that is best given the current plans of all others, until a whole sweep changes nothing.

    The cost of a choice is `objective`, less the discomfort of all others, which is the same for
    every plan.
    """
    selection, total = start.copy(), choices.demand(start)
    weight = beta / len(selection)
    sweeps, changed = 0, True
    while changed:
        changed, sweeps = False, sweeps + 1
        for household in chance.permutation(len(selection)):
            plans, now = choices.plans[household], selection[household]
            others = total - plans[now]
            costs = (1 - beta) * cost(others + plans) + weight * choices.discomforts[household]
            best = int(costs.argmin())
            # Only what is really better, or rounding would move it for ever.
            if costs[best] < costs[now] * (1 - 1e-12):
                selection[household], total, changed = best, others + plans[best], True
    return Descent(selection, float(cost(choices.demand(selection))), sweeps)


def best_descent(
    choices: Choices, cost: Cost, beta: float, *, starts: Sequence[Selection], seed: int
) -> Descent:
    """Descend from each of `starts` and return the descent that ends with the least objective."""
    chance = np.random.default_rng(seed)
    return min(
        (descend(choices, cost, beta, start=start, chance=chance) for start in starts),
        key=lambda ended: objective(choices, cost, beta, selection=ended.selection),
    )


def least_variance(choices: Choices) -> float:
    """Return a lower bound on the variance of every selection: the optimum of the relaxation in
    which a household may mix its plans in any proportion.

    This is a convex quadratic program, solved by Clarabel (interior point; Goulart and Chen 2024).
    Needs the extra `report`.
    """
    import clarabel
    from scipy import sparse

    plans = np.concatenate(choices.plans)
    counts = [len(own) for own in choices.plans]
    slots, mixed = plans.shape[1], len(plans)
    away = (plans - plans.mean(1, keepdims=True)).T  # what each plan adds to the deviations
    # Variables: the share of each plan, then the deviation of each slot from the mean demand.
    cost = sparse.block_diag(
        [sparse.csc_array((mixed, mixed)), 2 / slots * sparse.identity(slots)], "csc"
    )
    belongs = np.repeat(np.arange(len(counts)), counts)
    whole = sparse.csc_array((np.ones(mixed), (belongs, np.arange(mixed))), (len(counts), mixed))
    none = sparse.csc_array((len(counts), slots))
    positive = sparse.hstack([-sparse.identity(mixed), sparse.csc_array((mixed, slots))])
    rows = sparse.vstack(
        [
            sparse.hstack([whole, none]),
            sparse.hstack([sparse.csc_array(away), -sparse.identity(slots)]),
            positive,
        ],
        "csc",
    )
    right = np.concatenate([np.ones(len(counts)), np.zeros(slots), np.zeros(mixed)])
    cones = [clarabel.ZeroConeT(len(counts) + slots), clarabel.NonnegativeConeT(mixed)]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    linear = np.zeros(mixed + slots)
    solved = clarabel.DefaultSolver(cost, linear, rows, right, cones, settings).solve()
    # The dual value is a lower bound even if the solver stopped slightly before the optimum.
    return max(0.0, float(solved.obj_val_dual))
