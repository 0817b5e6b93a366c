"""Devices and homes for tests: small ones by hand, and random ones by seed."""

from dataclasses import replace

import numpy as np

from agents.devices.cycle import Cycle
from agents.devices.energy_grid import floored
from agents.devices.store import Store
from agents.devices.store_wishes import Reserve, Warmth
from protocol.vectors import Array

SLOTS = 8


WASHER = Cycle(
    name="washer",
    profile_kwh=np.array([0.5, 0.0, 0.25]),
    earliest=1,
    preferred_start=2,
    latest_start=4,
    tolerance_min=60.0,
    slots=SLOTS,
    slot_minutes=15.0,
)
"""A run of three slots that is wanted in slot 2 of 8."""

DRYER = replace(WASHER, name="dryer", preferred_start=5, latest_start=5, after="washer")
"""A run that may start once the washer has ended."""

BOILER = Store(
    name="boiler",
    what="boiler",
    level_kwh=6.0,
    low_kwh=np.full(SLOTS, 4.0),
    high_kwh=np.full(SLOTS, 7.0),
    use_kwh=np.full(SLOTS, 0.25),
    plugged=(0, SLOTS),
    max_in_kwh=0.5,
    wish=Warmth(wish_kwh=5.0, kwh_per_degree=0.125, tolerance=4.0),
)
"""A store of 40 to 70 degrees at 0.125 kWh per degree; people want 50."""

CAR = Store(
    name="car",
    what="ev",
    level_kwh=10.0,
    low_kwh=np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 13.6, 13.6]),
    high_kwh=np.full(SLOTS, 20.0),
    use_kwh=np.zeros(SLOTS),
    plugged=(1, 7),
    max_in_kwh=2.0,
    min_in_kwh=1.0,
    efficiency_in=0.9,
    wish=Reserve(
        first_kwh=10.0,
        wish_kwh=11.8,
        full_power_kwh=1.8,
        plugged=(1, 7),
        slots_per_hour=4.0,
        tolerance=2.0,
    ),
)
"""A car that needs 4 kWh by slot 7, 2 of them soon."""

BATTERY = replace(
    BOILER,
    name="battery",
    what="battery",
    use_kwh=np.zeros(SLOTS),
    max_out_kwh=0.5,
    efficiency_in=0.95,
    efficiency_out=0.95,
    wish=None,
)
"""A battery of 4 to 7 kWh, at 6."""


def random_store(seed: int) -> tuple[Store, Array]:
    """Return a random store and a random schedule on the grid that it can follow.

    The schedule comes first; its bounds are laid around the levels that it leads to, often tight.
    """
    chance = np.random.default_rng(seed)
    slots = int(chance.integers(2, SLOTS + 1))
    min_in, max_out = float(chance.choice([0.0, 0.5])), float(chance.choice([0.0, 0.75]))
    kinds = [
        np.zeros(slots),
        chance.choice([0.5, 0.75, 1.0], slots),
        floored(chance.uniform(min_in, 1.0, slots)),
        -floored(chance.uniform(0.0, max_out, slots)),
    ]
    schedule = np.choose(chance.integers(0, len(kinds), slots), kinds)
    start = int(chance.integers(0, slots))
    plugged = (start, int(chance.integers(start + 1, slots + 1)))
    schedule[: plugged[0]] = schedule[plugged[1] :] = 0.0
    free = Store(
        name="store",
        what="random",
        level_kwh=float(chance.uniform(0, 10)),
        low_kwh=np.full(slots, -np.inf),
        high_kwh=np.full(slots, np.inf),
        use_kwh=chance.uniform(0, 0.5, slots),
        plugged=plugged,
        max_in_kwh=1.0,
        min_in_kwh=min_in,
        max_out_kwh=max_out,
        efficiency_in=float(chance.choice([0.9, 1.0, 3.2])),
        efficiency_out=float(chance.choice([0.95, 1.0])),
    )
    levels = free.levels(schedule)
    slack = chance.choice([0.0, 0.3, 1.0, 3.0], (2, slots)) * chance.uniform(0, 1, (2, slots))
    return replace(free, low_kwh=levels - slack[0], high_kwh=levels + slack[1]), schedule
