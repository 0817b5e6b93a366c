"""The information in an offer besides its value, in numbers. The ladder is 1, 1.414, 2, 2.828, 4
and so on."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.exchange.disclosure import limit_named, tell

ROOT = 2**0.5


@pytest.mark.parametrize(
    ("value", "preferred", "named"),
    [
        (0.0, 1.0, 2.0),  # the truth is 2, a step itself
        (1.0, 0.0, -2.0),
        (0.0, 1.4, 2.0),  # 2.8 is below 2.828
        (0.0, 1.42, 2 * ROOT),
        (3.0, 2.5, -1.0),
        (3.0, 2.2, -ROOT),
        (0.0, 0.1, 0.125 * ROOT),
        (5.0, 5.0, 0.0),
    ],
)
def test_the_disclosed_limit_is_the_next_step_below_the_true_one(
    value: float, preferred: float, named: float
) -> None:
    assert limit_named(value, preferred, 0.0) == pytest.approx(named, rel=1e-12)


@pytest.mark.parametrize(("lowest", "named"), [(1.9, 2.0), (2.0, 0.0), (2.1, 0.0), (0.0, 2.0)])
def test_a_limit_up_to_the_floor_is_disclosed_as_0(lowest: float, named: float) -> None:
    assert limit_named(0.0, 1.0, lowest) == named
    assert limit_named(1.0, 0.0, lowest) == -named


def test_a_limit_of_0_is_disclosed_as_0_without_a_floor() -> None:
    assert limit_named(1.0, 1.0, -1.0) == 0.0
    assert limit_named(1.0, 1.0, 0.0) == 0.0


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_a_disclosed_limit_is_at_most_one_step_below_the_true_one(
    value: float, preferred: float
) -> None:
    true = 2 * abs(preferred - value)
    named = limit_named(value, preferred, 0.0)
    assert abs(named) <= true
    assert abs(named) >= true / ROOT * (1 - 1e-12)
    assert named == 0.0 or math.copysign(1.0, named) == math.copysign(1.0, preferred - value)


@pytest.mark.parametrize("lowest", [0.0, 0.5, 3.0])
@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1))
def test_limits_of_many_offers_are_those_of_each(
    lowest: float, offers: list[tuple[float, float]]
) -> None:
    values, preferred = np.array(offers).T
    told = tell("limit", values, preferred, lowest)
    assert told.tolist() == [limit_named(value, wish, lowest) for value, wish in offers]
    assert not np.signbit(told[told == 0.0]).any()


def test_levels_of_disclosure() -> None:
    values, preferred = np.array([1.0, 3.0, 2.0]), np.array([3.0, 1.0, 2.0])
    assert tell("value", values, preferred, 0.0).size == 0
    assert tell("direction", values, preferred, 99.0).tolist() == [1.0, -1.0, 0.0]
    assert tell("limit", values, preferred, 0.0).tolist() == [4.0, -4.0, 0.0]
    assert tell("limit", values, preferred, 4.0).tolist() == [0.0, 0.0, 0.0]
