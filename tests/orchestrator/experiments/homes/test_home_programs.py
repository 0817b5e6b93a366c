"""Homes as linear programs: what devices can follow, and what a central planner finds."""

import numpy as np
import pytest

from agents.devices.device import Device
from agents.devices.home import Home
from orchestrator.experiments.homes.followable import (
    Swap,
    first_bundles,
    followed,
    welcome_slots,
)
from orchestrator.experiments.homes.home_programs import (
    can_follow,
    least_discomfort,
    least_peak,
)
from orchestrator.results.run_results import ExchangeRow
from tests.support.devices import BATTERY, BOILER, CAR, DRYER, SLOTS, WASHER
from tests.support.random_homes import random_home

BASE = np.full(SLOTS, 0.25)


def home(*devices: Device) -> Home:
    return Home(id="h0", base_kwh=BASE, solar_kwh=np.zeros(SLOTS), devices=devices)


@pytest.mark.parametrize("seed", range(12))
def test_what_devices_do_can_be_followed(seed: int) -> None:
    held = random_home(seed)
    assert can_follow(held.home, held.total)
    more = held.total.copy()
    more[0] += 100.0
    assert not can_follow(held.home, more)


def test_a_cycle_follows_only_whole_runs_in_its_window() -> None:
    for start in range(SLOTS - 3):
        total = BASE + WASHER.at(start)
        assert can_follow(home(WASHER), total) == (start in WASHER.starts)
    assert not can_follow(home(WASHER), BASE)
    assert not can_follow(home(), BASE + 0.01)


def test_a_dryer_waits_for_the_washer() -> None:
    both = home(WASHER, DRYER)
    assert can_follow(both, BASE + WASHER.at(2) + DRYER.at(5))
    assert not can_follow(both, BASE + WASHER.at(4) + DRYER.at(4))


def test_a_store_keeps_its_bounds_and_its_least_power() -> None:
    flat = np.where((np.arange(SLOTS) >= 1) & (np.arange(SLOTS) < 5), 1.0, 0.0)
    assert can_follow(home(CAR), BASE + flat)
    assert not can_follow(home(CAR), BASE + flat * 0.5)  # too little by departure
    assert not can_follow(home(CAR), BASE + np.where(np.arange(SLOTS) < 6, 0.7, 0.0))
    assert can_follow(home(BATTERY), BASE)
    assert not can_follow(home(BATTERY), BASE - 0.5)  # empty after a while


def test_the_least_peak_is_that_of_whole_cycles_side_by_side() -> None:
    plan = least_peak([home(WASHER), home(WASHER)], seconds=10.0)
    assert plan.peak_kwh == pytest.approx(1.0)
    relaxed = least_peak([home(WASHER), home(WASHER)], seconds=10.0, peak_kwh=2.0)
    assert relaxed.schedules is not None
    assert [WASHER.start(own["washer"]) for own in relaxed.schedules] == [2, 2]


def test_the_relaxation_reaches_ease_where_others_have_room() -> None:
    washer, boiler = home(WASHER), home(BOILER)
    late, warm = BASE + WASHER.at(3), BASE + np.array([0.25, 0.25, 0.5, 0.0, 0.25, 0.0, 0.25, 0.25])
    least, _ = least_discomfort([washer, boiler], [late, warm], seconds=10.0)
    assert least == pytest.approx(0.0, abs=1e-6)
    alone, solution = least_discomfort([washer], [late], seconds=10.0)
    assert np.isnan(alone)
    assert solution.infeasible


def test_swaps_are_asked_of_both_homes() -> None:
    homes = {"a": home(BATTERY), "b": home(BATTERY), "c": home()}
    now = {"a": BASE + 0.125 * (np.arange(SLOTS) == 0), "b": BASE, "c": BASE}
    swaps = [Swap(("a", "b"), (0,)), Swap(("a", "c"), (0,)), Swap(("b", "c"), (1,))]
    found = followed(swaps, homes, now)
    assert (found.both, found.one, found.neither) == (2, 1, 0)
    assert found.share == pytest.approx(2 / 3)


def test_only_swaps_that_both_welcome_are_drawn() -> None:
    preferred = {"a": np.array([1.0, 0.0]), "b": np.array([0.0, 1.0])}
    now = {"a": np.array([0.0, 0.0]), "b": np.array([1.0, 1.0])}
    swaps = welcome_slots(now, preferred, count=5, seed=0)
    assert {swap.slots for swap in swaps} == {(0,)}
    assert not welcome_slots(preferred, preferred, count=5, seed=0)


def test_first_bundles_are_of_homes_that_had_not_exchanged() -> None:
    def row(round: int, slot: int, one: str, other: str) -> ExchangeRow:
        return ExchangeRow(
            round=round,
            slot=slot,
            requester=one,
            responder=other,
            given=0.0,
            taken=1.0,
            requester_gain=0.0,
            responder_gain=0.0,
        )

    rows = [row(1, 3, "a", "b"), row(1, 4, "a", "b"), row(1, 5, "c", "b"), row(2, 6, "d", "e")]
    assert first_bundles(rows) == [Swap(("a", "b"), (3, 4)), Swap(("d", "e"), (6,))]
