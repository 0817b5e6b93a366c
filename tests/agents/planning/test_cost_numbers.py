"""Costs, ties and new trees in numbers, where other tests would not notice a small change."""

import numpy as np
import pytest

from agents.planning.costs import COMPATIBLE, EXACT, Arithmetic, cost_function, left_to_right
from agents.planning.java_random import JavaRandom, JavaRandoms, household_chance
from agents.planning.tie_breaking import choose, choose_each, combined_cost, unfairness
from agents.planning.tree import Overlay, children_of, level_of
from agents.planning.tree_reorganisation import due
from protocol.terms import CostName, Reorganisation, ScalingName
from protocol.vectors import Array

GOAL = np.array([0.0, 1.0, 3.0, 0.0])
FLAT = np.full(4, 2.0)
ORDER = "bcaedgf"
"""Of a to g once they are shuffled as by java.util.Random(0)."""


def cost(
    name: CostName, x: Array, goal: Array | None = GOAL, arithmetic: Arithmetic = EXACT,
    scaling: ScalingName = "std",
) -> float:  # fmt: skip
    return float(cost_function(name, goal, scaling, arithmetic)(x[None, :])[0])


# -- costs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("arithmetic", [EXACT, COMPATIBLE])
def test_flat_vectors_do_not_divide_by_zero(arithmetic: Arithmetic) -> None:
    assert cost("var", FLAT, arithmetic=arithmetic) == 0.0
    assert cost("std", FLAT, arithmetic=arithmetic) == 0.0
    assert cost("xcorr", FLAT, arithmetic=arithmetic) == 0.0
    assert cost("xcorr", GOAL, FLAT, arithmetic) == 0.0
    assert cost("rmse", FLAT, arithmetic=arithmetic) == 0.0
    # A flat goal is fitted as its mean.
    assert cost("rmse", GOAL, FLAT, arithmetic) == pytest.approx(GOAL.std())
    assert cost("rss", FLAT, arithmetic=arithmetic) == pytest.approx(4.0)
    assert cost("rss", np.zeros(4), GOAL, EXACT, "unit-length") == pytest.approx(1.0)
    assert cost("rss", FLAT, GOAL, EXACT, "min-max") == pytest.approx(1 / 9 + 1.0)


def test_scalings_have_their_textbook_values() -> None:
    x = np.array([1.0, 5.0, 2.0, 4.0])
    unit = x / np.sqrt(46.0) - GOAL / np.sqrt(10.0)
    assert cost("rss", x, GOAL, EXACT, "unit-length") == pytest.approx((unit**2).sum())
    span = (x - 1.0) / 4.0 - GOAL / 3.0
    assert cost("rss", x, GOAL, EXACT, "min-max") == pytest.approx((span**2).sum())
    # EPOS scales the goal as for "std" whatever it is told.
    aim = (GOAL - 1.0) / GOAL.std()
    scaled: dict[ScalingName, Array] = {"unit-length": x / 46.0**0.5, "min-max": (x - 1.0) / 4.0}
    for scaling, own in scaled.items():
        found = cost("rss", x, GOAL, COMPATIBLE, scaling)
        assert found == pytest.approx(((own - aim) ** 2).sum())


def test_each_row_is_scaled_by_its_own_span() -> None:
    rows = np.array([[1.0, 5.0, 2.0, 4.0], [-30.0, 10.0, 0.0, 20.0]])
    together = cost_function("rss", GOAL, "min-max", EXACT)(rows)
    alone = [cost("rss", row, GOAL, EXACT, "min-max") for row in rows]
    assert together.tolist() == pytest.approx(alone)


def test_epos_finds_only_maxima_above_zero() -> None:
    x = np.array([-4.0, -2.0, -3.0, -1.0])
    aim = (GOAL - 1.0) / GOAL.std()
    scaled = (x + 4.0) / 4.0  # up to 0, where the true maximum is -1
    found = cost("rss", x, GOAL, COMPATIBLE, "min-max")
    assert found == pytest.approx(((scaled - aim) ** 2).sum())
    exact = (x + 4.0) / 3.0 - GOAL / 3.0
    assert cost("rss", x, GOAL, EXACT, "min-max") == pytest.approx((exact**2).sum())


