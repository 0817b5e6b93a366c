"""Measures, compared with slow implementations of their definitions."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from agents.plans import rmse
from orchestrator.results.measures import (
    bound_of_amounts,
    bound_of_values,
    clipped,
    equal_shift,
    gini,
    jain,
    measures,
)
from protocol.vectors import Array

discomfort = st.one_of(st.just(0.0), st.floats(1e-3, 1e3))
some = st.lists(discomfort, min_size=1, max_size=12)


def slow_gini(values: list[float]) -> float:
    mean = math.fsum(values) / len(values)
    pairs = [abs(a - b) for a, b in product(values, values)]
    return math.fsum(pairs) / len(pairs) / (2 * mean) if mean else 0.0


def slow_jain(values: list[float]) -> float:
    squares = math.fsum(v * v for v in values)
    return math.fsum(values) ** 2 / (len(values) * squares) if squares else 1.0


@given(some)
def test_inequality_is_as_defined_over_pairs(values: list[float]) -> None:
    assert gini(np.array(values)) == pytest.approx(slow_gini(values), abs=1e-9)
    assert jain(np.array(values)) == pytest.approx(slow_jain(values), rel=1e-9)


@given(some, st.data())
def test_inequality_does_not_depend_on_the_order(values: list[float], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(values))
    assert gini(np.array(shuffled)) == gini(np.array(values))


@given(
    arrays(np.float64, array_shapes(min_dims=2, max_dims=2), elements=st.floats(-50, 50)),
    st.integers(0, 2**32),
)
def test_measures_of_schedules(schedules: Array, seed: int) -> None:
    preferred = np.random.default_rng(seed).uniform(-50, 50, schedules.shape)
    each = np.array([rmse(s, p) for s, p in zip(schedules, preferred, strict=True)])
    found = measures(schedules.sum(0), each, 1.5)
    n, mean = len(each), math.fsum(each) / len(each)
    squared = [(s - p) ** 2 for s, p in zip(schedules.flat, preferred.flat, strict=True)]
    assert found.inefficiency == 1.5
    assert found.peak == pytest.approx(max(map(math.fsum, schedules.T)), abs=1e-9)
    assert found.mean_discomfort == pytest.approx(mean)
    assert found.mean_comfort == pytest.approx(1 - mean)
    assert found.pooled_discomfort == pytest.approx(math.sqrt(math.fsum(squared) / len(squared)))
    assert found.unfairness == pytest.approx(
        math.sqrt(math.fsum((d - mean) ** 2 for d in each) / n), abs=1e-9
    )
    assert found.max_discomfort == max(each)


def test_peak_to_average_of_a_known_curve() -> None:
    assert measures(np.array([1.0, 2.0, 6.0]), np.zeros(2), 0.0).peak_to_average == 2.0


def test_measures_without_discomfort() -> None:
    found = measures(np.ones(3), np.zeros(4), 0.0)
    assert (found.gini, found.jain, found.mean_comfort) == (0.0, 1.0, 1.0)


def test_measures_if_one_household_bears_all() -> None:
    found = measures(np.ones(3), np.array([0.0, 0.0, 0.0, 2.0]), 0.0)
    assert (found.gini, found.jain) == (0.75, 0.25)


@pytest.mark.parametrize("size", [5e-324, 1e-200, 1e200])
def test_inequality_has_no_unit(size: float) -> None:
    values = np.array([size, 0.0])
    assert (gini(values), jain(values)) == (0.5, 0.5)


def test_peak_to_average_is_undefined_if_the_mean_is_0() -> None:
    assert math.isnan(measures(np.array([-1.0, 1.0]), np.zeros(1), 0.0).peak_to_average)


@pytest.mark.parametrize(
    ("demand", "discomforts"),
    [
        (np.zeros(0), np.zeros(1)),
        (np.zeros(1), np.zeros(0)),
        (np.zeros((2, 2)), np.zeros(1)),
        (np.zeros(1), np.array([-0.1])),
    ],
)
def test_an_impossible_state_is_refused(demand: Array, discomforts: Array) -> None:
    with pytest.raises(ValueError, match=r"measures need|must not be negative"):
        measures(demand, discomforts, 0.0)


sums = st.integers(2, 6).flatmap(
    lambda n: st.lists(
        st.lists(st.floats(-9, 9), min_size=3, max_size=3), min_size=2 * n, max_size=2 * n
    )
)


@given(sums)
def test_no_schedules_with_the_same_sum_have_less_mean_discomfort(rows: list[list[float]]) -> None:
    schedules, preferred = np.split(np.array(rows), 2)
    least = bound_of_amounts(schedules.sum(0), preferred.sum(0), len(schedules))
    away = np.sqrt(((schedules - preferred) ** 2).mean(1))
    assert least <= away.mean() + 1e-9
    shifted = equal_shift(schedules, preferred)
    assert shifted.sum(0) == pytest.approx(schedules.sum(0), abs=1e-9)
    reached = np.sqrt(((shifted - preferred) ** 2).mean(1))
    assert reached == pytest.approx(np.full(len(schedules), least), abs=1e-9)
    sorted_squares = ((bound_of_values(schedules, preferred) - preferred) ** 2).sum()
    assert ((shifted - preferred) ** 2).sum() <= sorted_squares + 1e-9


def test_only_slots_without_preferred_feeding_in_are_clipped() -> None:
    schedules, preferred = np.array([[-0.5, -1.0], [2.0, -0.25]]), np.array([[0.0, -1], [1, 1]])
    assert clipped(schedules, preferred) == (2, 0.75)
