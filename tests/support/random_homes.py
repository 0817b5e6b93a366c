"""Random homes for tests: cycles, stores and a car, with schedules that they can follow."""

from dataclasses import replace

import numpy as np

from agents.devices.cycle import Cycle
from agents.devices.device import Device
from agents.devices.energy_grid import floored
from agents.devices.home import Home
from agents.devices.store import Store
from agents.devices.store_wishes import Reserve, Warmth
from agents.exchange.amounts.held_home import HeldHome
from protocol.terms import RuleName
from protocol.vectors import Array

SLOTS = 24


def random_home(seed: int, *, rule: RuleName = "mutual", slots: int = SLOTS) -> HeldHome:
    """Return a home with some devices, at random schedules on the grid that it can follow."""
    chance = np.random.default_rng([seed, 200])
    devices: list[Device] = []
    schedules: dict[str, Array] = {}
    if chance.random() < 0.6:
        washer = _cycle("washer", chance, slots)
        devices.append(washer)
        schedules["washer"] = washer.at(int(chance.choice(washer.starts)))
    for name, max_out, min_in in (("boiler", 0.0, 0.0), ("battery", 0.5, 0.0), ("car", 0.0, 0.5)):
        if chance.random() < 0.5:
            store, schedule = _store(name, chance, slots, max_out=max_out, min_in=min_in)
            devices.append(store)
            schedules[name] = schedule
    base = floored(chance.uniform(0.0, 1.0, slots))
    home = Home(id=f"h{seed}", base_kwh=base, solar_kwh=np.zeros(slots), devices=tuple(devices))
    return HeldHome(home, schedules, rule=rule)


def _cycle(name: str, chance: np.random.Generator, slots: int) -> Cycle:
    profile = chance.integers(1, 5, int(chance.integers(1, 4))) / 8.0
    latest = slots - len(profile)
    earliest = int(chance.integers(0, latest + 1))
    return Cycle(
        name=name,
        profile_kwh=profile,
        earliest=earliest,
        preferred_start=int(chance.integers(earliest, latest + 1)),
        latest_start=latest,
        tolerance_min=60.0,
        slots=slots,
        slot_minutes=60.0,
    )


def _store(
    name: str, chance: np.random.Generator, slots: int, *, max_out: float, min_in: float
) -> tuple[Store, Array]:
    """Return a store whose bounds lie around the levels of a random schedule."""
    taken = np.where(
        chance.random(slots) < 0.5, floored(chance.uniform(max(min_in, 0.1), 1.0, slots)), 0.0
    )
    given = floored(chance.uniform(0.0, max_out, slots)) * (taken == 0.0) if max_out else 0.0
    schedule = np.asarray(taken - given)
    free = Store(
        name=name,
        what=name,
        level_kwh=5.0,
        low_kwh=np.full(slots, -np.inf),
        high_kwh=np.full(slots, np.inf),
        use_kwh=chance.uniform(0.0, 0.3, slots) if name == "boiler" else np.zeros(slots),
        plugged=(0, slots),
        max_in_kwh=1.0,
        min_in_kwh=min_in,
        max_out_kwh=max_out,
        efficiency_in=float(chance.choice([0.9, 1.0, 3.0])),
        efficiency_out=0.95 if max_out else 1.0,
    )
    levels = free.levels(schedule)
    low = levels - chance.choice([0.0, 0.5, 2.0]) * chance.uniform(0, 1, slots)
    high = levels + chance.choice([0.0, 0.5, 2.0]) * chance.uniform(0, 1, slots)
    store = replace(free, low_kwh=low, high_kwh=high)
    if name == "boiler":
        wish = float(chance.uniform(levels.min(), levels.max()))
        too_warm = float(chance.choice([np.inf, levels.max()]))
        return replace(store, wish=Warmth(wish, 0.1, 4.0, too_warm)), schedule
    if name == "car" and taken.sum() > 0:
        reserve = Reserve(
            first_kwh=5.0,
            wish_kwh=5.0 + 0.5 * free.efficiency_in * float(taken.sum()),
            full_power_kwh=free.efficiency_in,
            plugged=(0, slots),
            slots_per_hour=1.0,
            tolerance=2.0,
        )
        return replace(store, wish=reserve), schedule
    return store, schedule
