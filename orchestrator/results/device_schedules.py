"""The schedules of devices in the folder `schedules`, which hosts write with `--save-schedules`.

This module decides how columns name states, kinds and devices, and adds up by kind what homes have
saved. Without that option, schedules of devices never leave their homes, and there is nothing here.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from orchestrator.results.device_kinds import BASE, KINDS, Moved
from orchestrator.results.run_results import RunResults
from protocol.errors import InputError
from protocol.vectors import Array

SCHEDULES_FOLDER = "schedules"
STATES = ("preferred", "planned", "exchanged")
_BETWEEN = ":"


@dataclass(frozen=True, slots=True)
class DeviceDay:
    """The schedules of one device in each state, float64[d] kWh."""

    name: str
    kind: str
    schedules: Mapping[str, Array]


def column_name(state: str, kind: str, device: str) -> str:
    """Return the name of the column with a device's schedule in a state."""
    return _BETWEEN.join((state, kind, device))


def read_devices(file: Path) -> list[DeviceDay]:
    """Read the devices of a home's file of schedules; none if it is no home. The base load, and
    solar power, are among them. Raises InputError if the file is broken."""
    try:
        with file.open(newline="", encoding="utf-8") as text:
            rows = list(csv.reader(text))
        found: dict[tuple[str, str], dict[str, Array]] = {}
        for place, head in enumerate(rows[0]):
            state, *rest = head.split(_BETWEEN, 2)
            if len(rest) == 2:
                column = np.array([float(row[place]) for row in rows[1:]])
                found.setdefault((rest[1], rest[0]), {})[state] = column
    except (OSError, ValueError, IndexError) as error:
        raise InputError(f"cannot be read as a schedule: {error}", file=file) from error
    return [DeviceDay(name, kind, schedules) for (name, kind), schedules in found.items()]


def with_saved_devices(results: RunResults, kept: Path | None) -> RunResults:
    """Return the results with the day by kind after stage 2, and who has moved what, if all homes
    have saved the schedules of their devices in `kept`."""
    if kept is None or results.exchanged is None or results.kinds is None:
        return results
    files = [kept / SCHEDULES_FOLDER / f"{row.household}.csv" for row in results.rows]
    if not all(file.is_file() for file in files):
        return results
    devices = [device for file in files for device in read_devices(file)]
    if not devices or not all("exchanged" in device.schedules for device in devices):
        return results
    day = {kind: day for kind in KINDS if (day := _sum(devices, kind)).any()}
    moved = {kind: _moved(devices, kind) for kind in day if kind not in (BASE, "solar")}
    return replace(results, kinds={**results.kinds, "exchanged": day}, moved=moved)


def _sum(devices: Iterable[DeviceDay], kind: str) -> Array:
    own = [device.schedules["exchanged"] for device in devices if device.kind == kind]
    return np.sum(own, axis=0) if own else np.zeros(1)


def _moved(devices: Iterable[DeviceDay], kind: str) -> Moved:
    changes = np.array(
        [
            device.schedules["exchanged"] - device.schedules["planned"]
            for device in devices
            if device.kind == kind
        ]
    )
    return Moved(
        more_kwh=float(np.maximum(changes, 0.0).sum()),
        less_kwh=float(np.maximum(-changes, 0.0).sum()),
    )
