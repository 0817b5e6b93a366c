"""The data for the part of the page about one household, chosen by the reader. Draws nothing."""

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from orchestrator.results.result_files import SCHEDULES_FOLDER
from orchestrator.results.run_results import RunResults
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


def household_view(results: RunResults, schedules: Schedules) -> dict[str, object]:
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
            }
            for place, row in enumerate(rows)
        ],
        "first": int(np.argmax(final)),
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


def _final(exchanged: float | None, planned: float) -> float:
    return planned if exchanged is None else exchanged


def _ranks(discomforts: list[float]) -> list[int]:
    """Return the rank of each household, 1 for the least discomfort; equal ones share a rank."""
    ordered = np.sort(discomforts)
    return [int(place) + 1 for place in np.searchsorted(ordered, discomforts, side="left")]
