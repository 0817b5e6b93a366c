"""Plans from devices: all can be followed, all have the same energy, the first is preferred."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.devices.energy_grid import FILE_STEP_KWH, on_grid
from agents.devices.home import Home
from agents.devices.home_plans import Caps, plans_of, preferred_schedules, smooth_price
from agents.devices.home_table import Homes
from agents.devices.store_filling import averaged, filled
from protocol.errors import InputError
from tests.support.devices import BATTERY, BOILER, CAR, DRYER, SLOTS, WASHER

HOME = Home(
    id="h1",
    base_kwh=np.full(SLOTS, 0.125),
    solar_kwh=np.array([0, 0, 0, 0.5, 0.5, 0, 0, 0]),
    devices=(DRYER, BATTERY, WASHER, BOILER, CAR),
)


def test_the_preferred_plan_is_the_one_at_ease() -> None:
    schedules = preferred_schedules(HOME)
    assert list(schedules) == ["dryer", "battery", "washer", "boiler", "car"]
    assert schedules["washer"].tolist() == WASHER.at(2).tolist()
    assert schedules["dryer"].tolist() == DRYER.at(5).tolist()
    assert schedules["car"].tolist() == [0, 2, 2, 0, 0, 0, 0, 0]
    assert schedules["boiler"].tolist() == [0.25] * SLOTS
    # The battery gives what the rest of the home needs until it is empty, and takes from the sun.
    assert schedules["battery"][:4].tolist() == [-0.375, -0.5, -0.5, 0.125]
    assert schedules["battery"][4:].tolist() == [-0.125, -0.5, -13 / 1024, 0]
    assert HOME.fault(schedules) is None


def test_a_battery_takes_what_the_sun_gives_too_much() -> None:
    home = replace(HOME, devices=(replace(BATTERY, level_kwh=4.0),))
    assert preferred_schedules(home)["battery"].tolist() == pytest.approx(
        [0, 0, 0, 0.375, 0.375, -0.125, -0.125, -0.125]
    )


def test_a_dryer_waits_for_a_washer_that_is_late() -> None:
    late = replace(WASHER, preferred_start=4, latest_start=4)
    dryer = replace(DRYER, profile_kwh=np.array([0.5]), latest_start=7)
    schedules = preferred_schedules(replace(HOME, devices=(dryer, late)))
    assert schedules["dryer"].tolist() == dryer.at(7).tolist()


def test_the_last_slots_of_a_car_share_what_is_less_than_its_least_power() -> None:
    car = replace(CAR, need_kwh=4.5, low_kwh=np.full(SLOTS, 0.0))
    assert car.preferred(HOME.fixed_kwh).tolist() == [0, 2, 1.5, 1, 0, 0, 0, 0]
    price = np.array([0, 1, 2, 3, 4, 5, 6, 7.0])
    assert filled(car, price, 4.5).tolist() == [0, 2, 1.5, 1, 0, 0, 0, 0]


def test_energy_goes_to_the_cheapest_slots_before_each_deadline() -> None:
    low = np.full(SLOTS, 4.0)
    low[3] = 6.0
    boiler = replace(BOILER, level_kwh=6.0, low_kwh=low, use_kwh=np.full(SLOTS, 0.25))
    price = np.array([5, 3, 4, 6, 1, 2, 7, 8.0])
    # 1 kWh by slot 3, at the cheapest of the first four; the rest at the cheapest of all.
    assert filled(boiler, price, 1.75).tolist() == [0, 0.5, 0.5, 0, 0.5, 0.25, 0, 0]


def test_the_mean_of_two_schedules_keeps_their_energy() -> None:
    step = FILE_STEP_KWH
    first, second = np.array([step, 0, 3 * step, 0]), np.array([0, step, 0, 3 * step])
    mean = averaged(first, second)
    assert mean.tolist() == [step, 0, 2 * step, step]
    assert mean.sum() == first.sum() == second.sum()


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_every_plan_can_be_followed_within_the_caps(seed: int) -> None:
    chance = np.random.default_rng(seed)
    caps = Caps(all=1.0, by_device={"washer": 0.25})
    home = replace(HOME, base_kwh=np.round(chance.uniform(0, 1, SLOTS) * 64) / 64)
    plans = plans_of(home, 6, chance, caps)
    energy = home.total(plans[0]).sum()
    assert len({home.total(plan).tobytes() for plan in plans}) == len(plans) > 1
    at_ease = home.discomforts(plans[0])
    for plan in plans:
        assert home.fault(plan) is None
        assert home.total(plan).sum() == energy
        assert all(on_grid(schedule, FILE_STEP_KWH) for schedule in plan.values())
        for name, discomfort in home.discomforts(plan).items():
            assert discomfort <= max(caps.of(name), at_ease[name])


def test_plans_are_the_same_for_the_same_seed() -> None:
    first, again, other = (plans_of(HOME, 5, np.random.default_rng(n)) for n in (3, 3, 4))
    totals = [[HOME.total(plan).tolist() for plan in plans] for plans in (first, again, other)]
    assert totals[0] == totals[1] != totals[2]


def test_a_home_without_freedom_has_one_plan() -> None:
    assert len(plans_of(replace(HOME, devices=()), 10, np.random.default_rng(0))) == 1
    fixed = replace(WASHER, earliest=2, latest_start=2)
    home = replace(HOME, devices=(fixed,))
    assert len(plans_of(home, 10, np.random.default_rng(0))) == 1


def test_a_device_that_cannot_do_what_it_must_is_named() -> None:
    cold = replace(BOILER, use_kwh=np.full(SLOTS, 1.0))
    with pytest.raises(InputError) as caught:
        preferred_schedules(replace(HOME, devices=(cold,)))
    assert caught.value.field == "boiler"
    assert "falls below its lowest level in slot 4" in caught.value.reason


def test_prices_vary_over_hours_around_zero() -> None:
    price = smooth_price(96, np.random.default_rng(1))
    assert abs(price.mean()) < 1e-9
    assert np.abs(np.diff(price)).max() < 0.5 * np.ptp(price)


def test_plans_of_the_reference_homes_are_diverse(homes: Homes) -> None:
    chance = np.random.default_rng(8)
    for own in list(homes.homes.values())[:60]:
        plans = plans_of(own.home, 10, chance)
        assert all(own.home.fault(plan) is None for plan in plans)
        assert len({float(own.home.total(plan).sum()) for plan in plans}) == 1
        if any(device.kind == "store" for device in own.home.devices):
            assert len(plans) == 10
