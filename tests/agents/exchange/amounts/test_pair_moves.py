"""Pair moves: what a home wants, what it does for nothing, and the room between few slots."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.devices.energy_grid import floored, on_grid
from agents.devices.store_moves import room
from agents.exchange.amounts.costless_store import costless
from agents.exchange.amounts.held_home import ROUNDING, HeldHome
from agents.exchange.amounts.inside_moves import rearrange
from agents.exchange.amounts.pair_moves import Limits, gain, serve
from protocol.errors import InputError
from protocol.vectors import Array
from tests.support.devices import random_store
from tests.support.random_homes import random_home

SEEDS = st.integers(0, 2**32 - 1)


def asked_of(held: HeldHome, seed: int) -> Limits:
    """Return random limits; each slot goes one way."""
    chance = np.random.default_rng(seed)
    amount = floored(chance.uniform(0.0, 1.0, held.slots))
    way = chance.integers(-1, 2, held.slots)
    return Limits.of(amount * way)


def check_change(held: HeldHome, changed: dict[str, Array], limits: Limits) -> None:
    change = held.change_of(changed)
    assert change.sum() == 0.0
    assert (change <= limits.up).all()
    assert (-change <= limits.down).all()
    assert on_grid(change)
    assert held.home.fault({**held.schedules, **changed}) is None


@given(SEEDS)
def test_the_room_between_few_slots_is_that_between_all(seed: int) -> None:
    store, schedule = random_store(seed)
    chance = np.random.default_rng(seed)
    rows = np.flatnonzero(chance.random(store.slots) < 0.6)
    columns = np.flatnonzero(chance.random(store.slots) < 0.6)
    few, every = room(store, schedule, rows, columns), room(store, schedule)
    place = np.ix_(rows, columns)
    np.testing.assert_array_equal(few.part, every.part[place])
    np.testing.assert_array_equal(few.whole, every.whole[place])
    np.testing.assert_array_equal(few.least, every.least[place])


@settings(deadline=None)
@given(SEEDS)
def test_a_home_that_serves_is_never_worse_off_and_can_follow(seed: int) -> None:
    held = random_home(seed)
    limits = asked_of(held, seed)
    changed = serve(held, limits)
    check_change(held, changed, limits)
    assert held.squares_after(changed) <= held.squares + ROUNDING
    assert held.may_take(changed)


@settings(deadline=None)
@given(SEEDS)
def test_a_home_gains_by_what_it_wants(seed: int) -> None:
    held = random_home(seed)
    limits = asked_of(held, seed)
    changed = gain(held, limits)
    check_change(held, changed, limits)
    assert not changed or held.squares_after(changed) < held.squares


@settings(deadline=None)
@given(SEEDS)
def test_inside_moves_leave_the_total_as_it_is(seed: int) -> None:
    held = random_home(seed)
    before, squares = held.total, held.squares
    moved = rearrange(held)
    np.testing.assert_array_equal(held.total, before)
    assert held.squares < squares if moved else held.squares == squares


def test_most_homes_do_something() -> None:
    """The properties above are not met by homes that never move."""
    served = gained = rearranged = 0
    for seed in range(60):
        held = random_home(seed)
        limits = asked_of(held, seed)
        served += bool(serve(held, limits))
        gained += bool(gain(held, limits))
        rearranged += rearrange(held)
    assert served > 30
    assert gained > 15
    assert rearranged > 5


@given(SEEDS)
def test_the_levels_that_cost_nothing_contain_the_present_ones(seed: int) -> None:
    store, schedule = random_store(seed)
    narrow = costless(store, schedule)
    levels = store.levels(schedule)
    assert (narrow.low_kwh <= np.maximum(levels, store.low_kwh)).all()
    assert (narrow.low_kwh <= narrow.high_kwh).all()


def test_a_home_takes_no_schedules_that_it_cannot_follow() -> None:
    held = random_home(3)
    name, schedule = next(iter(held.schedules.items()))
    with pytest.raises(ValueError, match="cannot follow"):
        held.take({name: schedule + 100.0})
    with pytest.raises(InputError, match="cannot be followed"):
        HeldHome(held.home, {**held.schedules, name: schedule + 100.0})


def test_a_home_does_not_take_what_changes_its_own_energy() -> None:
    for seed in range(40):
        held = random_home(seed)
        for store in held.stores:
            less = held.schedules[store.name].copy()
            less[np.argmax(less)] -= 2.0**-20
            if held.home.fault({**held.schedules, store.name: less}) is None:
                with pytest.raises(ValueError, match="own energy"):
                    held.take({store.name: less})
                assert not held.may_take({store.name: less})
                return
    pytest.fail("no home could take less")
