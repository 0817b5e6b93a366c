"""The decisions of many households at once: plan_selection.py in arrays, with equal results.

A batch is a run of households of one level with the same number of children, one household per row.
Invariant: each number of a row comes from the same operations in the same order as in
`PlanSelection`. Hard constraints and reorganised trees are not handled here.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents.planning.costs import Arithmetic, Cost, cost_function
from agents.planning.java_random import JavaRandom, JavaRandoms
from agents.planning.tie_breaking import Weights, choose_each, combined_cost
from protocol.messages.planning import Aggregate
from protocol.terms import Terms
from protocol.vectors import Array

Rows = NDArray[np.intp]
Flags = NDArray[np.bool_]

BLOCK = 1 << 17
"""Numbers weighed at a time (slots of candidates), so that they fit in a processor's cache."""


class Aggregates(NamedTuple):
    """Aggregates in arrays: one per household (float64[m, d], and twice float64[m]), or one per
    child (float64[m, c, d], and twice float64[m, c])."""

    response: Array
    discomfort: Array
    discomfort_squares: Array


class Row(NamedTuple):
    """The plans, weights and random generator of one household, as input to a batch."""

    plans: Array
    """float64[k, d]"""
    discomforts: Array
    """float64[k]"""
    terms: Terms
    chance: JavaRandom
    selected: int = -1
    """Index of the plan that the first iteration keeps; -1 for none. Rows of a batch have one all
    or none."""


class _Choices(NamedTuple):
    """The choices of all households in an iteration, to which they may have to return."""

    selected: Rows
    below: Aggregates
    accepted: Aggregates


