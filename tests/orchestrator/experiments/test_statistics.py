"""Statistics over several runs."""

import numpy as np
import pytest

from orchestrator.experiments.statistics import TooFewRunsError, difference, interval

scipy = pytest.importorskip("scipy", reason="statistics are part of the extra `report`")


def test_an_interval_contains_the_true_mean_as_often_as_promised() -> None:
    drawn = np.random.default_rng(3).normal(5.0, 2.0, (150, 20))
    found = [interval(list(sample)) for sample in drawn]
    held = np.mean([one.low <= 5.0 <= one.high for one in found])
    assert 0.88 <= held <= 0.99
    assert all(one.low < one.mean < one.high for one in found)
    assert found[0] == interval(list(drawn[0]))  # the same runs give the same interval


def test_one_run_is_refused() -> None:
    with pytest.raises(TooFewRunsError, match="one run is no evidence"):
        interval([1.0])
    with pytest.raises(TooFewRunsError):
        difference([1.0], [2.0])
    with pytest.raises(ValueError, match="2 runs against 3"):
        difference([1.0, 2.0], [1.0, 2.0, 3.0])


def test_pairs_show_differences_that_means_hide() -> None:
    """Runs differ much from seed to seed, but every pair differs by a little in the same
    direction."""
    chance = np.random.default_rng(1)
    first = chance.normal(10.0, 5.0, 12)
    second = first + chance.uniform(0.1, 0.3, 12)
    paired = difference(list(first), list(second))
    assert 0.1 < paired.low < paired.mean < paired.high < 0.3
    assert paired.p_value < 0.01
    assert paired.effect > 2
    assert abs(paired.cliff) < 0.3
    back = difference(list(second), list(first))
    assert back.mean == pytest.approx(-paired.mean)
    assert back.cliff == pytest.approx(-paired.cliff)


def test_equal_runs_and_constant_differences() -> None:
    same = difference([1.0, 2.0, 4.0], [1.0, 2.0, 4.0])
    assert (same.mean, same.low, same.high, same.p_value, same.effect) == (0, 0, 0, 1, 0)
    above = difference([1.0, 2.0, 4.0], [2.0, 3.0, 5.0])
    assert (above.low, above.high, above.effect) == (1.0, 1.0, float("inf"))


def test_differences_by_rounding_are_ignored() -> None:
    found = interval([2.2, 2.2, 2.2 + 4e-16, 2.2, 2.2])
    assert found.low == 2.2
    assert found.high == pytest.approx(2.2, abs=1e-15)


BEFORE = [10.0, 12.0, 9.0, 14.0, 11.0, 13.0]
AFTER = [11.5, 12.5, 11.0, 13.25, 14.0, 16.5]
"""Differences 1.5, 0.5, 2, -0.75, 3 and 3.5: their mean is 9.75 / 6."""


def test_a_difference_has_the_numbers_computed_by_hand() -> None:
    found = difference(BEFORE, AFTER)
    assert found.mean == pytest.approx(1.625)
    assert found.runs == 6
    # The squares of the deviations from 1.625 sum to 12.46875, which n - 1 = 5 divides.
    assert found.effect == pytest.approx(1.625 / (12.46875 / 5) ** 0.5)
    # The one fall has rank 2 of 6. Rank sums of 2 or less: {}, {1}, {2} of 64, twice for two sides.
    assert found.p_value == pytest.approx(6 / 64)
    # Of BEFORE there are 3, 4, 2, 5, 5, 6 below the six of AFTER, and 3, 2, 3, 1, 0, 0 above them.
    assert found.cliff == pytest.approx((25 - 9) / 36)


def test_the_interval_is_bias_corrected_and_accelerated() -> None:
    """The BCa bounds of a skewed sample, as scipy 1.17 computes them with the seed 0; the
    percentile interval of the same resamples is 0.801429 to 0.871429."""
    found = interval([0.80, 0.81, 0.79, 0.95, 0.82, 0.80, 0.83])
    assert found.mean == pytest.approx(5.8 / 7)
    assert (found.low, found.high) == pytest.approx((0.805714, 0.891429), abs=2e-6)


@pytest.mark.parametrize("seed", [{}, {"seed": 5}])
def test_the_bounds_of_a_difference_are_those_of_an_interval_of_the_differences(
    seed: dict[str, int],
) -> None:
    before, after = np.random.default_rng(2).normal(10.0, 5.0, (2, 12))
    found = difference(list(before), list(after), **seed)
    apart = interval(list(after - before), **seed)
    assert interval(list(after - before), seed=1).low != apart.low, "the seed tells"
    assert (found.low, found.high) == (apart.low, apart.high)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_cliff_has_the_sign_of_second_minus_first(sign: float) -> None:
    low, high = [sign * value for value in (1.0, 2.0, 3.0)], [sign * v for v in (4.0, 5.0, 6.5)]
    assert difference(low, high).cliff == sign
    assert difference(high, low).cliff == -sign
