"""The small decisions of stage 1: random numbers, ties, costs and constraints, with known values
and properties."""

import math
from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from agents.planning.costs import (
    COMPATIBLE,
    EXACT,
    Arithmetic,
    cost_function,
    left_to_right,
    pairwise,
)
from agents.planning.hard_constraints import Candidates, judge
from agents.planning.java_random import JavaRandom, JavaRandoms, household_chance
from agents.planning.plan_selection import PlanSelection
from agents.planning.tie_breaking import choose, choose_each, combined_cost, unfairness
from agents.plans import Plans, Population
from protocol.messages.planning import Aggregate
from protocol.terms import CostName, HardConstraint, Limit, Reorganisation, ScalingName, Terms
from protocol.vectors import Array
from tests.support.effort import examples

# -- chance ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seed", "double", "long", "ints", "order"),
    [
        (0, 0.730967787376657, 4437113781045784766, (5, 4, 182054484), "73415260"),
        (1, 0.7308781907032909, 7564655870752979346, (4, 0, 714504434), "26107435"),
        (-5, 0.26930095796932485, 6162916890256202832, (2, 11, 617011057), "37456201"),
        (123456789012345, 0.6691460388561377, -2507209739361777064, (5, 13, 185864260), "10456237"),
    ],
)
def test_the_generator_is_javas(
    seed: int, double: float, long: int, ints: tuple[int, int, int], order: str
) -> None:
    chance = JavaRandom(seed)
    assert chance.next_double() == double
    assert chance.next_long() == long
    assert tuple(chance.next_int(bound) for bound in (10, 16, 1000000007)) == ints
    items = list(range(8))
    chance.shuffle(items)
    assert "".join(map(str, items)) == order


def test_households_draw_from_generators_of_their_own() -> None:
    draws = {household_chance(s, name).next_double() for s in (0, 1) for name in ("h1", "h2")}
    assert len(draws) == 4
    assert household_chance(3, "h1").next_double() == household_chance(3, "h1").next_double()


# -- ties -----------------------------------------------------------------------------------------


class Scripted(JavaRandom):
    """A generator that returns given numbers, and counts the draws."""

    def __init__(self, *draws: float) -> None:
        super().__init__(0)
        self.left = list(draws)

    def next_double(self) -> float:
        return self.left.pop(0)


class ScriptedMany(JavaRandoms):
    """The same for one row of a batch at a time."""

    def __init__(self, *draws: float) -> None:
        super().__init__([JavaRandom(0)])
        self.left = list(draws)

    def next_double(self, rows: NDArray[np.intp]) -> Array:
        return np.array([self.left.pop(0) for _ in rows])


@pytest.mark.parametrize(
    ("costs", "draws", "index"),
    [
        ([3.0, 1.0, 2.0], (), 1),
        ([1.0, 1.0], (0.5,), 1),  # 1/2 is still within
        ([1.0, 1.0], (0.51,), 0),
        ([1.0, 1.0, 1.0], (0.9, 1 / 3), 2),
        ([1.0, 1.0, 1.0], (0.2, 0.34), 1),
        ([2.0, 2.0, 1.0], (0.9,), 2),  # a draw for a tie that is beaten later
        ([2.0, 1.0, 2.0, 1.0], (0.7,), 1),
        ([float("nan"), 2.0, float("nan"), 2.0], (0.1,), 3),
        ([math.inf, 5.0], (), 1),
    ],
)
def test_ties_break_by_draws(costs: list[float], draws: tuple[float, ...], index: int) -> None:
    chance = Scripted(*draws)
    assert choose(costs, chance) == index
    assert chance.left == []
    many = ScriptedMany(*draws)
    assert choose_each(np.array([costs]), many, np.array([0])).tolist() == [index]
    assert many.left == []


def test_costs_that_are_all_nan_have_no_choice() -> None:
    with pytest.raises(ArithmeticError):
        choose([float("nan")], JavaRandom(0))