class HouseholdBatch:
    """A batch of m households with c children each; an iteration: `bottom_up`, then `top_down`."""

    def __init__(
        self, rows: Sequence[Row], children: int, households: int, arithmetic: Arithmetic
    ) -> None:
        first = rows[0].terms
        self._households, self._arithmetic, self._children = households, arithmetic, children
        self._cost: Cost = cost_function(first.cost, first.target, first.scaling, arithmetic)
        self._chances = JavaRandoms([row.chance for row in rows])
        self._every = np.arange(len(rows))
        self._alpha = np.array([[row.terms.alpha] for row in rows])
        self._beta = np.array([[row.terms.beta] for row in rows])
        self._weighs_discomfort = bool(self._alpha.any() or self._beta.any())
        most, slots = max(len(row.plans) for row in rows), rows[0].plans.shape[1]
        self._plans = np.empty((len(rows), most, slots))
        self._discomforts = np.zeros((len(rows), most))
        for index, row in enumerate(rows):
            self._plans[index, : len(row.plans)] = row.plans
            self._plans[index, len(row.plans) :] = row.plans[0]  # padding: never chosen
            self._discomforts[index, : len(row.plans)] = row.discomforts
        counts = np.array([[len(row.plans)] for row in rows])
        self._lacking = np.arange(most) >= counts
        self._costs = np.zeros((len(rows), most))
        self._weighed: Aggregates | None = None
        """The aggregates for which the costs of the plans were last computed; most iterations
        change nothing."""
        zeros = np.zeros(len(rows))
        self._zero = Aggregates(np.zeros((len(rows), slots)), zeros, zeros)
        selected = np.array([row.selected for row in rows], dtype=np.intp)
        self._now = self._before = _Choices(selected, self._zero, self._zero)
        self._global: Aggregate | None = None
        self.flags: Flags = np.ones((len(rows), children), dtype=bool)
        """Approval of each child's change in this iteration: bool[m, c]."""

    @property
    def selected(self) -> Rows:
        """Index of each selected plan, -1 before the first iteration: int[m]."""
        return self._now.selected

    @property
    def generator_states(self) -> list[int]:
        """The states of the generators that break ties."""
        return self._chances.states

    def bottom_up(self, received: Aggregates | None, known: NDArray[np.int64]) -> Aggregates:
        """Decide on the children's changes and on the own plans. Returns the sums of the subtrees.

        `received` has the children's aggregates (float64[m, c, d] and twice float64[m, c]), or is
        None if there are no children. `known` (int[m, 1]) is the number of households that each
        row's sums cover: its own subtree in the first iteration, then all households.
        """
        before = self._before = self._now
        below, accepted = before.below, before.accepted
        if received is not None:
            if self._global is None:
                accepted = Aggregates(*(part.copy() for part in received))
                below = self._sum(accepted)
            else:
                below, accepted = self._approve(self._global, before, received)
        selected = self._select(before, below, known)
        self._now = _Choices(selected, below, accepted)
        discomfort = self._discomforts[self._every, selected]
        return Aggregates(
            below.response + self._plans[self._every, selected],
            below.discomfort + discomfort,
            below.discomfort_squares + discomfort * discomfort,
        )

    def top_down(self, everybody: Aggregate, approved: Flags) -> None:
        """Take the global plan. Rows whose change is not `approved` (bool[m]) return to their
        previous choice."""
        self._global = everybody
        if approved.all():
            return
        keep, undone = approved[:, None], ~approved
        now, before = self._now, self._before
        self.flags = self.flags & keep
        selected = np.where(approved, now.selected, before.selected)
        if now.accepted is not before.accepted:
            for mine, old in zip(
                (*now.below, *now.accepted), (*before.below, *before.accepted), strict=True
            ):
                mine[undone] = old[undone]
        self._now = _Choices(selected, now.below, now.accepted)

    def _approve(
        self, whole: Aggregate, before: _Choices, received: Aggregates
    ) -> tuple[Aggregates, Aggregates]:
        """Choose which of the children's changes to take, among all combinations of old and new."""
        old = before.accepted
        same = (
            (old.response == received.response).all((1, 2))
            & (old.discomfort == received.discomfort).all(1)
            & (old.discomfort_squares == received.discomfort_squares).all(1)
        )
        combinations = 1 << self._children
        combination = np.zeros(len(self._every), dtype=np.intp)
        unchanged, changed = same.nonzero()[0], (~same).nonzero()[0]
        if len(unchanged):  # all combinations give the same result: a tie of all
            ties = np.zeros((len(unchanged), combinations))
            combination[unchanged] = choose_each(ties, self._chances, unchanged)
        for rows in self._blocks(changed, combinations):
            costs = self._cost_of_combinations(whole, rows, old, received)
            combination[rows] = choose_each(costs, self._chances, rows)
        self.flags = (combination[:, None] >> np.arange(self._children) & 1).astype(bool)
        if not len(changed):
            return before.below, old
        accepted = Aggregates(
            np.where(self.flags[:, :, None], received.response, old.response),
            np.where(self.flags, received.discomfort, old.discomfort),
            np.where(self.flags, received.discomfort_squares, old.discomfort_squares),
        )
        return self._sum(accepted), accepted

    def _cost_of_combinations(
        self, whole: Aggregate, rows: Rows, old: Aggregates, new: Aggregates
    ) -> Array:
        """Return the cost of each combination, float64[r, 2^c]; the first child is the least
        significant bit."""
        combinations = 1 << self._children
        was, now = old.response[rows], new.response[rows]
        others: Array = whole.response - was[:, 0]
        for child in range(1, self._children):
            others = others - was[:, child]
        responses = np.zeros((len(rows), combinations, was.shape[-1]))
        for child in range(self._children):
            _double(responses, was[:, child, None], now[:, child, None], child)
        responses += others[:, None]
        sums = squares = np.zeros((len(rows), combinations))
        if self._weighs_discomfort:
            sums = _totals(whole.discomfort, old.discomfort[rows], new.discomfort[rows])
            squares = _totals(
                whole.discomfort_squares,
                old.discomfort_squares[rows],
                new.discomfort_squares[rows],
            )
        return self._weigh(responses, sums, squares, self._households, rows)

    def _select(self, before: _Choices, below: Aggregates, known: NDArray[np.int64]) -> Rows:
        """Select the own plans: the best ones given the plans of all others."""
        whole = self._global
        if whole is None and before.selected[0] >= 0:
            return before.selected  # as in `PlanSelection`, the first iteration keeps the plans
        if whole is None:
            base = below
        else:
            own = self._discomforts[self._every, before.selected]
            response: Array = whole.response - self._plans[self._every, before.selected]
            if self._children:  # without children the sums are zeros
                response = response - before.below.response + below.response
            base = Aggregates(
                response,
                whole.discomfort - before.below.discomfort + below.discomfort - own,
                whole.discomfort_squares
                - before.below.discomfort_squares
                + below.discomfort_squares
                - own * own,
            )
        for rows in self._blocks(self._every, self._plans.shape[1]):
            self._weigh_plans(base, rows, known if whole is None else None)
        # Costs over the own subtree alone are not kept: they occur in the first iteration only.
        self._weighed = None if whole is None else base
        return choose_each(self._costs, self._chances, self._every)

    def _weigh_plans(self, base: Aggregates, rows: Rows, known: NDArray[np.int64] | None) -> None:
        """Recompute the costs of the plans of these rows."""
        block = slice(rows[0], rows[-1] + 1)
        if self._weighed is not None and all(
            np.array_equal(new[block], last[block])
            for new, last in zip(base, self._weighed, strict=True)
        ):
            return
        discomforts = self._discomforts[block]
        costs = self._weigh(
            base.response[block, None] + self._plans[block],
            base.discomfort[block, None] + discomforts,
            base.discomfort_squares[block, None] + discomforts * discomforts,
            self._households if known is None else known[block],
            rows,
        )
        self._costs[block] = np.where(self._lacking[block], np.nan, costs)

    def _weigh(
        self,
        responses: Array,
        sums: Array,
        squares: Array,
        known: int | NDArray[np.int64],
        rows: Rows,
    ) -> Array:
        """Return combined costs: float64[r, m, d], float64[r, m] twice -> float64[r, m]."""
        count, candidates, slots = responses.shape
        inefficiency = self._cost(responses.reshape(count * candidates, slots))
        weights: Weights = (0.0, 0.0)
        if self._weighs_discomfort:
            weights = (self._alpha[rows], self._beta[rows])
        return combined_cost(
            inefficiency.reshape(count, candidates), sums, squares, known, weights, self._arithmetic
        )

    def _sum(self, parts: Aggregates) -> Aggregates:
        """Return the sum of each row's parts, added in their order."""
        response, total, squares = self._zero
        for child in range(self._children):
            response = response + parts.response[:, child]
            total = total + parts.discomfort[:, child]
            squares = squares + parts.discomfort_squares[:, child]
        return Aggregates(response, total, squares)

    def _blocks(self, rows: Rows, candidates: int) -> Iterator[Rows]:
        """Yield the rows in blocks, so that the candidates of a block stay small."""
        step = max(1, BLOCK // (candidates * self._plans.shape[2]))
        for start in range(0, len(rows), step):
            yield rows[start : start + step]


def _double(combined: Array, old: Array, new: Array, child: int) -> None:
    """Add the child's old sums to the combinations so far, and its new sums to a second copy of
    them."""
    width = 1 << child
    np.add(combined[:, :width], new, out=combined[:, width : 2 * width])
    np.add(combined[:, :width], old, out=combined[:, :width])


def _totals(whole: float, old: Array, new: Array) -> Array:
    """Return the sums over all households for each combination: float64[r, c] twice -> float64[r,
    2^c]."""
    others = np.full(len(old), whole)
    combined = np.zeros((len(old), 1 << old.shape[1]))
    for child in range(old.shape[1]):
        others = others - old[:, child]
        _double(combined, old[:, child, None], new[:, child, None], child)
    return others[:, None] + combined
