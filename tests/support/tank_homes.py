"""The home of the third party as a file: a tank and one run of a machine."""

import json
from pathlib import Path

import numpy as np

from agents.devices.cycle import Cycle
from agents.devices.home import Home, PlannedHome
from agents.devices.store import Store
from agents.devices.store_wishes import Warmth
from agents.plans import Plans
from tests.system.third_party.tank_home import UNIT, TankHome


def write_tank_home(file: Path, *, slots: int = 24, seed: int = 1) -> TankHome:
    """Write a home with five plans: the preferred one, and four that fill the tank later and start
    the machine at another time."""
    chance = np.random.default_rng([seed, 7])
    grid = 2.0**-10
    base = np.floor(chance.uniform(0.1, 0.5, slots) / grid) * grid
    use = np.floor(chance.uniform(0.2, 0.5, slots) / grid) * grid
    run = [0.5, 0.25]
    preferred, starts = slots // 3, list(range(slots // 4, slots - len(run)))
    settings = [(preferred, use.tolist())]
    for number in range(1, 5):
        split = slots * number // 6
        moved = np.floor(use * 0.25 * number / grid) * grid
        fill = use.copy()
        fill[:split] -= moved[:split]
        # What is not taken before the split is taken after it, in equal parts but for the last.
        rest = slots - split
        share = np.floor(moved[:split].sum() / rest / grid) * grid
        fill[split:] += share
        fill[-1] += moved[:split].sum() - share * rest
        settings.append((starts[len(starts) * number // 5], fill.tolist()))
    late = max(float((use - np.array(fill)).cumsum().max()) for _, fill in settings)
    told = {
        **{"base": base.tolist(), "run": run, "use": use.tolist(), "starts": starts},
        **{"preferred": preferred, "patience_slots": 4, "most": 2.0, "level": late + 1.0},
        **{"high": late + 3.0, "wish": late + 0.75, "tolerance": 1.0, "settings": settings},
    }
    file.write_text(json.dumps(told))
    home = TankHome.read(file)
    assert all(home.can(setting) for setting in home.settings)
    assert len({int(home.total(setting).sum()) for setting in home.settings}) == 1
    assert home.plans.shape == (5, slots)
    assert (home.plans * UNIT % 1 == 0).all()
    return home


def as_plans(home: TankHome) -> Plans:
    """Return the same home with devices of our own: a boiler and a washer."""
    slots = len(home.base)
    washer = Cycle(
        name="washer",
        profile_kwh=home.run / UNIT,
        earliest=home.starts[0],
        preferred_start=home.preferred,
        latest_start=home.starts[-1],
        tolerance_min=60.0 * home.patience_slots,
        slots=slots,
        slot_minutes=60.0,
    )
    boiler = Store(
        name="boiler",
        what="boiler",
        level_kwh=home.level / UNIT,
        low_kwh=np.zeros(slots),
        high_kwh=np.full(slots, home.high / UNIT),
        use_kwh=home.use / UNIT,
        plugged=(0, slots),
        max_in_kwh=home.most / UNIT,
        wish=Warmth(wish_kwh=home.wish / UNIT, kwh_per_degree=1.0, tolerance=home.tolerance / UNIT),
    )
    devices = Home(
        id="h7", base_kwh=home.base / UNIT, solar_kwh=np.zeros(slots), devices=(washer, boiler)
    )
    schedules = tuple(
        {"washer": washer.at(start), "boiler": fill / UNIT} for start, fill in home.settings
    )
    scores = np.zeros(len(schedules))
    scores[0] = 1.0
    return Plans(home.plans, scores, home=PlannedHome(devices, schedules))
