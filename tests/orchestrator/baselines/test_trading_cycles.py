"""Top trading cycles, computed centrally: against a slow implementation, and what they promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.baselines.trading_cycles import precedence, taken_from, trade_in_cycles
from protocol.vectors import Array
from tests.support.effort import examples

VALUES = st.integers(0, 6).map(lambda number: number / 4)


def by_hand(held: Array, wished: Array, places: list[int]) -> list[int]:
    """Top trading cycles as in the textbook: rank all, point, find one cycle, begin again."""
    ranking = [
        sorted(
            range(len(held)),
            key=lambda other: (
                abs(held[other] - wished[one]),
                held[other] != held[one],
                held[other],
                other != one,
                places[other],
            ),
        )
        for one in range(len(held))
    ]
    taken: dict[int, int] = {}
    while len(taken) < len(held):
        left = [one for one in range(len(held)) if one not in taken]
        points = {one: next(o for o in ranking[one] if o in left) for one in left}
        seen: list[int] = []
        one = left[0]
        while one not in seen:
            seen.append(one)
            one = points[one]
        for member in seen[seen.index(one) :]:
            taken[member] = points[member]
    return [taken[one] for one in range(len(held))]


@settings(max_examples=examples(300), deadline=None)
@given(data=st.data(), households=st.integers(1, 9))
def test_trades_are_those_of_the_textbook(data: st.DataObject, households: int) -> None:
    column = st.lists(VALUES, min_size=households, max_size=households)
    held, wished = np.array(data.draw(column)), np.array(data.draw(column))
    places = data.draw(st.permutations(range(households)))
    assert taken_from(held, wished, places) == by_hand(held, wished, places)


def test_three_households_pass_their_values_on_in_a_cycle() -> None:
    # No two of them would swap: each wants what the next one holds.
    held, wished = np.array([1.0, 2.0, 3.0]), np.array([2.1, 3.1, 0.9])
    assert taken_from(held, wished, [0, 1, 2]) == [1, 2, 0]


def test_of_equal_values_the_first_holder_trades() -> None:
    held, wished = np.array([0.0, 1.0, 1.0]), np.array([1.0, 0.0, 0.0])
    assert taken_from(held, wished, [0, 1, 2]) == [1, 0, 2]
    assert taken_from(held, wished, [0, 2, 1]) == [2, 1, 0]


def test_a_value_at_the_same_distance_is_no_reason_to_trade() -> None:
    assert taken_from(np.array([0.0, 1.0]), np.array([0.5, 0.5]), [0, 1]) == [0, 1]


def test_the_order_of_households_does_not_matter() -> None:
    names = [f"h{index}" for index in range(12)]
    schedules, preferred = np.random.default_rng(4).integers(0, 5, (2, 12, 7)) / 4.0
    traded = trade_in_cycles(schedules, preferred, names, seed=3)
    order = np.random.default_rng(1).permutation(12)
    other = trade_in_cycles(
        schedules[order], preferred[order], [names[index] for index in order], seed=3
    )
    assert (other == traded[order]).all()
    assert sorted(precedence(names, 0, seed=3)) == list(range(12))
    assert precedence(names, 0, seed=3) != precedence(names, 1, seed=3)


@pytest.mark.parametrize("seed", range(examples(20)))
def test_nobody_loses_and_no_false_wish_pays(seed: int) -> None:
    chance = np.random.default_rng(seed)
    households = int(chance.integers(2, 9))
    # A coarse grid, so that there are many ties.
    held, wished = chance.integers(0, 8, (2, households)) / 4.0
    places = chance.permutation(households).tolist()
    away = np.abs(held[taken_from(held, wished, places)] - wished)
    assert (away <= np.abs(held - wished)).all()
    for liar in range(households):
        for lie in np.arange(-1, 10) / 4.0 + 0.1:
            said = wished.copy()
            said[liar] = lie
            got = held[taken_from(held, said, places)][liar]
            assert abs(got - wished[liar]) >= away[liar]
