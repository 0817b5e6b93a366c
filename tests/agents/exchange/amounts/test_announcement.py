"""Announcements: amounts rounded down to powers of sqrt 2, and what they promise."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.devices.energy_grid import floored
from agents.exchange.amounts.announcement import (
    DIRECTION_KWH,
    LEAST_ANNOUNCED_KWH,
    announcement,
    on_ladder,
)
from agents.exchange.amounts.pair_moves import Limits, serve
from tests.support.random_homes import random_home


@given(st.lists(st.floats(0.0, 1e6), min_size=1))
def test_an_amount_is_announced_by_the_next_lower_power_of_sqrt_2(amounts: list[float]) -> None:
    kwh = np.array(amounts)
    named = on_ladder(kwh)
    known = kwh >= LEAST_ANNOUNCED_KWH
    assert (named[~known] == 0.0).all()
    assert (named <= kwh).all()
    assert (named[known] * 2**0.5 * (1 + 1e-12) > kwh[known]).all()
    steps = 2 * np.log2(named[known])
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-9)


def test_a_step_of_the_ladder_is_announced_as_itself() -> None:
    np.testing.assert_array_equal(on_ladder(np.array([0.25, 0.5, 1.0, 8.0])), [0.25, 0.5, 1.0, 8.0])


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_home_can_do_something_at_every_slot_that_it_announces(seed: int) -> None:
    held = random_home(seed)
    says = announcement(held)
    for slot in np.flatnonzero(says.up_kwh).tolist():
        up = np.zeros(held.slots)
        # What a car moves as a whole is up to sqrt 2 more than it announces.
        up[slot] = 2 * floored(says.up_kwh[slot : slot + 1])[0]
        down = np.full(held.slots, 10.0)
        down[slot] = 0.0
        assert serve(held, Limits(down=down, up=up))


def test_directions_are_announced_without_amounts() -> None:
    told = 0
    for seed in range(20):
        held = random_home(seed)
        full = announcement(held)
        held.disclosure = "direction"
        says = announcement(held)
        for amounts, named in ((full.up_kwh, says.up_kwh), (full.down_kwh, says.down_kwh)):
            np.testing.assert_array_equal(named, np.where(amounts > 0.0, DIRECTION_KWH, 0.0))
            told += len(set(amounts.tolist()) - {0.0})
    assert told > 20
