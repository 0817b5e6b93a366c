"""The choices of stage 1 against all that there were, for a household alone and in a batch: whether
a parent takes a child's change, and which plan a household selects."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Protocol

import numpy as np
import pytest

from agents.planning.batch_selection import Aggregates, HouseholdBatch, Row
from agents.planning.costs import COMPATIBLE, EXACT
from agents.planning.java_random import JavaRandom
from agents.planning.plan_selection import PlanSelection, summarise
from agents.planning.tie_breaking import combined_cost
from protocol.messages.planning import Aggregate
from protocol.terms import HardConstraint, Limit, Terms
from protocol.vectors import Array

SLOTS = 4


class Choosing(Protocol):
    """The decisions of one household."""

    def bottom_up(self, received: Sequence[Aggregate], known: int) -> Aggregate: ...

    def top_down(self, everybody: Aggregate, approved: bool) -> None: ...

    @property
    def selected(self) -> int: ...

    @property
    def flags(self) -> tuple[bool, ...]: ...


Maker = Callable[[Array, Array, Terms, int, int], Choosing]


def alone(plans: Array, discomforts: Array, terms: Terms, children: int, seed: int) -> Choosing:
    return PlanSelection(
        plans=plans,
        discomforts=discomforts,
        terms=terms,
        households=4,
        chance=JavaRandom(seed),
        arithmetic=EXACT,
    )


class InBatch:
    """A batch whose one row decides as `PlanSelection` does."""

    def __init__(
        self, plans: Array, discomforts: Array, terms: Terms, children: int, seed: int
    ) -> None:
        row = Row(plans=plans, discomforts=discomforts, terms=terms, chance=JavaRandom(seed))
        self._batch = HouseholdBatch([row], children=children, households=4, arithmetic=EXACT)

    def bottom_up(self, received: Sequence[Aggregate], known: int) -> Aggregate:
        together = None
        if received:
            together = Aggregates(*(np.array([part]) for part in zip(*received, strict=True)))
        response, discomfort, squares = self._batch.bottom_up(together, np.array([[known]]))
        return Aggregate(response[0], float(discomfort[0]), float(squares[0]))

    def top_down(self, everybody: Aggregate, approved: bool) -> None:
        self._batch.top_down(everybody, np.array([approved]))

    @property
    def selected(self) -> int:
        return int(self._batch.selected[0])

    @property
    def flags(self) -> tuple[bool, ...]:
        return tuple(self._batch.flags[0].tolist())


both = pytest.mark.parametrize("make", [alone, InBatch])


def of(plan: Array, discomfort: float) -> Aggregate:
    """Return the sums of one household."""
    return Aggregate(plan, discomfort, discomfort * discomfort)


def cost(parts: Sequence[Aggregate], terms: Terms) -> float:
    """Return the combined cost of households whose sums are given one by one."""
    response = np.sum([part.response for part in parts], axis=0)
    discomforts = np.array([part.discomfort for part in parts])
    return float(
        (1 - terms.alpha - terms.beta) * response.var()
        + terms.alpha * discomforts.std()
        + terms.beta * discomforts.mean()
    )


@both
@pytest.mark.parametrize("weights", [(0.9, 0.0), (0.7, 0.2), (0.0, 0.9), (0.0, 0.0)])
def test_a_household_with_two_children_chooses_the_best(
    make: Maker, weights: tuple[float, float]
) -> None:
    """Four households: this one, its children, and one elsewhere."""
    terms = Terms(alpha=weights[0], beta=weights[1])
    for seed in range(40):
        rng = np.random.default_rng(seed)
        plans, discomforts = rng.random((5, SLOTS)), rng.random(5)
        own = [of(plan, discomfort) for plan, discomfort in zip(plans, discomforts, strict=True)]
        old, new, elsewhere = (
            [of(rng.random(SLOTS), float(rng.random())) for _ in range(count)]
            for count in (2, 2, 1)
        )
        planner = make(plans, discomforts, terms, 2, seed)
        sums = planner.bottom_up(old, 3)
        first = min(range(5), key=lambda plan: cost([*old, own[plan]], terms))
        assert planner.selected == first
        everybody = sums.plus(elsewhere[0])
        planner.top_down(everybody, approved=True)
        planner.bottom_up(new, 4)
        others = [own[first], *elsewhere]
        flags = min(
            product((False, True), repeat=2),
            key=lambda taken: cost([*others, *chosen(taken, old, new)], terms),
        )
        assert planner.flags == flags
        rest = [*elsewhere, *chosen(flags, old, new)]
        assert planner.selected == min(range(5), key=lambda plan: cost([*rest, own[plan]], terms))


def chosen(
    taken: Sequence[bool], old: Sequence[Aggregate], new: Sequence[Aggregate]
) -> list[Aggregate]:
    return [now if flag else was for flag, was, now in zip(taken, old, new, strict=True)]


@both
@pytest.mark.parametrize("better", [False, True])
@pytest.mark.parametrize(
    ("weights", "more", "less"),
    [
        ((0.0, 0.5), (7.0, 25.0), (5.0, 25.0)),  # 3 and 4, or 5 and 0
        ((0.5, 0.0), (2.0, 4.0), (2.0, 2.0)),  # 2 and 0, or 1 and 1
    ],
)
def test_a_change_of_discomfort_alone_is_a_change(
    make: Maker,
    weights: tuple[float, float],
    more: tuple[float, float],
    less: tuple[float, float],
    better: bool,
) -> None:
    terms = Terms(alpha=weights[0], beta=weights[1])
    plan = np.arange(float(SLOTS))
    old, new = (Aggregate(plan, *part) for part in ((more, less) if better else (less, more)))
    for seed in range(6):
        planner = make(np.zeros((1, SLOTS)), np.zeros(1), terms, 1, seed)
        planner.top_down(planner.bottom_up([old], 3), approved=True)
        planner.bottom_up([new], 4)
        assert planner.flags == (better,)


@both
def test_discomfort_counts_for_less_once_all_households_are_known(make: Maker) -> None:
    """The others use nothing and have no discomfort, so that only their number is new."""
    plans = np.array([[0.0, 0.0, 2.0, 2.0], [1.0, 1.0, 1.0, 1.0]])
    planner = make(plans, np.array([0.0, 1.5]), Terms(beta=0.5), 0, 1)
    sums = planner.bottom_up([], 1)
    assert planner.selected == 0
    planner.top_down(sums, approved=True)
    planner.bottom_up([], 4)
    assert planner.selected == 1


@both
def test_nothing_is_selected_before_the_first_iteration(make: Maker) -> None:
    assert make(np.zeros((3, SLOTS)), np.zeros(3), Terms(), 1, 0).selected == -1


def test_children_that_repeat_themselves_are_a_tie_beside_others_that_do_not() -> None:
    """Two households of a batch, each with one child; each decides as it does alone."""
    plans = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.5, 0.5], [2.0, 0.0]]])
    old = np.array([[[3.0, 1.0]], [[2.0, 0.0]]])
    new = np.array([[[3.0, 1.0]], [[1.0, 1.0]]])
    none = np.zeros((2, 1))
    for seed in range(8):
        rows = [
            Row(
                plans=own, discomforts=np.zeros(2), terms=Terms(), chance=JavaRandom(seed + 100 * n)
            )
            for n, own in enumerate(plans)
        ]
        batch = HouseholdBatch(rows, children=1, households=4, arithmetic=EXACT)
        single = [
            alone(own, np.zeros(2), Terms(), 1, seed + 100 * n) for n, own in enumerate(plans)
        ]
        sums = batch.bottom_up(Aggregates(old, none, none), np.array([[2], [2]]))
        everybody = Aggregate(sums.response.sum(0), 0.0, 0.0)
        batch.top_down(everybody, np.array([True, True]))
        batch.bottom_up(Aggregates(new, none, none), np.array([[4], [4]]))
        for n, planner in enumerate(single):
            planner.bottom_up([Aggregate(old[n, 0], 0.0, 0.0)], 2)
            planner.top_down(everybody, approved=True)
            planner.bottom_up([Aggregate(new[n, 0], 0.0, 0.0)], 4)
        assert batch.selected.tolist() == [planner.selected for planner in single]
        assert [tuple(row) for row in batch.flags.tolist()] == [p.flags for p in single]


def test_bounds_on_costs_count_discomfort_that_has_no_weight() -> None:
    """The child's change would make demand even, but the mean discomfort would exceed its bound."""
    bound = Limit(np.array([0.5, 0.0, 0.0, 0.0]), (1, 0, 0, 0))
    terms = Terms(constraint=HardConstraint("costs", (bound,)))
    planner = alone(np.zeros((1, 2)), np.zeros(1), terms, 1, 0)
    old, new = of(np.array([2.0, 0.0]), 1.0), of(np.array([1.0, 1.0]), 3.0)
    planner.top_down(planner.bottom_up([old], 2), approved=True)
    planner.bottom_up([new], 4)
    assert planner.flags == (False,)


def test_a_household_without_weights_needs_no_discomforts() -> None:
    """EPOS has no unfairness where rounding makes the variance negative. Only those that weigh it
    feel that."""
    alpha, beta = np.array([[0.0], [0.5]]), np.zeros((2, 1))
    costs = combined_cost(
        np.full((2, 1), 3.0),
        sums=np.zeros((2, 1)),
        squares=np.full((2, 1), -1e-8),
        households=1,
        weights=(alpha, beta),
        arithmetic=COMPATIBLE,
    )
    assert costs[0, 0] == 3.0
    assert np.isnan(costs[1, 0])


def test_the_measures_that_the_root_reports() -> None:
    everybody = Aggregate(np.array([1.0, 3.0]), 6.0, 20.0)

    def variance(x: Array) -> Array:
        return np.asarray(x.var(-1))

    measures = summarise(everybody, 2, variance, (0.25, 0.25), EXACT)
    assert measures == (1.0, 1.0, 3.0, 0.5 * 1.0 + 0.25 * 1.0 + 0.25 * 3.0)
