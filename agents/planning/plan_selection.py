"""Plan selection: the decisions of one household in stage 1 (I-EPOS; docs/epos.md).

Pure arithmetic on the sums from the children and the answer of the parent. Which messages carry
them, and when, is decided in stage.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agents.feeder_sums import of_all
from agents.planning.costs import Arithmetic, Cost, cost_function
from agents.planning.hard_constraints import Candidates, judge
from agents.planning.java_random import JavaRandom
from agents.planning.tie_breaking import choose, combined_cost, unfairness
from protocol.messages.planning import Aggregate
from protocol.terms import Terms
from protocol.vectors import Array

Summary = tuple[float, float, float, float]
"""Inefficiency, unfairness, mean discomfort and combined cost (the root's weights)."""


@dataclass(slots=True)
class _Choice:
    """The choice of a household in an iteration, to which it may have to return."""

    selected: int
    """Index of the selected plan; -1 for none yet, which counts as a plan of zeros without
    discomfort."""
    below: Aggregate
    """Sum of the children's aggregates."""
    accepted: tuple[Aggregate, ...]
    """The aggregate taken from each child: its new one or its old one."""


class PlanSelection:
    """The plan selection of one household.

    Each iteration calls `bottom_up`, then `top_down`. Invariant: between iterations `_now` is the
    choice that the whole tree agreed on, and the global plan contains it.
    """

    __slots__ = (
        "_arithmetic",
        "_before",
        "_chance",
        "_constraint",
        "_cost",
        "_discomforts",
        "_discomforts_squared",
        "_flags",
        "_fresh",
        "_global",
        "_households",
        "_last",
        "_now",
        "_plans",
        "_weighs_discomfort",
        "_weights",
        "_zero",
    )

    def __init__(
        self,
        plans: Array,
        discomforts: Array,
        terms: Terms,
        households: int,
        chance: JavaRandom,
        arithmetic: Arithmetic,
        selected: int = -1,
    ) -> None:
        """Start without a selected plan, or with one that the first iteration keeps. `plans` are
        as they are added to sums (`feeder_sums.by_feeder`)."""
        self._plans, self._discomforts = plans, discomforts
        self._discomforts_squared = discomforts * discomforts
        self._weights = (terms.alpha, terms.beta)
        self._weighs_discomfort = bool(
            terms.alpha or terms.beta or (terms.constraint and terms.constraint.kind == "costs")
        )
        self._constraint, self._households = terms.constraint, households
        cost = cost_function(terms.cost, terms.target, terms.scaling, arithmetic)
        self._cost = of_all(cost, terms)
        self._chance, self._arithmetic = chance, arithmetic
        self._zero = Aggregate(np.zeros(plans.shape[1]), 0.0, 0.0)
        self._now = self._before = _Choice(selected, self._zero, ())
        self._global, self._fresh = self._zero, True
        self._flags: tuple[bool, ...] = ()
        self._last: tuple[tuple[int, bool], Aggregate, list[float]] | None = None
        """The inputs and costs of the last plan selection; most iterations change nothing."""

    @property
    def selected(self) -> int:
        """Index of the selected plan; -1 before the first iteration."""
        return self._now.selected

    @property
    def generator_state(self) -> int:
        """The state of the generator that breaks ties."""
        return self._chance.state

    @property
    def flags(self) -> tuple[bool, ...]:
        """Approval of each child's change in this iteration."""
        return self._flags

    @property
    def response(self) -> Array:
        """The global plan after the last iteration, kWh."""
        return self._global.response

    @property
    def cost(self) -> Cost:
        """The cost function for global plans, (m, d) -> (m,)."""
        return self._cost

    def summary(self) -> Summary:
        """Return the measures of the global plan."""
        return summarise(
            self._global, self._households, self._cost, self._weights, self._arithmetic
        )

    def bottom_up(self, received: Sequence[Aggregate], known: int) -> Aggregate:
        """Decide on the children's changes and on the own plan. Returns the sums of the subtree.

        `received` has the children's aggregates in their order. `known` is the number of households
        that the sums cover: the own subtree in the first iteration, then all households.
        """
        before = self._before = self._now
        if self._fresh:
            self._flags = (True,) * len(received)
            below = _sum(self._zero, received)
            accepted = tuple(received)
        else:
            below, accepted = self._approve(before, received, known)
        if self._fresh and before.selected >= 0:
            selected = (
                before.selected
            )  # in the first iteration on a new tree, households keep their plans
        else:
            selected = self._select(before, below, known)
        self._now = _Choice(selected, below, accepted)
        discomfort = float(self._discomforts[selected])
        return below.plus(Aggregate(self._plans[selected], discomfort, discomfort * discomfort))

    def top_down(self, everybody: Aggregate, approved: bool) -> None:
        """Take the global plan; return to the previous choice unless the change is approved."""
        self._global = everybody
        if not approved:
            self._now = self._before
            self._flags = (False,) * len(self._flags)
        self._fresh = False

    def start_anew(self, selected: int | None = None) -> None:
        """Start on a new tree: forget all but the selected plan, or return to `selected`."""
        keep = self._now.selected if selected is None else selected
        self._now = _Choice(keep, self._zero, ())
        self._global, self._fresh = self._zero, True

    def _approve(
        self, before: _Choice, received: Sequence[Aggregate], known: int
    ) -> tuple[Aggregate, tuple[Aggregate, ...]]:
        """Choose which of the children's changes to take, among all combinations of old and new."""
        if not received:
            self._flags = ()
            return self._zero, ()
        if all(map(_same, before.accepted, received)):
            # All combinations give the same result: a tie of all, found without computing any.
            self._flags = self._bits(choose([0.0] * (1 << len(received)), self._chance))
            return before.below, before.accepted
        others, total, squares = self._global
        combined = np.empty((1 << len(received), len(others)))
        sums, of_squares = [0.0], [0.0]
        width = 1
        for old, new in zip(before.accepted, received, strict=True):
            others = others - old.response
            total, squares = total - old.discomfort, squares - old.discomfort_squares
            # The first child is the least significant bit of a combination's number.
            so_far = combined[:width] if width > 1 else self._zero.response[None, :]
            np.add(so_far, new.response, out=combined[width : 2 * width])
            np.add(so_far, old.response, out=combined[:width])
            width *= 2
            if self._weighs_discomfort:
                sums = [s + c.discomfort for c in (old, new) for s in sums]
                of_squares = [q + c.discomfort_squares for c in (old, new) for q in of_squares]
        # EPOS applies hard constraints only when it selects plans.
        costs = self._costs(
            others + combined,
            total + np.array(sums),
            squares + np.array(of_squares),
            known,
            constrained=not self._arithmetic.epos,
        )
        combination = choose(costs, self._chance)
        self._flags = self._bits(combination)
        accepted = tuple(
            new if flag else old
            for flag, old, new in zip(self._flags, before.accepted, received, strict=True)
        )
        return _sum(self._zero, accepted), accepted

    def _select(self, before: _Choice, below: Aggregate, known: int) -> int:
        """Select the own plan: the best one given the plans of all others."""
        if self._fresh:
            base, total, squares = below
        else:
            whole, beneath, selected = self._global, before.below, before.selected
            own = float(self._discomforts[selected])
            base = whole.response - self._plans[selected]
            if before.accepted:  # without children the sums are zeros
                base = base - beneath.response + below.response
            total = whole.discomfort - beneath.discomfort + below.discomfort - own
            squares = (
                whole.discomfort_squares
                - beneath.discomfort_squares
                + below.discomfort_squares
                - own * own
            )
        whole = Aggregate(base, total, squares)
        given = (known, self._fresh)
        if self._last is None or self._last[0] != given or not _same(self._last[1], whole):
            costs = self._costs(
                base + self._plans,
                total + self._discomforts,
                squares + self._discomforts_squared,
                known,
                constrained=True,
            )
            self._last = given, whole, costs
        return choose(self._last[2], self._chance)

    def _bits(self, combination: int) -> tuple[bool, ...]:
        return tuple(bool(combination >> c & 1) for c in range(len(self._now.accepted)))

    def _costs(
        self, responses: Array, sums: Array, squares: Array, known: int, *, constrained: bool
    ) -> list[float]:
        """Return the combined cost of each candidate; infinite where a constraint excludes it."""
        inefficiency = self._cost(responses)
        excluded = None
        if constrained and self._constraint is not None:
            inefficiency, excluded = judge(
                self._constraint,
                Candidates(
                    response=responses, inefficiency=inefficiency, sums=sums, squares=squares
                ),
                first=self._fresh,
                known=known,
                households=self._households,
                weights=self._weights,
                arithmetic=self._arithmetic,
            )
        costs = combined_cost(inefficiency, sums, squares, known, self._weights, self._arithmetic)
        if excluded is not None:
            costs = np.where(excluded, np.inf, costs)
        result: list[float] = costs.tolist()
        return result


def summarise(
    everybody: Aggregate,
    households: int,
    cost: Cost,
    weights: tuple[float, float],
    arithmetic: Arithmetic,
) -> Summary:
    """Return the measures that the root reports of a global plan."""
    response, total, squares = everybody
    inefficiency = cost(response[None, :])
    sums, of_squares = np.array([total]), np.array([squares])
    combined = combined_cost(inefficiency, sums, of_squares, households, weights, arithmetic)
    spread = unfairness(sums, of_squares, households, arithmetic)
    return float(inefficiency[0]), float(spread[0]), total / households, float(combined[0])


def _same(one: Aggregate, other: Aggregate) -> bool:
    """Return True if the sums are equal to the last bit."""
    return (
        one.discomfort == other.discomfort
        and one.discomfort_squares == other.discomfort_squares
        and one.response.tobytes() == other.response.tobytes()
    )


def _sum(zero: Aggregate, parts: Sequence[Aggregate]) -> Aggregate:
    """Return the sum of the parts, added in their order."""
    total = zero
    for part in parts:
        total = total.plus(part)
    return total
