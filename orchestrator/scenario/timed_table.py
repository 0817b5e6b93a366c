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
_FEEDER = "feeder"
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
    times = _times_of(clock, path)
    (_, *heads), *rows = _cells(path)
    names = _checked_header(heads, path, units)
    lines = [
        _Line(number, time, _amounts(cells, number, path, names))
        for number, (time, *cells) in enumerate(rows, start=2)
    ]
    return _by_slot(lines, names, slots=clock.slots, times=times, path=path)


def read_timed_by_feeder(
    path: Path, clock: Clock, units: Sequence[str]
) -> dict[str, dict[str, Array]]:
    """Read a table with the column `feeder`, after `time`: the columns of each feeder, as
    `read_timed` returns them.

    Without the column `time`, a feeder has one line, which covers the whole day. Raises InputError,
    naming file, line and column.
    """
    times = _times_of(clock, path)
    heads, *rows = _cells(path)
    timed = heads[0] == "time"
    if heads[timed : timed + 1] != [_FEEDER]:
        reason = "the columns begin with time,feeder, or with feeder if limits hold all day"
        raise InputError(reason, file=path, line=1)
    names = _checked_header(heads[timed + 1 :], path, units)
    lines: dict[str, list[_Line]] = {}
    for number, row in enumerate(rows, start=2):
        feeder, *cells = row[timed:]
        if feeder in lines and not timed:
            reason = f"{feeder} has limits already: add a column time before feeder"
            raise InputError(reason, file=path, line=number)
        line = _Line(number, row[0], _amounts(cells, number, path, names))
        lines.setdefault(feeder, []).append(line)
    if not timed:
        return {
            feeder: _spread(own, names, slots=clock.slots, minutes=times.minutes)
            for feeder, own in lines.items()
        }
    return {
        feeder: _by_slot(own, names, slots=clock.slots, times=times, path=path)
        for feeder, own in lines.items()
    }


def _times_of(clock: Clock, path: Path) -> SlotTimes:
    if clock.times is None:
        advice = "remove the times" if is_timed(path) else "use homes, or data with times"
        has = "has times" if is_timed(path) else "has limits of a day"
        reason = f"{has}, but the data set does not say when its slots are: {advice}"
        raise InputError(reason, file=path, line=1)
    return clock.times


def _cells(path: Path) -> list[list[str]]:
    """Return the cells of a table by line, the header first and in small letters."""
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines_of(path))]
    if not rows:
        raise InputError("is empty", file=path)
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(rows[0]):
            reason = f"{len(row)} cells, but the header has {len(rows[0])}"
            raise InputError(reason, file=path, line=number)
    return [[name.lower() for name in rows[0]], *rows[1:]]


def _by_slot(
    lines: Sequence["_Line"], names: Sequence[str], *, slots: int, times: SlotTimes, path: Path
) -> dict[str, Array]:
    """Return the columns by slot, once the times of the lines are those of the slots."""
    if not lines or slots % len(lines):
        reason = (
            f"{len(lines)} lines of times for {slots} slots of {times.minutes:g} "
            "minutes: write one for each slot, or for each hour"
        )
        raise InputError(reason, file=path)
    placed = _in_order(lines, times, slots, slots // len(lines), path)
    return _spread(placed, names, slots=slots, minutes=times.minutes)


def _spread(
    lines: Sequence["_Line"], names: Sequence[str], *, slots: int, minutes: float
) -> dict[str, Array]:
    """Return the columns by slot: each line covers as many slots."""
    each = slots // len(lines)
    amounts = np.array([line.amounts for line in lines])
    per_slot = {_POWER: minutes / 60.0, _ENERGY: 1.0 / each}
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


def _amounts(cells: Sequence[str], number: int, path: Path, names: Sequence[str]) -> list[float]:
    """Return the numbers in the cells of a line; NaN for empty ones."""
    amounts = []
    for name, cell in zip(names, cells, strict=True):
        try:
            amount = float(cell) if cell else np.nan
        except ValueError:
            amount = np.inf
        if np.isinf(amount) or cell.lower() == "nan":
            raise InputError(f"{cell!r} is not a number", file=path, line=number, field=name)
        amounts.append(amount)
    return amounts


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
