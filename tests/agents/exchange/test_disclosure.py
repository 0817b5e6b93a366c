"""The information in an offer besides its value, in numbers. The ladder is 1, 1.414, 2, 2.828, 4
and so on."""

import math

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


@pytest.mark.parametrize(
    ("value", "preferred", "direction"), [(1.0, 3.0, 1.0), (3.0, 1.0, -1.0), (2.0, 2.0, 0.0)]
)
def test_levels_of_disclosure(value: float, preferred: float, direction: float) -> None:
    assert tell("value", value, preferred, 0.0) is None
    assert tell("direction", value, preferred, 0.0) == direction
    assert tell("direction", value, preferred, 99.0) == direction
    assert tell("limit", value, preferred, 0.0) == pytest.approx(4.0 * direction)
    assert tell("limit", value, preferred, 4.0) == 0.0
