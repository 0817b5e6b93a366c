"""Reassignments judged by the whole day, compared with exhaustive search."""

from collections.abc import Iterator
from itertools import permutations, product

import numpy as np
import pytest

from orchestrator.baselines.day_assignment import best_for_the_day, for_mean_comfort
from orchestrator.results.measures import bound_of_values
from protocol.vectors import Array


def population(seed: int, households: int, slots: int) -> tuple[Array, Array]:
    chance = np.random.default_rng(seed)
    return chance.exponential(1.0, (households, slots)), chance.exponential(
        1.0, (households, slots)
    )


def every_assignment(schedules: Array) -> Iterator[Array]:
    households, slots = schedules.shape
    for orders in product(permutations(range(households)), repeat=slots):
        yield schedules[np.array(orders).T, np.arange(slots)]


def discomforts(schedules: Array, preferred: Array) -> Array:
    return np.asarray(np.sqrt(((schedules - preferred) ** 2).mean(1)))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("drift_kwh", [None, 1.0, 0.3])
def test_the_bound_and_the_solution_enclose_the_optimum(seed: int, drift_kwh: float | None) -> None:
    schedules, preferred = population(seed, households=3, slots=4)
    most = ((schedules - preferred) ** 2).sum(1)
    allowed = [
        ((other - preferred) ** 2).sum()
        for other in every_assignment(schedules)
        if (((other - preferred) ** 2).sum(1) <= most).all()
        and (drift_kwh is None or (abs((other - schedules).sum(1)) <= drift_kwh).all())
    ]
    found = best_for_the_day(schedules, preferred, drift_kwh)
    assert found.bound <= min(allowed) + 1e-12
    assert found.squares >= min(allowed) - 1e-12
    assert (((found.schedules - preferred) ** 2).sum(1) <= most + 1e-12).all()
    assert (np.sort(found.schedules, axis=0) == np.sort(schedules, axis=0)).all()
    if drift_kwh is not None:
        assert (abs((found.schedules - schedules).sum(1)) <= drift_kwh + 1e-12).all()


def test_with_many_households_the_gap_is_small() -> None:
    schedules, preferred = population(1, households=40, slots=24)
    free = best_for_the_day(schedules, preferred)
    kept = best_for_the_day(schedules, preferred, 0.05)
    for found in (free, kept):
        assert found.bound <= found.squares <= 1.05 * found.bound
    assert free.bound < kept.bound
    assert abs((kept.schedules - schedules).sum(1)).max() <= 0.05


def test_mean_comfort_can_be_above_that_of_the_bound_of_values() -> None:
    """So the bound of values bounds the summed squared deviation, and not the mean comfort."""
    schedules, preferred = population(2, households=30, slots=12)
    least_squares = bound_of_values(schedules, preferred)
    other = for_mean_comfort(schedules, preferred)
    assert (np.sort(other, axis=0) == np.sort(schedules, axis=0)).all()
    means = [discomforts(found, preferred).mean() for found in (least_squares, other)]
    assert means[1] < means[0]
    assert ((least_squares - preferred) ** 2).sum() <= ((other - preferred) ** 2).sum()
