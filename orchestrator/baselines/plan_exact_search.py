"""A baseline for stage 1: the best selection of plans that exists, or a bound on its objective.

Pure: plans in, selection and bound out. SCIP (Bolusani et al. 2024) does the search;
`baseline_table` decides where it starts and which of its results are reported.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.planning.costs import EXACT, cost_function
from orchestrator.baselines.plan_descent import Choices, Selection, objective
from protocol.vectors import Array

VARIANCE = cost_function("var", None, "std", arithmetic=EXACT)
FEW = 1e12
"""Largest number of selections for which the formulation with products is used (as of 12 households
with ten plans each). It ends sooner then; beyond, the formulation with squares gives the better
bound within a minute (measured)."""
MOST = 50_000
"""Largest number of products, whatever the number of selections, because they take memory."""
TOLERANCE = 1e-5
"""Possible error of a proven bound, as a share of the objective at the start, which is the solver's
unit."""
FINEST = 1e-6
"""The unit is at least this share of the largest cost of a single plan, because the solver's
arithmetic is not precise enough for a smaller one."""


@dataclass(frozen=True, slots=True)
class Optimum:
    """The best selection found, and a proven bound on all others."""

    selection: Selection
    objective: float
    bound: float
    """A lower bound on the objective of every selection (within TOLERANCE); equal to `objective` if
    the search was completed."""

    @property
    def proven(self) -> bool:
        """True if the selection is proven to be the optimum."""
        return self.bound >= self.objective

    @property
    def gap(self) -> float:
        """Largest possible improvement by a better selection, as a share of the objective."""
        return 0.0 if self.proven else (self.objective - self.bound) / self.objective


def best_selection(
    choices: Choices, beta: float, start: Selection, *, seconds: float, least: float = 0.0
) -> Optimum:
    """Search from `start` for the selection with the least objective (`plan_descent.objective`), if
    the inefficiency is the cost `var`.

    The search ends after at most `seconds`. `least` is a known lower bound on the variance of every
    selection. The model has one binary variable for each plan of each household. The result is
    the same each time, unless the time limit ends the search. Needs the extra `report`.
    """

    def value(selection: Selection) -> float:
        return objective(choices, VARIANCE, beta, selection=selection)

    known = value(start)
    floor = (1 - beta) * least + beta * float(np.mean([own.min() for own in choices.discomforts]))
    if known <= floor:
        return Optimum(start, known, known)
    problem = Problem.of(choices, beta)
    unit = max(known, FINEST * problem.own.max())
    model = _model(seconds)
    state = _by_products if problem.few else _by_squares
    chosen = state(model, problem, unit=unit, start=problem.selected(start))
    model.optimize()
    best = start
    if model.getNSols():
        shares = np.array([model.getVal(x) for x in chosen])
        parts = np.split(shares, np.cumsum(problem.counts)[:-1])
        best = min(start, np.array([own.argmax() for own in parts], np.intp), key=value)
    reached = value(best)
    if model.getStatus() == "optimal":
        return Optimum(best, reached, reached)
    below = max(floor, (model.getDualbound() - TOLERANCE) * unit)
    return Optimum(best, reached, min(below, reached))


@dataclass(frozen=True, slots=True)
class Problem:
    """The objective as x'Qx + c'x with Q = steps' steps; x is 1 for a selected plan, else 0."""

    counts: list[int]
    """Number of plans of each household; x has those of one household after another, N in all."""
    steps: Array
    """float64[d, N]: the scaled contribution of each plan to the deviation from the mean demand."""
    linear: Array
    """c, float64[N]."""

    @classmethod
    def of(cls, choices: Choices, beta: float) -> "Problem":
        """Return the problem of these choices, with the cost `var` as inefficiency."""
        plans = np.concatenate(choices.plans)
        away = (plans - plans.mean(1, keepdims=True)).T
        steps = away * np.sqrt((1 - beta) / len(away))
        counts = [len(own) for own in choices.plans]
        return cls(counts, steps, beta / len(counts) * np.concatenate(choices.discomforts))

    @property
    def few(self) -> bool:
        """True if there are few enough selections for the formulation with products."""
        counts = np.array(self.counts, np.float64)
        products = (counts.sum() ** 2 - (counts**2).sum()) / 2
        return bool(np.log10(counts).sum() <= np.log10(FEW) + 1e-9 and products <= MOST)

    @property
    def owners(self) -> NDArray[np.intp]:
        """The household of each x."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    @property
    def own(self) -> Array:
        """The cost of each plan without all others, float64[N]."""
        return np.asarray((self.steps**2).sum(0) + self.linear)

    def squares(self) -> tuple[Array, Array, float]:
        """Return R, c and a constant: the objective of every selection is |Rx|^2 + c'x + constant.

        x'x is the same for all selections, so part of it can move from the squares to the constant,
        as long as the rest stays convex on the plane where each household's x sum to 1. This raises
        the bound if there are few plans (the simplest case of Billionnet, Elloumi and Plateau
        2009).
        """
        from scipy.linalg import block_diag, null_space

        households, plans = len(self.counts), self.steps.shape[1]
        if plans - households >= len(self.steps):
            return self.steps, self.linear, 0.0
        # x = centre + moves @ u spans the plane where each household's x sum to 1.
        moves = block_diag(*(null_space(np.ones((1, count))) for count in self.counts))
        centre = np.repeat(1 / np.array(self.counts), self.counts)
        middle, inner = self.steps @ centre, self.steps @ moves
        values, vectors = np.linalg.eigh(inner.T @ inner)
        share = max(0.0, values.min()) if len(values) else 0.0
        rows = np.sqrt(np.maximum(values - share, 0))[:, None] * (moves @ vectors).T
        linear = self.linear + 2 * moves @ (inner.T @ middle)
        constant = middle @ middle + share * (households - centre @ centre)
        return rows[values > share], linear, float(constant)

    def selected(self, selection: Selection) -> Array:
        """Return the x of a selection, float64[N]."""
        x = np.zeros(self.steps.shape[1])
        x[np.cumsum([0, *self.counts[:-1]]) + selection] = 1
        return x


def _model(seconds: float) -> Any:
    """Return an empty model: without output, with one thread, and deterministic."""
    from pyscipopt import Model
    from pyscipopt.scip import PY_SCIP_PARAMSETTING

    model = Model()
    model.hideOutput()
    # The descent has found good selections already; the time is better spent on the bound.
    model.setHeuristics(PY_SCIP_PARAMSETTING.OFF)
    model.setParam("limits/time", seconds)
    model.setParam("randomization/randomseedshift", 0)
    return model


def _choice(model: Any, problem: Problem, costs: Array) -> list[Any]:
    """Add the binary variables x with linear costs; each household takes one plan."""
    from pyscipopt import quicksum

    chosen = [model.addVar(vtype="B", obj=cost) for cost in costs.tolist()]
    for own in np.split(np.array(chosen, object), np.cumsum(problem.counts)[:-1]):
        model.addCons(quicksum(own) == 1)
    return chosen


def _by_products(model: Any, problem: Problem, *, unit: float, start: Array) -> list[Any]:
    """Formulate the problem with a variable z for each product of two households' choices, and
    return the variables x.

    All terms are then linear: for plan i of one household, its z with all plans of another sum to
    x_i (Adams and Sherali 1986). This is tight for few households, but has about N^2 / 2 z.
    """
    from pyscipopt import quicksum

    chosen, owners = _choice(model, problem, problem.own / unit), problem.owners
    costs = 2 * problem.steps.T @ problem.steps / unit
    first = model.createSol()
    sums: dict[tuple[int, int], list[Any]] = {}
    for i, j in np.argwhere(owners[:, None] < owners[None, :]).tolist():
        z = model.addVar(lb=0, ub=1, obj=costs[i, j])
        sums.setdefault((i, owners[j]), []).append(z)
        sums.setdefault((j, owners[i]), []).append(z)
        model.setSolVal(first, z, start[i] * start[j])
    for (i, _), products in sums.items():
        model.addCons(quicksum(products) == chosen[i])
    for x, value in zip(chosen, start.tolist(), strict=True):
        model.setSolVal(first, x, value)
    model.addSol(first)
    return chosen


def _by_squares(model: Any, problem: Problem, *, unit: float, start: Array) -> list[Any]:
    """Formulate the problem as linear terms and a sum of squares of linear terms, which is convex,
    and return the variables x."""
    from pyscipopt import quicksum

    rows, linear, constant = problem.squares()
    rows = rows / np.sqrt(unit)
    chosen = _choice(model, problem, linear / unit)
    model.addObjoffset(constant / unit)
    first = model.createSol()
    for x, value in zip(chosen, start.tolist(), strict=True):
        model.setSolVal(first, x, value)
    deviations = []
    for row in rows:
        deviations.append(model.addVar(lb=None))
        terms = zip(row.tolist(), chosen, strict=True)
        model.addCons(quicksum(factor * x for factor, x in terms) == deviations[-1])
        model.setSolVal(first, deviations[-1], float(row @ start))
    total = model.addVar(lb=0, obj=1)
    model.addCons(quicksum(y * y for y in deviations) <= total)
    model.setSolVal(first, total, float(((rows @ start) ** 2).sum()))
    model.addSol(first)
    return chosen