def test_costs_of_the_two_arithmetics_differ_in_the_order_of_summation_only() -> None:
    x = np.random.default_rng(0).random(1001) * 1e6
    mean = float(left_to_right(x)) / 1001
    squares = np.add.accumulate((x - mean) ** 2)[-1]
    assert cost("var", x, None, COMPATIBLE) == squares / 1001
    assert cost("var", x, None, EXACT) == pytest.approx(np.var(x), rel=1e-12)
    assert cost("var", x, None, EXACT) != squares / 1001


# -- combining and choosing -----------------------------------------------------------------------


def test_a_batch_weighs_like_single_households() -> None:
    inefficiency = np.array([[10.0, 20.0], [10.0, 20.0], [10.0, 20.0]])
    sums = np.array([[2.0, 4.0], [2.0, 4.0], [2.0, 4.0]])
    alpha, beta = np.array([[0.0], [0.0], [0.5]]), np.array([[0.0], [0.25], [0.0]])
    squares = sums * sums / 2 + 2.0  # of two households: their variance is 1
    found = combined_cost(inefficiency, sums, squares, 2, (alpha, beta), EXACT)
    assert found[0].tolist() == [10.0, 20.0]
    assert found[1].tolist() == [0.75 * 10 + 0.25 * 1, 0.75 * 20 + 0.25 * 2]
    assert found[2] == pytest.approx([0.5 * 10 + 0.5 * 1, 0.5 * 20 + 0.5 * 1])


def test_alpha_or_beta_alone_is_enough() -> None:
    ten, sums, squares = np.array([10.0]), np.array([2.0]), np.array([4.0])
    assert combined_cost(ten, sums, squares, 2, (0.0, 0.5), EXACT)[0] == 5.5
    assert combined_cost(ten, sums, squares, 2, (0.5, 0.0), EXACT)[0] == 5.5


def test_a_variance_is_rounding_below_1e_9_exactly() -> None:
    for variance, spread in ((1e-9, 1e-9**0.5), (0.9999e-9, 0.0), (-0.9999e-9, 0.0)):
        found = unfairness(np.array([0.0]), np.array([variance]), 1, COMPATIBLE)
        assert found[0] == spread
    assert np.isnan(unfairness(np.array([0.0]), np.array([-1e-9]), 1, COMPATIBLE)[0])


@pytest.mark.parametrize(
    "costs",
    [
        [[1.0, 1.0, 0.5, 0.5, 0.5], [3.0, 2.0, 2.0, 1.0, 1.0], [1.0, 2.0, 3.0, 4.0, 5.0]],
        [[float("nan"), 2.0, 2.0, float("nan"), 2.0], [float("nan"), float("nan"), 1.0, 1.0, 1.0]],
        [[1.0] * 5, [2.0, 1.0, 1.0, 2.0, 2.0], [5.0, 5.0, 4.0, 4.0, 3.0]],
    ],
)
def test_choosing_in_a_batch_draws_and_chooses_as_one_by_one(costs: list[list[float]]) -> None:
    for seed in range(40):
        ones = [JavaRandom(seed + row) for row in range(len(costs) + 1)]
        many = JavaRandoms(ones)
        rows = np.arange(1, len(costs) + 1)
        alone = [choose(row, ones[place]) for row, place in zip(costs, rows, strict=True)]
        assert choose_each(np.array(costs), many, rows).tolist() == alone
        left = many.next_double(np.arange(len(ones))).tolist()
        assert left == [one.next_double() for one in ones]


