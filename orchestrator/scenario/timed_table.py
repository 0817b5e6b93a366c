"""Tables with times: amounts for each slot of a day, in a CSV file with a header.

The first column, `time`, has clock times (HH:MM) or ISO 8601 times; the other columns are named by
their unit. There is a line for each slot, or for each so many slots: 24 lines fill a day of 96
slots of 15 minutes. This module decides how lines become slots. `supply.py` decides what they mean.
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from agents.plans import SlotTimes
from agents.suggestions import suggestion
from orchestrator.results.slot_clock import is_dated, slot_starts
from orchestrator.scenario.input_files import lines_of
from protocol.errors import InputError
from protocol.vectors import Array

_CLOCK = re.compile(r"([01]?\d|2[0-3]):[0-5]\d")
_POWER = "kw"
_ENERGY = "kwh"


@dataclass(frozen=True, slots=True)
class Clock:
    """The slots of a population: how many there are, and when."""

    slots: int
    times: SlotTimes | None


def is_timed(path: Path) -> bool:
    """Return True if a file is a table with times: its header begins with `time`."""
    lines = lines_of(path)
    return bool(lines) and lines[0].split(",")[0].strip().lower() == "time"


def read_timed(path: Path, clock: Clock, units: Sequence[str]) -> dict[str, Array]:
    """Read the columns of a table with times, float64[slots] by name; NaN for empty cells.

    Columns are named by one of `units`. Where a line covers several slots, kWh are divided among
    them, and other units hold in each; columns in kW are returned in kWh per slot, under a name
    that ends in kwh. Raises InputError, naming file, line and column.
    """
    if clock.times is None:
        reason = "has times, but the data set does not say when its slots are: remove the times"
        raise InputError(reason, file=path, line=1)
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines_of(path))]
    names = _checked_header([name.lower() for name in rows[0][1:]], path, units)
    lines = [_Line.of(row, number, path, names) for number, row in enumerate(rows[1:], start=2)]
    if not lines or clock.slots % len(lines):
        reason = (
            f"{len(lines)} lines of times for {clock.slots} slots of {clock.times.minutes:g} "
            "minutes: write one for each slot, or for each hour"
        )
        raise InputError(reason, file=path)
    each = clock.slots // len(lines)
    placed = _in_order(lines, clock.times, clock.slots, each, path)
    amounts = np.array([line.amounts for line in placed])
    per_slot = {_POWER: clock.times.minutes / 60.0, _ENERGY: 1.0 / each}
    return {
        _in_kwh(name): np.repeat(column, each) * per_slot.get(_unit(name), 1.0)
        for name, column in zip(names, amounts.T, strict=True)
    }


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the table: its time as written, and its amounts in the order of the columns."""

    number: int
    time: str
    amounts: list[float]

    @classmethod
    def of(cls, row: Sequence[str], number: int, path: Path, names: Sequence[str]) -> "_Line":
        if len(row) != len(names) + 1:
            reason = f"{len(row)} cells, but the header has {len(names) + 1}"
            raise InputError(reason, file=path, line=number)
        amounts = []
        for name, cell in zip(names, row[1:], strict=True):
            try:
                amount = float(cell) if cell else np.nan
            except ValueError:
                amount = np.inf
            if np.isinf(amount) or cell.lower() == "nan":
                reason = f"{cell!r} is not a number"
                raise InputError(reason, file=path, line=number, field=name)
            amounts.append(amount)
        return cls(number, row[0], amounts)


def _checked_header(names: list[str], path: Path, units: Sequence[str]) -> list[str]:
    for name in names:
        if name not in units:
            reason = f"is no unit that is known here: {suggestion(name, units)}"
            raise InputError(reason, file=path, line=1, field=name or "an empty column")
        if [_in_kwh(other) for other in names].count(_in_kwh(name)) > 1:
            raise InputError("there are two such columns", file=path, line=1, field=name)
    if not names:
        reason = f"no column beside time: add one of {', '.join(units)}"
        raise InputError(reason, file=path, line=1)
    return names


def _in_order(
    lines: Sequence[_Line], times: SlotTimes, slots: int, each: int, path: Path
) -> Sequence[_Line]:
    """Return the lines by slot, once their times are those of the population's slots.

    If the day is none in particular, the table may begin at any of its times.
    """
    starts = slot_starts(times, slots)[::each]
    dated = is_dated(times)
    if not dated:
        begin = next((i for i, line in enumerate(lines) if _is(line.time, starts[0], dated)), None)
        if begin is None:
            reason = f"no line for {starts[0]:%H:%M}, when the first slot starts"
            raise InputError(reason, file=path)
        lines = [*lines[begin:], *lines[:begin]]
    for line, start in zip(lines, starts, strict=True):
        if not _is(line.time, start, dated):
            expected = f"{start:%Y-%m-%dT%H:%M}" if dated else f"{start:%H:%M}"
            reason = f"{line.time!r} is not the time expected here, {expected}"
            raise InputError(reason, file=path, line=line.number, field="time")
    return lines


def _is(text: str, start: datetime, dated: bool) -> bool:
    """Return True if a time as written is that of a slot."""
    if _CLOCK.fullmatch(text):
        return text.rjust(5, "0") == f"{start:%H:%M}"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return False
    if not dated:
        return False
    if moment.tzinfo is not None and start.tzinfo is not None:
        return moment.timestamp() == start.timestamp()
    return moment.replace(tzinfo=None) == start.replace(tzinfo=None)


def _unit(name: str) -> str:
    return name.rpartition("_")[2]


def _in_kwh(name: str) -> str:
    return f"{name}h" if _unit(name) == _POWER else name
