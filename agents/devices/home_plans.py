"""Plans from devices: what a home would do at its ease, and what it could do instead.

This module decides the plans that a home offers to stage 1. The first is the preferred one. Each
other follows a random smooth price, so that plans differ in when they use energy. All can be
followed, and all have the same energy over the day, exactly.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from agents.devices.cycle import Cycle
from agents.devices.home import Home, Schedules
from agents.devices.store import Store
from protocol.errors import InputError
from protocol.vectors import Array

CAP = 1.0
"""Greatest discomfort of a device in a plan, unless its people allow more."""
_HARMONICS = 6
_TRIES = 3
"""Prices that are tried per plan: a home with little flexibility has fewer plans."""


@dataclass(frozen=True, slots=True)
class Caps:
    """The greatest discomfort u that people allow in plans: for all devices, and for some."""

    all: float = CAP
    by_device: Mapping[str, float] = field(default_factory=dict)

    def of(self, device: str) -> float:
        """Return the cap of a device."""
        return self.by_device.get(device, self.all)


NO_MANDATE = Caps()
_UNBOUND = Caps(all=float("inf"))


def preferred_schedules(home: Home) -> Schedules:
    """Return the schedules of greatest comfort: cycles when they are wanted, the car at once, heat
    by thermostat, a battery for own use.

    Raises InputError, naming the device, if it cannot be followed.
    """
    schedules: dict[str, Array] = {}
    for cycle in _in_order(home):
        first, last = _window(home, cycle, schedules, _UNBOUND)
        schedules[cycle.name] = cycle.at(min(max(cycle.preferred_start, first), last))
    others = [device for device in home.devices if not isinstance(device, Cycle)]
    others.sort(key=lambda device: isinstance(device, Store) and device.max_out_kwh > 0.0)
    rest_kwh = home.fixed_kwh + sum(schedules.values(), np.zeros(home.slots))
    for device in others:
        schedules[device.name] = device.preferred(rest_kwh)
        rest_kwh = rest_kwh + schedules[device.name]
    for device in home.devices:
        fault = device.fault(schedules[device.name])
        if fault is not None:
            reason = f"cannot do what it must: {fault}; give it more power, time or room"
            raise InputError(reason, field=device.name)
    return {device.name: schedules[device.name] for device in home.devices}


def plans_of(
    home: Home, count: int, chance: Generator, caps: Caps = NO_MANDATE
) -> tuple[Schedules, ...]:
    """Return at most `count` different plans, the preferred one first.

    In the others no device has a discomfort above its cap, or above that in the preferred plan.
    Raises InputError, naming the device, if not even the preferred plan can be followed.
    """
    preferred = preferred_schedules(home)
    plans, seen = [preferred], {home.total(preferred).tobytes()}
    for _ in range(_TRIES * (count - 1) if home.devices else 0):
        if len(plans) == count:
            break
        plan = _plan(home, smooth_price(home.slots, chance), chance, preferred, caps)
        total = home.total(plan).tobytes()
        if total not in seen and home.fault(plan) is None:
            plans.append(plan)
            seen.add(total)
    return tuple(plans)


def smooth_price(slots: int, chance: Generator) -> Array:
    """Return a random price per slot that varies over hours, float64[d], with mean 0."""
    wave = np.arange(1, _HARMONICS + 1)[:, None]
    angle = 2.0 * np.pi * wave * np.arange(slots) / slots
    phase = chance.uniform(0.0, 2.0 * np.pi, (_HARMONICS, 1))
    size = chance.normal(size=(_HARMONICS, 1)) / np.sqrt(wave)
    return np.asarray((size * np.cos(angle + phase)).sum(0))


def _plan(
    home: Home, price: Array, chance: Generator, preferred: Schedules, caps: Caps
) -> Schedules:
    """Return the schedules that follow a price."""
    schedules: dict[str, Array] = {}
    for cycle in _in_order(home):
        first, last = _window(home, cycle, schedules, caps)
        start = cycle.cheapest_start(price, chance, first=first, last=last, cap=caps.of(cycle.name))
        schedules[cycle.name] = cycle.at(start)
    for device in home.devices:
        if not isinstance(device, Cycle):
            schedules[device.name] = device.cheapest(
                price, chance, preferred=preferred[device.name], cap=caps.of(device.name)
            )
    return {device.name: schedules[device.name] for device in home.devices}


def _in_order(home: Home) -> list[Cycle]:
    """Return the cycles of a home, each after the one that it waits for."""
    cycles = {device.name: device for device in home.devices if isinstance(device, Cycle)}
    ordered: dict[str, Cycle] = {}
    for cycle in cycles.values():
        chain = [cycle]
        while (before := chain[-1].after) is not None:
            chain.append(cycles[before])
        ordered.update((each.name, each) for each in reversed(chain))
    return list(ordered.values())


def _window(home: Home, cycle: Cycle, schedules: Schedules, caps: Caps) -> tuple[int, int]:
    """Return the first and last start of a cycle: after the one that it waits for, as scheduled,
    and so that those that wait for it can still run within their caps."""
    first = cycle.earliest
    if cycle.after is not None:
        before = home.device(cycle.after)
        assert isinstance(before, Cycle)
        first = max(first, int(before.start(schedules[cycle.after])) + before.length)
    return first, max(_last_start(home, cycle, caps), first)


def _last_start(home: Home, cycle: Cycle, caps: Caps) -> int:
    late_max = caps.of(cycle.name) * cycle.tolerance_min / cycle.slot_minutes
    last = min(cycle.latest_start, cycle.preferred_start + late_max)
    waiting = [d for d in home.devices if isinstance(d, Cycle) and d.after == cycle.name]
    ends = [_last_start(home, other, caps) - cycle.length for other in waiting]
    return int(min([last, *ends]))
