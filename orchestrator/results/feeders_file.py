"""The file feeders.csv: the sums over the households at each feeder, one line for each slot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from orchestrator.results.csv_tables import csv_text
from orchestrator.results.run_results import Demand, RunResults
from orchestrator.results.slot_clock import iso_times
from protocol.vectors import Array

_CURVES = ("preferred", "planned", "exchanged", "limit")


@dataclass(frozen=True, slots=True)
class FeederRow:
    """A line of feeders.csv, kWh; `limit` is empty in slots without one."""

    feeder: str
    slot: int
    planned: float
    preferred: float
    exchanged: float | None = None
    limit: float | None = None


def feeders_text(results: RunResults) -> str:
    """Return the content of the file."""
    known = results.slot_times
    times = {} if known is None else {"time": iso_times(known, results.slots)}
    days = results.feeder_days or {}
    shown = [name for name in _CURVES if any(name in day.columns() for day in days.values())]
    lines: list[tuple[object, ...]] = []
    for feeder, day in days.items():
        curves = [_cells(day.columns().get(name), results.slots) for name in shown]
        slots = [feeder] * results.slots, range(results.slots)
        lines += zip(*slots, *times.values(), *curves, strict=True)
    return csv_text(("feeder", "slot", *times, *shown), lines)


def days_of(rows: Sequence[FeederRow]) -> Mapping[str, Demand]:
    """Return the sums by feeder from the lines of the file."""
    days = {}
    for feeder in dict.fromkeys(row.feeder for row in rows):
        own = [row for row in rows if row.feeder == feeder]
        days[feeder] = Demand(
            planned=np.array([row.planned for row in own]),
            preferred=np.array([row.preferred for row in own]),
            exchanged=_curve([row.exchanged for row in own]),
            limit=_curve([row.limit for row in own]),
        )
    return days


def _cells(curve: Array | None, slots: int) -> list[float | None]:
    return [None] * slots if curve is None else [None if x != x else x for x in curve.tolist()]


def _curve(cells: Sequence[float | None]) -> Array | None:
    """Return a column, NaN for empty cells; None if all are empty."""
    if all(cell is None for cell in cells):
        return None
    return np.array([np.nan if cell is None else cell for cell in cells])