def test_each_of_several_ties_is_equally_likely() -> None:
    chance = JavaRandom(1)
    counts = np.bincount([choose([1.0] * 4, chance) for _ in range(8000)], minlength=4)
    assert np.abs(counts / 8000 - 0.25).max() < 0.02


# -- costs ----------------------------------------------------------------------------------------

COSTS: tuple[CostName, ...] = get_args(CostName)
SCALINGS: tuple[ScalingName, ...] = ("std", "unit-length", "min-max")
GOAL = np.array([1.0, 4.0, 2.0, 2.0, 0.5, 3.0])


@settings(max_examples=examples(60), deadline=None)
@given(
    st.sampled_from(COSTS),
    st.sampled_from(SCALINGS),
    st.sampled_from([EXACT, COMPATIBLE]),
    st.integers(1, 40),
    st.integers(0, 2**32 - 1),
)
def test_a_row_costs_the_same_in_any_batch(
    name: CostName, scaling: ScalingName, arithmetic: Arithmetic, rows: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    slots = int(rng.integers(2, 200))
    goal = rng.random(slots)
    x = rng.standard_normal((rows, slots)) * 100
    cost = cost_function(name, goal, scaling, arithmetic)
    whole = cost(x)
    assert whole.shape == (rows,)
    alone = [float(cost(x[i : i + 1])[0]) for i in range(rows)]
    spaced = cost(np.repeat(x, 2, axis=0)[::2])
    wide = cost(np.hstack([x, x])[:, :slots])
    assert whole.tolist() == alone == spaced.tolist() == wide.tolist()


@pytest.mark.parametrize("arithmetic", [EXACT, COMPATIBLE])
def test_costs_have_their_textbook_values(arithmetic: Arithmetic) -> None:
    x = np.array([[2.0, 1.0, 5.0, 2.0, 0.0, 3.5]])

    def cost(name: CostName, scaling: ScalingName = "std") -> float:
        kernel = cost_function(name, GOAL, scaling, arithmetic)
        return float(kernel(x)[0])

    row = x[0]
    assert cost("var") == pytest.approx(np.var(row))
    assert cost("std") == pytest.approx(np.std(row))
    assert cost("max") == 5.0
    assert cost("dot") == pytest.approx(GOAL @ row)
    assert cost("sqr") == pytest.approx(((row - GOAL) ** 2).sum())
    assert cost("residual") == pytest.approx(np.var(row - GOAL))
    assert cost("xcorr") == pytest.approx(-np.corrcoef(row, GOAL)[0, 1])
    fitted = (GOAL - GOAL.mean()) / GOAL.std() * row.std() + row.mean()
    assert cost("rmse") == pytest.approx(np.sqrt(((fitted - row) ** 2).mean()))
    standard = [(v - v.mean()) / v.std() for v in (row, GOAL)]
    assert cost("rss") == pytest.approx(((standard[0] - standard[1]) ** 2).sum())


def test_rss_scales_goal_and_response_alike_except_for_epos() -> None:
    x = (3.0 * GOAL)[None, :]
    for scaling in SCALINGS:
        fair = cost_function("rss", GOAL, scaling, EXACT)
        assert float(fair(x)[0]) == pytest.approx(0.0, abs=1e-12)
    for scaling in SCALINGS[1:]:
        odd = cost_function("rss", GOAL, scaling, COMPATIBLE)
        assert float(odd(x)[0]) > 1.0


def test_min_max_of_flat_and_of_negative_vectors() -> None:
    flat = np.full((1, 6), 7.0)
    assert np.isfinite(cost_function("rss", GOAL, "min-max", EXACT)(flat)).all()
    below = -GOAL[None, :] - 10
    exact = cost_function("rss", -GOAL, "min-max", EXACT)
    assert float(exact(below)[0]) == pytest.approx(0.0, abs=1e-12)


def test_the_orders_of_summation_differ_as_documented() -> None:
    x = np.random.default_rng(0).random((3, 1001)) * 1e6
    loop = []
    for row in x:
        total = 0.0
        for value in row.tolist():
            total += value
        loop.append(total)
    assert left_to_right(x).tolist() == loop
    assert pairwise(x).tolist() != loop
    assert pairwise(x) == pytest.approx(loop)


def test_combined_cost_and_unfairness() -> None:
    discomforts = np.array([0.1, 0.5, 0.9, 0.2])
    s, q = np.array([discomforts.sum()]), np.array([(discomforts**2).sum()])
    assert unfairness(s, q, 4, EXACT)[0] == pytest.approx(discomforts.std())
    g = np.array([10.0])
    assert combined_cost(g, s, q, 4, (0.0, 0.0), EXACT) is g
    expected = 0.5 * 10 + 0.2 * discomforts.std() + 0.3 * discomforts.mean()
    assert combined_cost(g, s, q, 4, (0.2, 0.3), EXACT)[0] == pytest.approx(expected)
    # From left to right, to the last bit.
    none = np.array([0.0])
    assert (1 - 0.2 - 0.35) * 10 != (1 - (0.2 + 0.35)) * 10
    assert combined_cost(g, none, none, 3, (0.2, 0.35), EXACT)[0] == (1 - 0.2 - 0.35) * 10
    # A variance of less than 1e-9 either way is rounding, and so none.
    for variance, spread in ((5e-10, 0.0), (-5e-10, 0.0), (4e-9, np.sqrt(4e-9))):
        for arithmetic in (EXACT, COMPATIBLE):
            assert unfairness(np.array([0.0]), np.array([variance]), 1, arithmetic)[0] == spread
    # Further below zero, EPOS fails.
    low = np.array([-1e-8])
    assert unfairness(np.array([0.0]), low, 1, EXACT)[0] == 0.0
    assert np.isnan(unfairness(np.array([0.0]), low, 1, COMPATIBLE)[0])


# -- hard constraints, where coflex does not do as EPOS -------------------------------------------


def judged(
    bound: list[float], mode: list[int], responses: Array, *, first: bool = False
) -> tuple[list[float], list[bool] | None]:
    constraint = HardConstraint("plans", (Limit(np.array(bound), tuple(mode)),))
    count = len(responses)
    candidates = Candidates(
        response=responses,
        inefficiency=np.arange(1.0, count + 1.0),
        sums=np.zeros(count),
        squares=np.zeros(count),
    )
    judgement = judge(
        constraint,
        candidates,
        first=first,
        known=3,
        households=3,
        weights=(0.0, 0.0),
        arithmetic=EXACT,
    )
    excluded = judgement.excluded
    return judgement.inefficiency.tolist(), None if excluded is None else excluded.tolist()


def test_larger_violations_are_excluded_at_any_cost() -> None:
    responses = np.array([[5.0, 0.0], [3.0, 0.0], [2.0, 9.0], [2.0, 0.0]])
    cost, excluded = judged([2.0, 0.0], [1, 0], responses)
    assert excluded == [True, True, False, False]
    assert cost == [1.0, 2.0, 3.0, 4.0]
    assert judged([9.0, 9.0], [2, 0], responses)[1] == [False, True, True, True]
    assert judged([3.0, 0.0], [3, 0], responses)[1] == [True, False, True, True]


def test_slack_replaces_the_cost_in_the_first_iteration() -> None:
    responses = np.array([[1.0], [2.0], [4.0]])
    at_most, excluded = judged([3.0], [1], responses, first=True)
    assert excluded is None
    assert at_most == sorted(at_most)  # more room below the bound is better
    at_least, _ = judged([3.0], [2], responses, first=True)
    assert at_least == sorted(at_least, reverse=True)
    equal, _ = judged([2.0], [3], responses, first=True)
    assert min(equal) == equal[1]


@pytest.mark.parametrize(
    ("arithmetic", "flags"), [(EXACT, (False, False)), (COMPATIBLE, (True, False))]
)
def test_children_s_changes_that_violate_more_are_not_approved(
    arithmetic: Arithmetic, flags: tuple[bool, ...]
) -> None:
    """They would make demand more even; EPOS approves them."""
    constraint = HardConstraint("plans", (Limit(np.array([1.0, 0.0]), (1, 0)),))
    planner = PlanSelection(
        plans=np.zeros((1, 2)),
        discomforts=np.zeros(1),
        terms=Terms(constraint=constraint),
        households=3,
        chance=JavaRandom(0),
        arithmetic=arithmetic,
    )
    old, first, second = (
        Aggregate(np.array(x), 0.0, 0.0) for x in ([0.0, 2.0], [2.0, 0.0], [3.0, 0.0])
    )
    planner.top_down(planner.bottom_up([old, old], 3), approved=True)
    planner.bottom_up([first, second], 3)
    assert planner.flags == flags


def test_two_bounds_make_a_corridor() -> None:
    low = Limit(np.array([1.0, 5.0]), (2, 0))
    high = Limit(np.array([3.0, 6.0]), (1, 1))
    constraint = HardConstraint("plans", (low, high))
    responses = np.array([[2.0, 5.5], [0.0, 5.5], [2.0, 7.0]])

    def excluded(arithmetic: Arithmetic) -> object:
        zeros = np.zeros(3)
        judgement = judge(
            constraint,
            Candidates(response=responses, inefficiency=zeros, sums=zeros, squares=zeros),
            first=False,
            known=1,
            households=1,
            weights=(0.0, 0.0),
            arithmetic=arithmetic,
        )
        if judgement.excluded is not None:
            return judgement.excluded.tolist()
        return judgement.inefficiency.tolist()

    assert excluded(EXACT) == [False, True, True]
    # EPOS skips the second component, whose first mode is 0.
    assert excluded(COMPATIBLE) == [0.0, 1.0, 0.0]


def test_bounds_on_costs() -> None:
    bound = Limit(np.array([0.2, 0.0, 0.0, 0.0]), (1, 0, 0, 0))
    sums = np.array([0.3, 0.9])
    judgement = judge(
        HardConstraint("costs", (bound,)),
        Candidates(
            response=np.zeros((2, 1)), inefficiency=np.array([5.0, 1.0]), sums=sums, squares=sums
        ),
        first=False,
        known=3,
        households=3,
        weights=(0.0, 0.5),
        arithmetic=EXACT,
    )
    assert judgement.excluded is not None
    assert judgement.excluded.tolist() == [False, True]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Limit(np.array([1.0]), (1, 2)),
        lambda: Limit(np.array([1.0]), (4,)),
        lambda: HardConstraint("plans", ()),
        lambda: HardConstraint("costs", (Limit(np.array([1.0]), (1,)),)),
        lambda: Terms(iterations=0),
        lambda: Terms(arity=11),
        lambda: Terms(alpha=0.6, beta=0.6),
        lambda: Terms(cost="rss"),
        lambda: Terms(patience_seconds=0),
        lambda: Reorganisation("periodically"),
        lambda: Reorganisation(offset=-1),
    ],
)
def test_invalid_terms_are_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        wrong()


# -- plans ----------------------------------------------------------------------------------------


def test_the_preferred_plan_and_the_measures_of_discomfort() -> None:
    values = np.array([[1.0, 1.0], [3.0, 0.0], [1.0, 2.0]])
    plans = Plans(values, np.array([0.2, 0.9, 0.9]))
    assert plans.preferred_index == 1  # the first of the best
    assert plans.discomforts("rmse").tolist() == [math.sqrt(2.5), 0.0, 2.0]
    assert plans.discomforts("preference") == pytest.approx([0.8, 0.1, 0.1])
    assert plans.discomforts("score").tolist() == [0.2, 0.9, 0.9]
    assert plans.discomforts("index").tolist() == [0.0, 1.0, 2.0]
    assert Plans(values, plans.scores, "cost").preferred_index == 0
    for wrong in (
        lambda: Plans(np.zeros((0, 2)), np.zeros(0)),
        lambda: Plans(values, np.zeros(2)),
        lambda: Plans(values * np.nan, np.zeros(3)),
        lambda: Population({}, "nowhere"),
        lambda: Population({"a": plans, "b": Plans(np.zeros((1, 3)), np.zeros(1))}, "x"),
    ):
        with pytest.raises(ValueError, match=r"."):
            wrong()