def test_a_row_of_nan_has_no_choice() -> None:
    costs = np.array([[1.0, 2.0], [float("nan")] * 2])
    with pytest.raises(ArithmeticError, match="no candidate"):
        choose_each(costs, JavaRandoms([JavaRandom(0), JavaRandom(1)]), np.arange(2))


# -- chance and trees -----------------------------------------------------------------------------


def test_random_numbers_never_change() -> None:
    """The numbers are pinned, because households in other languages must draw the same."""
    assert household_chance(3, "h1").next_long() == -4228668865190478237
    assert [JavaRandom(7).next_int(bound) for bound in (1, 2, 3, 1 << 30)] == [0, 1, 1, 784582118]
    # Java rejects the top of the range, so that no number is likelier than another.
    chance = JavaRandom(0)
    drawn = [chance.next_int((1 << 30) + 1) for _ in range(6)]
    assert drawn == [516548029, 663681053, 251269761, 715581077, 542832677, 827187473]


def test_only_the_last_block_that_is_not_whole_is_rejected() -> None:
    """The first three draws of 31 bits are 1569741360, 1785505948 and 516548029."""
    # The only block but the last number of all is whole.
    assert JavaRandom(0).next_int(2**31 - 1) == 1569741360
    # Of three blocks, the third wants one number.
    assert JavaRandom(0).next_int(715827883) == 516548029


def test_a_negative_lower_half_borrows_from_an_upper_half_of_zero() -> None:
    # Java adds the halves as signed numbers; the seed was found by running the generator backwards.
    assert JavaRandom(263231208417410).next_long() == -2147298936


def test_levels_and_children_at_the_edge() -> None:
    assert [level_of(position, 1) for position in range(4)] == [1, 2, 3, 4]
    assert [level_of(position, 3) for position in (0, 1, 3, 4, 12, 13)] == [1, 2, 2, 3, 3, 4]
    assert list(children_of(1, 2, 4)) == [3]
    assert list(children_of(2, 2, 4)) == []


def test_later_trees_are_epos_s() -> None:
    overlay = Overlay(list("abcdefg"), 2, seed=0)
    assert overlay.order() == list("abcdefg")
    overlay.reorganise()
    assert "".join(overlay.order()) == ORDER
    above, below = overlay.parent_and_children(ORDER[1])
    assert (above, "".join(below)) == (ORDER[0], ORDER[3:5])


# -- when the tree is laid out anew ---------------------------------------------------------------


def total(x: Array) -> Array:
    return np.asarray(x.sum(-1))


def responses(before: float, after: float) -> tuple[Array, Array]:
    return np.array([before, 0.0]), np.array([after, 0.0])


def test_periodically_never_after_the_first_iteration() -> None:
    terms = Reorganisation("periodically", 3)
    found = [due(terms, iteration, responses(1.0, 2.0), total) for iteration in range(7)]
    assert found == [False, False, False, True, False, False, True]
    assert due(terms, 3, None, total)
    assert not due(Reorganisation("never"), 3, responses(1.0, 1.0), total)


def test_convergence_means_that_nothing_changed() -> None:
    terms = Reorganisation("convergence")
    assert due(terms, 5, responses(1.0, 1.0), total)
    assert not due(terms, 5, responses(1.0, 1.1), total)
    assert not due(terms, 5, (np.array([1.0, 2.0]), np.array([2.0, 1.0])), total)
    assert not due(terms, 5, None, total)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (10.0, 9.0, True),  # the threshold itself
        (10.0, 8.9, False),
        (10.0, 9.5, True),
        (10.0, 10.0, False),  # no change is no reduction
        (10.0, 11.0, True),
        (0.0, 1.0, False),
        (0.5, 0.46, True),
        (1.0, 1.01, True),
    ],
)
def test_cost_reduction_means_a_small_change(before: float, after: float, expected: bool) -> None:
    terms = Reorganisation("cost-reduction", threshold=0.1)
    assert due(terms, 5, responses(before, after), total) is expected
    assert not due(terms, 5, None, total)
