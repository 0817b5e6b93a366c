"""Homes, cycles and stores: which schedules they can follow, and what those cost."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from agents.devices.device import Device, discomfort
from agents.devices.energy_grid import STEP_KWH, floored, from_counts, on_grid, rounded, to_counts
from agents.devices.home import Home
from agents.devices.store import Store
from protocol.errors import InputError
from tests.support.devices import BATTERY, BOILER, CAR, DRYER, SLOTS, WASHER

HOME = Home(
    id="h1",
    base_kwh=np.full(SLOTS, 0.125),
    solar_kwh=np.array([0, 0, 0, 0.5, 0.5, 0, 0, 0]),
    devices=(DRYER, WASHER, BOILER),
)
SCHEDULES = {"washer": WASHER.at(2), "dryer": DRYER.at(5), "boiler": np.full(SLOTS, 0.25)}


def test_the_grid_adds_exactly_and_travels_as_counts() -> None:
    amounts = rounded(np.array([0.1, -0.3, 2.75]))
    assert amounts.tolist() == [102 / 1024, -307 / 1024, 2.75]
    assert on_grid(amounts)
    assert not on_grid(np.array([0.1]))
    assert not on_grid(np.array([2.0**33]))
    assert from_counts(to_counts(amounts)).tolist() == amounts.tolist()
    assert floored(np.array([STEP_KWH * 1.9, -STEP_KWH * 0.1])).tolist() == [STEP_KWH, -STEP_KWH]
    with pytest.raises(ValueError, match="multiple of 2"):
        to_counts(np.array([0.1]))


def test_a_cycle_runs_once_and_whole_within_its_window() -> None:
    assert WASHER.fault(WASHER.at(4)) is None
    assert WASHER.setback(WASHER.at(4)) == 30.0
    assert discomfort(WASHER, np.array([WASHER.at(1), WASHER.at(4)])).tolist() == [0.25, 0.5]
    assert WASHER.fault(WASHER.at(5)) == "starts in slot 5, not in 1 to 4"
    for wrong in (np.zeros(SLOTS), WASHER.at(1) + WASHER.at(4), 2 * WASHER.at(2)):
        assert WASHER.fault(wrong) == "not one whole run of its profile"


def test_a_cycle_with_a_pause_first_is_found() -> None:
    late = replace(WASHER, profile_kwh=np.array([0.0, 0.0, 0.5]))
    assert [int(late.start(late.at(start))) for start in (1, 4)] == [1, 4]
    assert late.fault(np.array([0.5, 0, 0, 0, 0, 0, 0, 0])) is not None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"earliest": 3}, "earliest"),
        ({"earliest": -1}, "earliest"),
        ({"latest_start": 1}, "latest_start"),
        ({"latest_start": 6}, "latest_start"),
        ({"profile_kwh": np.zeros(3)}, "profile"),
        ({"profile_kwh": np.array([])}, "profile"),
        ({"profile_kwh": np.array([1.0, -1.0])}, "profile"),
        ({"tolerance_min": 0.0}, "tolerance_min"),
    ],
)
def test_an_impossible_cycle_names_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as caught:
        replace(WASHER, **changes)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("store", "schedule", "fault"),
    [
        (BOILER, [0.25] * 8, None),
        (BOILER, [0] * 8, None),
        (BOILER, [0.5, 0.5, 0.5, 0.5, 0.5, 0, 0, 0], "rises above its highest level in slot 4"),
        (replace(BOILER, level_kwh=5.0), [0] * 8, "falls below its lowest level in slot 4"),
        (BOILER, [0.75, 0, 0, 0, 0, 0, 0, 0], "takes more than 0.5 kWh in slot 0"),
        (BOILER, [-0.25, 0, 0, 0, 0, 0, 0, 0], "gives more than 0 kWh in slot 0"),
        (CAR, [0, 2, 2, 0, 0, 0, 0, 0], None),
        (CAR, [0, 2, 1, 0, 0, 0, 0, 0], "falls below its lowest level in slot 6"),
        (CAR, [0, 2, 1.5, 0.5, 0, 0, 0, 0], "takes less than 1 kWh in slot 3"),
        (CAR, [2, 2, 0, 0, 0, 0, 0, 0], "is not plugged in in slot 0"),
        (CAR, [0, 2, 0, 0, 0, 0, 0, 2], "is not plugged in in slot 7"),
        (BATTERY, [0.5, -0.5, 0, 0, 0, 0, 0, 0], None),
        (BATTERY, [0, -0.75, 0, 0, 0, 0, 0, 0], "gives more than 0.5 kWh in slot 1"),
    ],
)
def test_what_a_store_can_follow(store: Store, schedule: list[float], fault: str | None) -> None:
    assert store.fault(np.array(schedule, dtype=np.float64)) == fault


def test_losses_of_a_battery_are_in_its_levels() -> None:
    levels = BATTERY.levels(np.array([0.5, -0.38, 0, 0, 0, 0, 0, 0]))
    assert levels[:2].tolist() == pytest.approx([6.475, 6.075])


def test_degrees_short_are_a_root_mean_square() -> None:
    # From 48 degrees, 2 a slot colder: 46, 44, ... without power, against a wish of 50.
    cold = replace(BOILER, low_kwh=np.zeros(SLOTS), level_kwh=6.0)
    levels = cold.levels(np.zeros(SLOTS)) / 0.125
    assert levels.tolist() == [46, 44, 42, 40, 38, 36, 34, 32]
    expected = np.sqrt(np.mean(np.maximum(40 - levels, 0) ** 2))
    assert cold.setback(np.zeros(SLOTS)) == pytest.approx(expected)
    assert discomfort(cold, np.zeros(SLOTS)) == pytest.approx(expected / 4)


def test_a_reserve_is_late_by_the_mean_hours_of_its_energy() -> None:
    soon, later = np.array([0, 2.0, 2, 0, 0, 0, 0, 0]), np.array([0, 0, 0, 2.0, 2, 0, 0, 0])
    assert CAR.setback(soon) == 0.0
    assert CAR.setback(later) == pytest.approx(0.5)  # all of it two slots later
    halves = np.array([0, 1.0, 0, 0, 0, 1, 2, 0])
    assert CAR.setback(halves) == pytest.approx(0.5)  # half of it four slots later
    assert discomfort(CAR, np.array([soon, later])).tolist() == pytest.approx([0.0, 0.25])


def test_a_home_sums_its_devices_and_checks_each() -> None:
    assert HOME.fault(SCHEDULES) is None
    expected = HOME.fixed_kwh + sum(SCHEDULES.values())
    assert HOME.total(SCHEDULES).tolist() == expected.tolist()
    assert HOME.fixed_kwh[3] == -0.375
    off_grid = {**SCHEDULES, "boiler": np.full(SLOTS, 0.1)}
    assert HOME.fault(off_grid) == "boiler: not 8 multiples of 2^-20 kWh"
    short = {**SCHEDULES, "boiler": np.zeros(3)}
    assert HOME.fault(short) == "boiler: not 8 multiples of 2^-20 kWh"
    cold = {**SCHEDULES, "boiler": np.full(SLOTS, -0.25)}
    assert HOME.fault(cold) == "boiler: gives more than 0 kWh in slot 0"
    assert "but devices" in str(HOME.fault({"washer": WASHER.at(2)}))


def test_a_dryer_waits_for_the_washer() -> None:
    early = {**SCHEDULES, "washer": WASHER.at(3)}
    assert HOME.fault(early) == "dryer: starts in slot 5, before washer ends"
    assert HOME.starts(WASHER, SCHEDULES) == range(1, 3)
    assert HOME.starts(DRYER, SCHEDULES) == range(5, 6)


def test_discomfort_of_a_home_is_over_the_devices_with_a_wish() -> None:
    home = replace(HOME, devices=(WASHER, BATTERY, BOILER))
    schedules = {"washer": WASHER.at(4), "battery": np.zeros(SLOTS), "boiler": np.full(SLOTS, 0.25)}
    assert home.discomforts(schedules) == {"washer": 0.5, "boiler": 0.0}
    assert home.discomfort(schedules) == pytest.approx(0.5 / np.sqrt(2))
    assert replace(HOME, devices=(BATTERY,)).discomfort({"battery": np.zeros(SLOTS)}) is None


@pytest.mark.parametrize(
    ("devices", "field"),
    [
        ((WASHER, WASHER), "device"),
        ((DRYER,), "dryer.after"),
        ((DRYER, replace(BOILER, name="washer")), "dryer.after"),
        ((replace(WASHER, after="dryer"), replace(DRYER, latest_start=5)), "dryer.after"),
        ((replace(WASHER, after="washer"),), "washer.after"),
        ((replace(WASHER, earliest=3, preferred_start=3), DRYER), "dryer.latest_start"),
    ],
)
def test_devices_that_do_not_fit_together(devices: tuple[Device, ...], field: str) -> None:
    with pytest.raises(InputError) as caught:
        replace(HOME, devices=devices)
    assert caught.value.field == field
