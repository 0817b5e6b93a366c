"""What several runs say."""

import numpy as np
import pytest

from orchestrator.experiments.statistics import TooFewRunsError, difference, interval

scipy = pytest.importorskip("scipy", reason="statistics are part of the extra `report`")


def test_an_interval_holds_the_true_mean_about_as_often_as_it_says() -> None:
    drawn = np.random.default_rng(3).normal(5.0, 2.0, (150, 20))
    found = [interval(list(sample)) for sample in drawn]
    held = np.mean([one.low <= 5.0 <= one.high for one in found])
    assert 0.88 <= held <= 0.99
    assert all(one.low < one.mean < one.high for one in found)
    assert found[0] == interval(list(drawn[0]))  # the same runs say the same


def test_one_run_says_nothing() -> None:
    with pytest.raises(TooFewRunsError, match="one run is no evidence"):
        interval([1.0])
    with pytest.raises(TooFewRunsError):
        difference([1.0], [2.0])
    with pytest.raises(ValueError, match="2 runs against 3"):
        difference([1.0, 2.0], [1.0, 2.0, 3.0])


def test_pairs_tell_what_means_hide() -> None:
    """Runs differ much from seed to seed, and each pair by little, always the same way."""
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


def test_sides_that_are_alike_or_differ_alike() -> None:
    same = difference([1.0, 2.0, 4.0], [1.0, 2.0, 4.0])
    assert (same.mean, same.low, same.high, same.p_value, same.effect) == (0, 0, 0, 1, 0)
    above = difference([1.0, 2.0, 4.0], [2.0, 3.0, 5.0])
    assert (above.low, above.high, above.effect) == (1.0, 1.0, float("inf"))


def test_what_differs_by_rounding_is_the_same() -> None:
    found = interval([2.2, 2.2, 2.2 + 4e-16, 2.2, 2.2])
    assert found.low == 2.2
    assert found.high == pytest.approx(2.2, abs=1e-15)
