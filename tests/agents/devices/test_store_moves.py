"""Moves within a store against brute force: everything within room can be done, nothing beyond."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.devices.device import discomfort
from agents.devices.energy_grid import STEP_KWH, floored
from agents.devices.store import Store
from agents.devices.store_moves import moved, room
from protocol.vectors import Array
from tests.support.devices import BATTERY, BOILER, CAR, SLOTS, random_store

SEEDS = st.integers(0, 2**32 - 1)


def possible(store: Store, schedule: Array, move: tuple[int, int], amount_kwh: float) -> bool:
    """Try a move: within what the store takes or within what it gives, and without a fault."""
    i, j = move
    after = moved(schedule, move, amount_kwh)
    within_in = schedule[i] > 0 and after[i] >= 0 and schedule[j] >= 0
    within_out = schedule[i] <= 0 and schedule[j] < 0 and after[j] <= 0
    return bool(within_in or within_out) and store.fault(after) is None


@settings(deadline=None)
@given(SEEDS)
def test_room_is_all_that_can_be_moved_and_nothing_more(seed: int) -> None:
    store, schedule = random_store(seed)
    assert store.fault(schedule) is None
    rooms = room(store, schedule)
    chance = np.random.default_rng(seed)
    for i, j in permutations(range(store.slots), 2):
        edges = [rooms.least[i, j], rooms.part[i, j], rooms.whole[i, j], abs(schedule[i])]
        amounts = [edge + step * STEP_KWH for edge in edges for step in (-1, 0, 1)]
        amounts.append(float(floored(np.array(chance.uniform(0, 1)))))
        for amount in amounts:
            if amount > 0:
                expected = possible(store, schedule, (i, j), amount)
                assert rooms.allows((i, j), amount) == expected, (i, j, amount)


@settings(deadline=None)
@given(SEEDS)
def test_a_move_keeps_the_energy_of_the_store(seed: int) -> None:
    store, schedule = random_store(seed)
    rooms = room(store, schedule)
    for i, j in np.argwhere(rooms.most > 0):
        after = moved(schedule, (i, j), rooms.most[i, j])
        assert after.sum() == schedule.sum()
        assert store.fault(after) is None


def test_a_move_to_later_slots_needs_headroom_below_in_between() -> None:
    schedule = np.array([0.5, 0, 0, 0, 0, 0, 0, 0.25])
    tight = replace(BOILER, low_kwh=np.full(SLOTS, 4.5))
    assert tight.levels(schedule)[6] == 4.75
    assert room(tight, schedule).part[0, 7] == 0.25
    assert room(tight, schedule).part[7, 0] == 0.0  # full power in slot 0 already
    assert room(tight, schedule).part[7, 1] == 0.25


def test_a_car_moves_whole_slots_or_leaves_its_least_power_at_both_ends() -> None:
    schedule = np.array([0, 2.0, 1.0, 1.0, 0, 0, 0, 0])
    rooms = room(CAR, schedule)
    assert (rooms.part[1, 5], rooms.whole[1, 5], rooms.least[1, 5]) == (1.0, 2.0, 1.0)
    assert (rooms.part[1, 2], rooms.whole[1, 2], rooms.least[1, 2]) == (1.0, 0.0, STEP_KWH)
    assert (rooms.part[2, 3], rooms.whole[2, 3]) == (0.0, 1.0)
    assert rooms.most[1, 7] == rooms.most[1, 0] == 0.0  # not plugged in
    assert not rooms.allows((1, 5), 1.5)


def test_a_battery_never_moves_what_it_takes_to_where_it_gives() -> None:
    schedule = np.array([0.25, -0.25, 0, 0, 0.25, 0, 0, 0])
    rooms = room(BATTERY, schedule)
    assert rooms.most[0, 1] == 0.0
    assert rooms.part[4, 0] == 0.25
    assert rooms.part[2, 1] == 0.25  # gives in slot 2 instead of slot 1
    assert rooms.part[1, 2] == 0.0
    assert rooms.part[0, 4] == 0.25


@pytest.mark.parametrize(
    ("store", "schedule"),
    [
        (BOILER, [0, 0, 0, 0.25, 0, 0, 0.5, 0.25]),
        (replace(BOILER, level_kwh=4.5, use_kwh=np.zeros(SLOTS)), [0.25] * SLOTS),
        (CAR, [0, 0, 1.0, 0, 1.5, 1.5, 0, 0]),
    ],
)
def test_the_marginal_cost_is_the_derivative_of_the_squared_discomfort(
    store: Store, schedule: list[float]
) -> None:
    plan = np.array(schedule)
    cost = store.marginal_cost(plan)
    for slot in range(SLOTS):
        more, less = plan.copy(), plan.copy()
        more[slot] += 1e-6
        less[slot] -= 1e-6 * (plan[slot] > 0)
        change = discomfort(store, more) ** 2 - discomfort(store, less) ** 2
        assert cost[slot] == pytest.approx(change / (more - less)[slot], rel=1e-3, abs=1e-6)


def test_what_has_no_wish_costs_nothing() -> None:
    assert not BATTERY.marginal_cost(np.zeros(SLOTS)).any()
