"""A baseline for stage 1: the best selection of plans that exists, or a bound on how far it is
away.

Pure: plans in, selection and bound out. SCIP (Bolusani et al. 2024) does the search; where it
starts and what is reported of its end is decided in `baseline_table`.
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
"""Up to so many selections (12 households with ten plans each) the formulation with products ends
sooner; beyond, the one with squares gives the better bound within a minute (measured)."""
MOST = 50_000
"""Never more products than this, whatever the number of selections: they take memory."""
TOLERANCE = 1e-5
"""The solver's unit is the objective where it starts; what it proves may be wrong by this share."""
FINEST = 1e-6
"""The unit is at least this share of the largest cost that a plan has by itself, or the solver's
arithmetic would end before the objective's digits."""


@dataclass(frozen=True, slots=True)
class Optimum:
    """The best selection found, and what is proven about all others."""

    selection: Selection
    objective: float
    bound: float
    """No selection has a smaller objective; the objective itself, where the search was completed
    (to within TOLERANCE)."""

    @property
    def proven(self) -> bool:
        """True if the selection is proven to be the optimum."""
        return self.bound >= self.objective

    @property
    def gap(self) -> float:
        """The share of the objective by which a better selection might be below it."""
        return 0.0 if self.proven else (self.objective - self.bound) / self.objective


def best_selection(
    choices: Choices, beta: float, start: Selection, *, seconds: float, least: float = 0.0
) -> Optimum:
    """Search from `start` for the selection with the least objective (`plan_descent.objective`)
    where inefficiency is the cost `var`. The search ends after `seconds` at most; `least` is a
    variance known to be below that of every selection. Needs the extra `report`.

    One binary variable for each plan of each household. The result is the same each time, unless
    the time ends the search.
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
    """The objective as x'Qx + c'x with Q = steps' steps; x: 1 where a plan is selected, else 0."""

    counts: list[int]
    """The plans of each household; x has them one household after another, N in all."""
    steps: Array
    """float64[d, N]: what each plan adds to the deviation from the mean demand, scaled."""
    linear: Array
    """c, float64[N]."""

    @classmethod
    def of(cls, choices: Choices, beta: float) -> "Problem":
        """State the problem of these choices, with `var` as inefficiency."""
        plans = np.concatenate(choices.plans)
        away = (plans - plans.mean(1, keepdims=True)).T
        steps = away * np.sqrt((1 - beta) / len(away))
        counts = [len(own) for own in choices.plans]
        return cls(counts, steps, beta / len(counts) * np.concatenate(choices.discomforts))

    @property
    def few(self) -> bool:
        """True if the selections are few enough for the formulation with products."""
        counts = np.array(self.counts, np.float64)
        products = (counts.sum() ** 2 - (counts**2).sum()) / 2
        return bool(np.log10(counts).sum() <= np.log10(FEW) + 1e-9 and products <= MOST)

    @property
    def owners(self) -> NDArray[np.intp]:
        """The household of each x."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    @property
    def own(self) -> Array:
        """The cost of each plan by itself."""
        return np.asarray((self.steps**2).sum(0) + self.linear)

    def squares(self) -> tuple[Array, Array, float]:
        """Return R, c and a constant: the objective of every selection is |Rx|^2 + c'x + constant.

        x'x is the same for all selections, so a share of it may go from the squares to the
        constant: as much as leaves the rest convex where each household's x sum to 1. That raises
        the bound (the simplest case of Billionnet, Elloumi and Plateau 2009), if plans are few.
        """
        from scipy.linalg import block_diag, null_space

        households, plans = len(self.counts), self.steps.shape[1]
        if plans - households >= len(self.steps):
            return self.steps, self.linear, 0.0
        # x = centre + moves @ u: the ways to go on the plane where each household's x sum to 1.
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
        """Return x of a selection, float64[N]."""
        x = np.zeros(self.steps.shape[1])
        x[np.cumsum([0, *self.counts[:-1]]) + selection] = 1
        return x


def _model(seconds: float) -> Any:
    """Return an empty model: silent, one thread, the same search each time."""
    from pyscipopt import Model
    from pyscipopt.scip import PY_SCIP_PARAMSETTING

    model = Model()
    model.hideOutput()
    # Descent has looked for good selections; the time is better spent on the bound.
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
    """State the problem with a variable z for each product of two households' choices, so that all
    is linear: for plan i of one household, its z with all plans of another sum to x_i (Adams and
    Sherali 1986). Tight for few households; there are about N^2 / 2 of z."""
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
    """State the problem as linear terms and a sum of squares of linear terms, which is convex."""
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
