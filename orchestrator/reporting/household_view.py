"""The data for the part of the page about one household, chosen by the reader. Draws nothing."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from orchestrator.reporting.homes.homes_in_words import amount
from orchestrator.results.device_schedules import SCHEDULES_FOLDER, DeviceDay, read_devices
from orchestrator.results.run_results import HouseholdRow, RunResults
from protocol.errors import InputError
from protocol.vectors import Array

Schedules = Mapping[str, Mapping[str, Array]]
"""Schedules by household and state, float64[d] each, kWh."""
VALUES_MAX = 600_000
"""Largest number of values in schedules for one page; each takes about 7 bytes."""
_STATES = ("preferred", "planned", "exchanged")
_DIGITS = 4
NOT_SAVED = (
    "Its schedule is not in the results: without --save-schedules, schedules never leave the "
    "households."
)
TOO_MANY = "There are too many schedules for one page; they are in the folder schedules."


def read_schedules(results: RunResults, folder: Path) -> dict[str, dict[str, Array]]:
    """Return the schedules that are saved in `folder`, the results of the run.

    Returns nothing if there are too many for one page. Raises InputError if a file is broken.
    """
    found = {}
    for row in results.rows if results.households * results.slots * 3 <= VALUES_MAX else ():
        file = folder / SCHEDULES_FOLDER / f"{row.household}.csv"
        if file.is_file():
            found[row.household] = _read_schedule(file, results.slots)
    return found


def read_home_devices(results: RunResults, folder: Path) -> dict[str, list[DeviceDay]]:
    """Return the schedules of the devices of each home that are saved in `folder`.

    Returns nothing if there are too many for one page. Raises InputError if a file is broken.
    """
    if results.homes is None or results.households * results.slots * 9 > VALUES_MAX:
        return {}
    files = {
        row.household: folder / SCHEDULES_FOLDER / f"{row.household}.csv" for row in results.rows
    }
    found = {name: read_devices(file) for name, file in files.items() if file.is_file()}
    return {name: devices for name, devices in found.items() if devices}


def household_view(
    results: RunResults, schedules: Schedules, devices: Mapping[str, Sequence[DeviceDay]] = {}
) -> dict[str, object]:
    """Return the data for the page's script: a record for each household in tree order, the index
    of the household that is shown first, and a text for missing schedules."""
    rows, names = results.rows, results.names or {}
    final = [_final(row.discomfort_exchanged, row.discomfort_planned) for row in rows]
    ranks = {
        "planned": _ranks([row.discomfort_planned for row in rows]),
        "final": _ranks(final),
    }
    many = results.households * results.slots * 3 > VALUES_MAX
    return {
        "households": [
            {
                "id": row.household,
                "name": names.get(row.household, ""),
                "level": row.level,
                "beta": row.beta,
                "plan": row.selected_plan,
                "planned": row.discomfort_planned,
                "exchanged": row.discomfort_exchanged,
                "bound": row.discomfort_bound_of_values,
                "requests": row.requests,
                "accepted": row.accepted,
                "rankPlanned": ranks["planned"][place],
                "rankFinal": ranks["final"][place],
                "schedule": {
                    state: [round(float(value), _DIGITS) for value in values]
                    for state, values in schedules.get(row.household, {}).items()
                },
                "comfort": _comfort(row),
                "devices": [_device(own) for own in devices.get(row.household, ())],
            }
            for place, row in enumerate(rows)
        ],
        "first": int(np.argmax(final if results.homes is None else _gains(rows))),
        "missing": TOO_MANY if many else NOT_SAVED,
    }


def _read_schedule(file: Path, slots: int) -> dict[str, Array]:
    try:
        with file.open(newline="", encoding="utf-8") as text:
            lines = list(csv.DictReader(text))
        found = {
            state: np.array([float(line[state]) for line in lines])
            for state in _STATES
            if lines and state in lines[0]
        }
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"cannot be read as a schedule: {error}", file=file) from error
    if len(lines) != slots:
        raise InputError(f"expected {slots} slots, found {len(lines)}: run again", file=file)
    return found


_COMFORT = (
    ("minutes_late", "its machines", "min", "off the wanted time"),
    ("degrees_short", "its heat", "°C", "below the wish"),
    ("hours_late", "its car", "h", "late"),
)


def _comfort(row: HouseholdRow) -> list[tuple[str, str]]:
    """Return what the people of a home notice, before and after the exchange, in words."""
    lines = []
    for field, subject, unit, words in _COMFORT:
        before = getattr(row, f"{field}_planned")
        after = getattr(row, f"{field}_exchanged")
        if before is not None:
            text = f"{amount(before, unit)} {words} as planned"
            if after is not None:
                text += f", {amount(after, unit)} after the exchange"
            lines.append((subject, text))
    return lines


def _device(own: DeviceDay) -> dict[str, object]:
    states = {
        state: [round(float(value), _DIGITS) for value in values]
        for state, values in own.schedules.items()
        if values.any()
    }
    return {"name": own.name, "states": states}


def _gains(rows: Sequence[HouseholdRow]) -> list[float]:
    """Return by how much the device discomfort of each home fell in the exchange."""
    return [
        (row.device_discomfort_planned or 0.0) - (row.device_discomfort_exchanged or 0.0)
        for row in rows
    ]


def _final(exchanged: float | None, planned: float) -> float:
    return planned if exchanged is None else exchanged


def _ranks(discomforts: list[float]) -> list[int]:
    """Return the rank of each household, 1 for the least discomfort; equal ones share a rank."""
    ordered = np.sort(discomforts)
    return [int(place) + 1 for place in np.searchsorted(ordered, discomforts, side="left")]
