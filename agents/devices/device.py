"""The interface of a device: what coflex must know about anything that can use energy at another
time.

A schedule of a device is its energy per slot, float64[d] kWh at the meter: positive where it
takes, negative where it gives. Whatever else a device does follows from it (when a cycle starts,
how full a store is). So a device that the model lacks fits in with the members below and nothing
else.
"""

from typing import Protocol

import numpy as np
from numpy.random import Generator

from protocol.vectors import Array


class Device(Protocol):
    """A device of a home."""

    @property
    def name(self) -> str:
        """Name within its home, such as `dishwasher`."""

    @property
    def kind(self) -> str:
        """`cycle`, `store`, or a word of its own."""

    @property
    def slots(self) -> int:
        """Number of slots d of the day."""

    @property
    def unit(self) -> str | None:
        """Unit of the setback: `min`, `degrees`, `h`; None for a device without a wish."""

    @property
    def tolerance(self) -> float:
        """The setback that its people call just acceptable, in `unit`; discomfort 1."""

    def preferred(self, rest_kwh: Array) -> Array:
        """Return the schedule of greatest comfort, float64[d] kWh. `rest_kwh` is the energy of
        everything else in the home."""

    def cheapest(self, price: Array, chance: Generator, *, preferred: Array, cap: float) -> Array:
        """Return a feasible schedule with the energy of the preferred one that follows a price per
        slot, and whose discomfort is at most `cap` where that is possible."""

    def fault(self, schedule: Array) -> str | None:
        """Return why the device cannot follow a schedule, or None if it can."""

    def setback(self, schedule: Array) -> Array:
        """Return how far feasible schedules miss the wish, in `unit`: (..., d) -> (...)."""


def discomfort(device: Device, schedule: Array) -> Array:
    """Return the discomfort u of schedules, 1 for just acceptable: (..., d) -> (...). A device
    without a wish has none."""
    if device.unit is None:
        return np.zeros(np.shape(schedule)[:-1])
    return np.asarray(device.setback(schedule) / device.tolerance)
