"""The day of a community by kind of device, and who has moved energy in stage 2.

This module decides which kinds there are, and how homes are grouped by what they have. Sums over
all homes only: no number here is of one home.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agents.devices.cycle import Cycle
from agents.devices.device import Device
from agents.devices.home import Home, Schedules
from agents.devices.store import Store
from protocol.vectors import Array

BASE, SOLAR, MACHINES, OTHER = "base", "solar", "machines", "other"
_STORES = {
    "boiler": "boilers",
    "heatpump": "heat pumps",
    "ev": "cars",
    "battery": "batteries",
}
"""Kinds of stores for people, by what they are."""
KINDS = (BASE, MACHINES, *_STORES.values(), OTHER, SOLAR)
"""All kinds, in the order in which they are stacked."""
MACHINES_ONLY, WITHOUT = "machines only", "no device"

DayByKind = Mapping[str, Array]
"""Energy of all homes together by kind, float64[d] kWh; what is given to the grid is negative."""


@dataclass(frozen=True, slots=True)
class Moved:
    """How stage 2 has changed the schedules of all devices of a kind."""

    more_kwh: float
    """Energy that devices take in slots in which they took less before."""
    less_kwh: float
    """Energy that devices no longer take in slots in which they took more before."""


@dataclass(frozen=True, slots=True)
class HomeGroup:
    """The homes that have devices of a kind, or only machines, or nothing."""

    homes: int
    planned_discomfort: float | None = None
    """Mean device discomfort after stage 1 of those with a wish."""
    exchanged_discomfort: float | None = None
    """The same after stage 2; None without one."""


def kind_of(device: Device) -> str:
    """Return the kind of a device."""
    if isinstance(device, Cycle):
        return MACHINES
    return _STORES.get(device.what, OTHER) if isinstance(device, Store) else OTHER


def day_by_kind(homes: Sequence[tuple[Home, Schedules]]) -> DayByKind:
    """Return the energy of all homes together by kind; kinds that nobody has are left out."""
    day: dict[str, Array] = {}
    for home, schedules in homes:
        parts = [(BASE, home.base_kwh), (SOLAR, -home.solar_kwh)]
        parts += [(kind_of(device), schedules[device.name]) for device in home.devices]
        for kind, amounts in parts:
            day[kind] = day.get(kind, 0.0) + amounts
    return {kind: day[kind] for kind in KINDS if kind in day and day[kind].any()}


def groups_of(home: Home) -> list[str]:
    """Return the groups of a home: one for each kind of store it has, else one of the others."""
    kinds = {kind_of(device) for device in home.devices}
    stores = [kind for kind in KINDS if kind in kinds - {MACHINES}]
    return stores or [MACHINES_ONLY if kinds else WITHOUT]


def home_groups(
    homes: Sequence[tuple[Home, float | None, float | None]],
) -> dict[str, HomeGroup]:
    """Return the groups of homes with their device discomfort before and after stage 2."""
    members: dict[str, list[tuple[float | None, float | None]]] = {}
    for home, before, after in homes:
        for group in groups_of(home):
            members.setdefault(group, []).append((before, after))
    return {
        group: HomeGroup(
            homes=len(members[group]),
            planned_discomfort=_mean([before for before, _ in members[group]]),
            exchanged_discomfort=_mean([after for _, after in members[group]]),
        )
        for group in (*KINDS, MACHINES_ONLY, WITHOUT)
        if group in members
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
