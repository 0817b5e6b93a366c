"""The assignments of a planner with full knowledge, compared with exhaustive search."""

from itertools import permutations

import numpy as np
import pytest

from orchestrator.baselines.exchange_assignment import greedy_swaps, lossless_assignment
from orchestrator.results.measures import bound_of_values
from protocol.vectors import Array


def population(seed: int, households: int = 6, slots: int = 4) -> tuple[Array, Array]:
    chance = np.random.default_rng(seed)
    schedules = chance.exponential(1.0, (households, slots)).round(1)  # rounded: there are ties
    return schedules, chance.exponential(1.0, (households, slots)).round(1)


def squares(schedules: Array, preferred: Array) -> Array:
    return np.asarray((schedules - preferred) ** 2)


def same_values(one: Array, other: Array) -> bool:
    return bool((np.sort(one, axis=0) == np.sort(other, axis=0)).all())


@pytest.mark.parametrize("seed", range(5))
def test_the_assignment_is_the_best_without_a_loser(seed: int) -> None:
    schedules, preferred = population(seed)
    best = lossless_assignment(schedules, preferred)
    assert same_values(best, schedules)
    assert (squares(best, preferred) <= squares(schedules, preferred)).all()
    for slot in range(schedules.shape[1]):
        before = squares(schedules, preferred)[:, slot]
        possible = (
            squares(schedules[list(order), slot], preferred[:, slot])
            for order in permutations(range(len(schedules)))
        )
        least = min(away.sum() for away in possible if (away <= before).all())
        assert squares(best, preferred)[:, slot].sum() == pytest.approx(least)


@pytest.mark.parametrize("seed", range(5))
def test_greedy_swaps_make_nobody_lose_and_leave_no_swap(seed: int) -> None:
    schedules, preferred = population(seed, households=12)
    before = schedules.copy()
    after, swaps = greedy_swaps(schedules, preferred)
    assert (schedules == before).all()
    assert same_values(after, schedules)
    held, was = squares(after, preferred), squares(schedules, preferred)
    assert (held <= was).all()
    assert swaps > 0
    for slot in range(schedules.shape[1]):
        for one in range(12):
            for other in range(one):
                pair = [one, other]
                swapped = squares(after[pair[::-1], slot], preferred[pair, slot])
                gains = held[pair, slot] - swapped
                assert not ((gains >= 0).all() and gains.sum() > 0)
    bounds = lossless_assignment(schedules, preferred), bound_of_values(schedules, preferred)
    least = [squares(bound, preferred).sum(axis=0) for bound in bounds]
    assert (held.sum(axis=0) >= least[0] - 1e-12).all()
    assert (least[0] >= least[1] - 1e-12).all()


def test_the_first_swap_is_the_one_that_gains_most_together() -> None:
    """Household 1 could swap with 0 or 2; with 2 the joint gain is larger."""
    schedules, preferred = np.array([[2.0], [1.0], [4.0]]), np.array([[1.0], [4.0], [1.0]])
    after, swaps = greedy_swaps(schedules, preferred)
    assert after.tolist() == [[2.0], [4.0], [1.0]]
    assert swaps == 1


def test_swaps_below_the_least_gain_are_not_made() -> None:
    schedules, preferred = np.array([[2.0, 2.0], [1.0, 1.0]]), np.array([[1.0, 1.5], [2.0, 1.5]])
    after, swaps = greedy_swaps(schedules, preferred, min_gain_kwh2=0.5)
    assert after[:, 0].tolist() == [1.0, 2.0]
    assert swaps == 1
    assert greedy_swaps(schedules, preferred, min_gain_kwh2=1.5)[1] == 0
