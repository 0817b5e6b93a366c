"""Statistics of generated homes: who owns which device, how it is used, and what people accept.

This module holds numbers and where they come from (docs/homes.md); `home_generation` draws from
them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from agents.suggestions import suggestion
from protocol.errors import InputError


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of homes with a device, between 0 and 1."""

    dishwasher: float = 0.65
    washer: float = 0.85
    dryer: float = 0.5
    """Of the homes with a washer."""
    car: float = 0.2
    """Of all homes: an electric car."""
    boiler: float = 0.22
    """Of all homes: an electric one."""
    heatpump: float = 0.13
    solar: float = 0.25
    battery: float = 0.45
    """Of the homes with solar panels."""


def shares_of(given: Sequence[str]) -> Shares:
    """Return the shares after changes such as `car=0.5`. Raises InputError, naming the option."""
    names = [field.name for field in fields(Shares)]
    changes: dict[str, float] = {}
    for text in given:
        name, _, number = text.partition("=")
        if name not in names:
            raise InputError(
                f"there is no share {name!r}: {suggestion(name, names)}", field=_OPTION
            )
        try:
            changes[name] = float(number)
        except ValueError:
            raise InputError(f"{text!r}: write it like car=0.2", field=_OPTION) from None
        if not 0.0 <= changes[name] <= 1.0:
            raise InputError(f"{text!r}: must be between 0 and 1", field=_OPTION)
    return replace(Shares(), **changes)


_OPTION = "--share"

PEOPLE = (0.361, 0.32, 0.14, 0.12, 0.059)
"""Shares of homes with 1, 2, 3, 4 and 5 people (Statbel 2024: 36.1 % live alone, 2.25 people on
average; the rest is fitted to these)."""

BASE_KWH_A_DAY = (2.8, 1.2)
"""Median base load of nobody, and what each person adds, kWh a day; typical values."""
BASE_SPREAD = 0.25
"""Spread of a home's base load around the median, log scale."""
STANDBY_SHARE = 0.35
"""Part of the base load that is the same in every slot."""
ACTIVITY = (
    *(0.6, 0.5, 0.45, 0.45, 0.5, 0.65, 1.0, 1.35, 1.3, 1.2, 1.15, 1.2),
    *(1.25, 1.1, 1.05, 1.1, 1.25, 1.6, 1.9, 2.0, 2.0, 1.8, 1.4, 0.9),
)
"""What is used in each hour of the day beside standby, relative to one another; typical."""
ESSENTIAL = (0.45, 0.7)
"""Range of the share of the base load that is never shed; invented."""


@dataclass(frozen=True, slots=True)
class CycleStatistics:
    """How a machine runs. Energies and cycles a year are near those of the CREST model (Richardson,
    Thomson, Infield and Clifford 2010); tolerances are invented."""

    profile_kwh: tuple[float, ...]
    """Mean energy per quarter of an hour."""
    spread: float
    """Spread of the energy between homes, log scale."""
    runs_a_day: float
    """Mean runs a day of two people; proportional to the root of their number."""
    hours: tuple[tuple[float, float, float], ...]
    """When it is wanted: weight, mean hour and deviation of each time of day."""
    window_h: tuple[float, float]
    """Range of the time from the preferred to the latest start."""
    tolerances_min: tuple[float, ...]


CYCLES = {
    "dishwasher": CycleStatistics(
        profile_kwh=(0.042, 0.38, 0.253, 0.025, 0.017, 0.017, 0.295, 0.067, 0.009),
        spread=0.13,
        runs_a_day=0.66,
        hours=((0.35, 13.0, 0.8), (0.65, 20.0, 1.0)),
        window_h=(4.0, 11.0),
        tolerances_min=(120.0, 240.0, 360.0),
    ),
    "washer": CycleStatistics(
        profile_kwh=(0.22, 0.425, 0.016, 0.016, 0.016, 0.016, 0.022, 0.022, 0.051, 0.026),
        spread=0.17,
        runs_a_day=0.55,
        hours=((0.55, 9.5, 1.3), (0.45, 18.0, 1.5)),
        window_h=(2.0, 8.0),
        tolerances_min=(120.0, 180.0, 240.0),
    ),
    "dryer": CycleStatistics(
        profile_kwh=(0.34, 0.36, 0.36, 0.32, 0.28, 0.2, 0.09),
        spread=0.3,
        runs_a_day=1.0,  # after each run of the washer
        hours=(),
        window_h=(3.0, 8.0),
        tolerances_min=(120.0, 180.0, 240.0),
    ),
}
"""The machines. A dryer is wanted as soon as the washer has ended."""

CAR_POWER_KW = ((3.7, 0.2), (7.4, 0.4), (11.0, 0.4))
"""Power of wallboxes, and how many have it; typical."""
CAR_LEAST_KW = {3.7: 1.38, 7.4: 1.38, 11.0: 4.14}
"""6 A on one or three phases, the least of IEC 61851."""
CAR_CAPACITY_KWH = (40.0, 58.0, 77.0)
CAR_PLUGGED_SHARE = 0.7
"""Share of days on which a car is plugged in; typical."""
CAR_ARRIVAL_H, CAR_DEPARTURE_H = (17.7, 2.0), (7.0, 0.8)
"""Mean and deviation of the hours; typical."""
CAR_NEED_KWH = (7.0, 0.6)
"""Median need at the meter and its spread, log scale: some 35 km; typical."""
CAR_RESERVE = (0.25, 0.6)
"""Range of the part of the need that is wanted soon; invented."""
CAR_TOLERANCES_H = (2.0, 4.0)
CAR_EFFICIENCY = 0.9

BOILER_LITRES = (120, 150, 200)
BOILER_POWER_KW = {120: 2.0, 150: 2.4, 200: 3.0}
KWH_PER_LITRE_DEGREE = 0.001163
HOT_WATER_KWH = (2.0, 1.4)
"""Hot water of nobody and of each person, thermal kWh a day; typical."""
BOILER_LOSS_KWH_A_DAY = 1.58
DRAWS = ((0.42, 7.3, 0.7), (0.18, 12.8, 1.0), (0.4, 19.8, 1.3))
"""When hot water is drawn: weight, mean hour and deviation."""

HEAT_LOSS_KW = (0.16, 0.28)
"""Range of the heat that a home loses, kW per degree of difference; typical."""
HEAT_CAPACITY_KWH = (7.0, 12.0)
"""Range of the heat that a home stores, kWh per degree; typical."""
OUTSIDE_C = (8.0, 3.5)
"""Mean temperature outside and half its range over the day: a spring day with some heating."""
COP = 3.2

SOLAR_KWP = (3.0, 10.0)
SOLAR_KWH_PER_KWP = (2.2, 3.4)
"""Range of the day's yield: a spring day with some clouds."""
SOLAR_HOURS = (7.0, 19.7)
BATTERY_KWH_PER_KWP = 1.0
BATTERY_HOURS = 2.0
"""Hours in which it fills at full power."""
