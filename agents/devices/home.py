"""A home: its base load, its solar power and its devices.

This module decides whether a home can follow schedules of its devices, what they sum to, and what
they cost in comfort. Schedules of devices never leave the home.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np

from agents.devices.cycle import Cycle
from agents.devices.device import Device, discomfort
from agents.devices.energy_grid import on_grid
from protocol.errors import InputError
from protocol.vectors import Array

Schedules = Mapping[str, Array]
"""The schedule of each device of a home, float64[d] kWh at the meter, by the device's name."""


@dataclass(frozen=True, slots=True)
class Home:
    """A household and what its devices can do.

    Raises InputError, naming the field, if two devices have one name, or if `after` names no
    other cycle of this home that can end before.
    """

    id: str
    base_kwh: Array
    """Energy that cannot be moved, float64[d]."""
    solar_kwh: Array
    """Energy that solar panels give, float64[d]; it is subtracted."""
    devices: tuple[Device, ...] = ()
    essential_share: float = 1.0
    """Share of the base load that is never shed."""

    def __post_init__(self) -> None:
        named = {device.name: device for device in self.devices}
        if len(named) < len(self.devices):
            raise InputError("two devices have the same name", field="device")
        for device in self.devices:
            chain = [device]
            while isinstance(cycle := chain[-1], Cycle) and cycle.after is not None:
                before = named.get(cycle.after)
                if not isinstance(before, Cycle) or before in chain:
                    reason = f"{cycle.after} is not another cycle that can run before {cycle.name}"
                    raise InputError(reason, field=f"{cycle.name}.after")
                if before.earliest + before.length > cycle.latest_start:
                    reason = f"{cycle.name} cannot start by then: {before.name} has not ended"
                    raise InputError(reason, field=f"{cycle.name}.latest_start")
                chain.append(before)
        if not 0.0 <= self.essential_share <= 1.0:
            raise InputError("must be between 0 and 1", field="essential_share")

    @property
    def slots(self) -> int:
        """Number of slots d of the day."""
        return len(self.base_kwh)

    @property
    def fixed_kwh(self) -> Array:
        """Energy at the meter without the devices, float64[d]: base load less solar power."""
        return self.base_kwh - self.solar_kwh

    def device(self, name: str) -> Device:
        """Return the device of this name. Raises KeyError."""
        return {device.name: device for device in self.devices}[name]

    def total(self, schedules: Schedules) -> Array:
        """Return the home's energy at the meter, float64[d] kWh."""
        total = self.fixed_kwh
        for device in self.devices:
            total = total + schedules[device.name]
        return total

    def fault(self, schedules: Schedules) -> str | None:
        """Return why the home cannot follow schedules of its devices, or None if it can."""
        names = {device.name for device in self.devices}
        if names != set(schedules):
            return f"schedules of {sorted(schedules)}, but devices {sorted(names)}"
        for device in self.devices:
            schedule = schedules[device.name]
            if schedule.shape != (self.slots,) or not on_grid(schedule):
                return f"{device.name}: not {self.slots} multiples of 2^-20 kWh"
            fault = device.fault(schedule)
            if fault is None and isinstance(device, Cycle):
                fault = self._order_fault(device, schedules)
            if fault is not None:
                return f"{device.name}: {fault}"
        return None

    def starts(self, cycle: Cycle, schedules: Schedules) -> range:
        """Return the slots in which a cycle may start while all other cycles stay as they are."""
        first, last = cycle.starts.start, cycle.starts.stop - 1
        if cycle.after is not None:
            first = max(first, self._end(cycle.after, schedules))
        for device in self.devices:
            if isinstance(device, Cycle) and device.after == cycle.name:
                last = min(last, int(device.start(schedules[device.name])) - cycle.length)
        return range(first, last + 1)

    def discomforts(self, schedules: Schedules) -> dict[str, float]:
        """Return the discomfort u of each device with a wish, by name; 1 is just acceptable."""
        return {
            device.name: float(discomfort(device, schedules[device.name]))
            for device in self.devices
            if device.unit is not None
        }

    def discomfort(self, schedules: Schedules) -> float | None:
        """Return D, the root mean square of the devices' discomforts; None without any wish."""
        each = list(self.discomforts(schedules).values())
        return sqrt(float(np.mean(np.square(each)))) if each else None

    def comfort(self, schedules: Schedules) -> "Comfort":
        """Return what schedules cost the people of the home."""
        return Comfort(
            discomfort=self.discomfort(schedules),
            minutes_late=self._mean_setback("min", schedules),
            degrees_short=self._mean_setback("degrees", schedules),
            hours_late=self._mean_setback("h", schedules),
        )

    def _mean_setback(self, unit: str, schedules: Schedules) -> float | None:
        setbacks = [
            float(device.setback(schedules[device.name]))
            for device in self.devices
            if device.unit == unit
        ]
        return float(np.mean(setbacks)) if setbacks else None

    def _order_fault(self, cycle: Cycle, schedules: Schedules) -> str | None:
        if cycle.after is None:
            return None
        end, start = self._end(cycle.after, schedules), int(cycle.start(schedules[cycle.name]))
        return f"starts in slot {start}, before {cycle.after} ends" if start < end else None

    def _end(self, name: str, schedules: Schedules) -> int:
        """Return the slot after the last one of a cycle's run."""
        cycle = self.device(name)
        assert isinstance(cycle, Cycle)
        return int(cycle.start(schedules[name])) + cycle.length


@dataclass(frozen=True, slots=True)
class Comfort:
    """What schedules cost the people of a home; None where they have no such device."""

    discomfort: float | None
    """D, the root mean square of the devices' discomforts; 1 is just acceptable."""
    minutes_late: float | None
    """Mean over its cycles of the time between start and preferred start."""
    degrees_short: float | None
    """Mean over its stores of heat, each a root mean square of degrees."""
    hours_late: float | None
    """Mean over its cars, each a mean time by which the reserve is late."""


@dataclass(frozen=True, slots=True)
class PlannedHome:
    """A home with plans: the schedules of its devices in each. The first plan is preferred."""

    home: Home
    plans: tuple[Schedules, ...] = ()
    selected: int | None = None
    """The plan that an earlier stage 1 has chosen."""
    made: bool = False
    """True if the plans were made from the devices here, not read from a file."""
