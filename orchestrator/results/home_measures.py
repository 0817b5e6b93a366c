"""Measures of homes: what a state costs their people, in discomfort and by kind of device.

This module decides how homes are averaged: homes without a wish are left out of means, and minutes,
degrees and hours are means over devices, not over homes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agents.devices.home import Comfort, Home


@dataclass(frozen=True, slots=True)
class HomeMeasures:
    """Measures of all homes in one state; None where nobody has such a device."""

    homes: int
    """Number of homes with a wish."""
    mean_discomfort: float | None = None
    """Mean over these homes of D, the root mean square of their devices' discomforts; 1 is just
    acceptable."""
    max_discomfort: float | None = None
    unfairness: float | None = None
    """Population standard deviation of D."""
    minutes_late: float | None = None
    """Mean over cycles of the time between start and preferred start."""
    degrees_short: float | None = None
    """Mean over stores of heat of the root mean square of degrees below the wish."""
    hours_late: float | None = None
    """Mean over cars of the mean time by which the reserve is late."""


@dataclass(frozen=True, slots=True)
class HomeMeasureDescription:
    """The name of a measure of homes, its unit, and an explanation for tooltips."""

    label: str
    unit: str
    help: str


HOME_MEASURES = {
    "mean_discomfort": HomeMeasureDescription(
        label="device discomfort",
        unit="",
        help="Mean over homes with a wish of the root mean square of their devices' discomforts; "
        "1 is what people call just acceptable.",
    ),
    "max_discomfort": HomeMeasureDescription(
        label="largest of a home", unit="", help="Device discomfort of the home that is worst off."
    ),
    "minutes_late": HomeMeasureDescription(
        label="machines late", unit="min", help="Mean time between start and preferred start."
    ),
    "degrees_short": HomeMeasureDescription(
        label="heat short",
        unit="°C",
        help="Mean over boilers and heat pumps of the root mean square of degrees below the wish.",
    ),
    "hours_late": HomeMeasureDescription(
        label="cars late", unit="h", help="Mean time by which the reserve of a car is late."
    ),
}
"""A description of the measures that are shown, in their order."""


def home_measures(homes: Sequence[tuple[Home, Comfort]]) -> HomeMeasures:
    """Return the measures of homes in the state that cost them this comfort."""
    discomforts = [own.discomfort for _, own in homes if own.discomfort is not None]
    if not discomforts:
        return HomeMeasures(homes=0)
    return HomeMeasures(
        homes=len(discomforts),
        mean_discomfort=float(np.mean(discomforts)),
        max_discomfort=max(discomforts),
        unfairness=float(np.std(discomforts)),
        minutes_late=_mean(homes, "min", "minutes_late"),
        degrees_short=_mean(homes, "degrees", "degrees_short"),
        hours_late=_mean(homes, "h", "hours_late"),
    )


def _mean(homes: Sequence[tuple[Home, Comfort]], unit: str, name: str) -> float | None:
    """Return the mean over all devices whose setback has this unit, in homes that name it."""
    named = [
        (sum(device.unit == unit for device in home.devices), setback)
        for home, own in homes
        if (setback := getattr(own, name)) is not None
    ]
    devices = sum(count for count, _ in named)
    return sum(count * setback for count, setback in named) / devices if devices else None
