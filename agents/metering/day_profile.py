"""People's own meter data as preferred plans: one day, or the mean day, cut into d slots.

Decides which day is meant and how readings become energy per slot; energy is conserved. Reading
files and times is meter_table.py's, alternatives are portfolio.py's.

A reading counts from its time to the next one: with unit kWh it is the energy of that interval,
with kW the mean power in it. A day goes from local midnight to local midnight, so it has 23 or 25
hours when the clock changes; its d slots are always equally long in real time.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from agents.data.profiles import SOURCE_SLOTS
from agents.metering.meter_file import Columns, MeterTable, read_table
from protocol.errors import InputError
from protocol.vectors import Array

Unit = Literal["kWh", "kW"]

_MINUTE = 60_000_000_000
_LONGEST_STEP = 12 * 60 * _MINUTE
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class MeterDay:
    """One day of every household in a file: ids[n] and energy float64[n, d], kWh per slot."""

    ids: list[str]
    energy: Array
    days: tuple[date, ...]
    """The local days that went in: one, or all complete ones for the mean day."""


def read_meters(
    path: Path | str,
    *,
    slots: int = SOURCE_SLOTS,
    unit: Unit = "kWh",
    timezone: str = "UTC",
    day: str = "mean",
    columns: Columns | None = None,
    allow_negative: bool = False,
) -> MeterDay:
    """Read a meter file and cut `day` (YYYY-MM-DD, or "mean" over all complete days) into slots.

    Local times and the limits of days are those of `timezone`. Raises InputError, with file, line
    and column, for missing or repeated or unsorted times, gaps, text, negative readings (unless
    allowed: a home may feed in), names that cannot be ids, and days that the file does not cover.
    """
    path = Path(path)
    if slots < 1:
        raise InputError(f"must be at least 1, not {slots}", field="slots")
    zone = _zone(timezone)
    wanted = _day(day)
    table = read_table(path, zone, columns or Columns())
    ids = _ids(table.names, path)
    step = _step(table, path)
    covered = _covered(table, step, zone)
    if wanted is not None:
        if wanted not in covered:
            raise InputError(
                f"does not cover the whole day {wanted} in {timezone}: "
                + (f"complete days are {covered[0]} to {covered[-1]}" if covered else "nor any"),
                file=path,
                field="day",
            )
        covered = [wanted]
    elif not covered:
        raise InputError(f"covers no whole day in {timezone}", file=path, field="day")

    total = np.zeros((slots, len(ids)))
    for each in covered:
        begin, end = _midnight(each, zone), _midnight(each + timedelta(days=1), zone)
        rows = _rows(table, step, begin, end)
        _check(table, rows, step, (begin, end), path, allow_negative)
        total += _cut(table, rows, step, np.linspace(begin, end, slots + 1).round().astype(int))
    per_hour = 1.0 if unit == "kWh" else step / (60 * _MINUTE)
    energy = np.ascontiguousarray((total * (per_hour / len(covered))).T)
    return MeterDay(ids, energy, tuple(covered))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InputError(
            f"{name!r} is not a known time zone: write one like Europe/Brussels or UTC "
            "(if none is known here, install the package tzdata)",
            field="timezone",
        ) from None


def _day(text: str) -> date | None:
    if text == "mean":
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise InputError(f"{text!r} is neither 'mean' nor a day YYYY-MM-DD", field="day") from None


def _ids(names: list[str], path: Path) -> list[str]:
    """Names as ids: what an id cannot hold becomes '-'; what then coincides is refused."""
    ids: dict[str, str] = {}
    for name in names:
        made = re.sub(r"[^A-Za-z0-9_-]", "-", name.strip())
        if not made.strip("-") or len(made) > _LONGEST_NAME:
            raise InputError(
                f"household {name!r} cannot have an id: give it a name of 1 to {_LONGEST_NAME} "
                "letters, digits, '-' or '_'",
                file=path,
            )
        if made in ids:
            raise InputError(
                f"households {ids[made]!r} and {name!r} would both get the id {made!r}: rename one",
                file=path,
            )
        ids[made] = name
    return list(ids)


def _step(table: MeterTable, path: Path) -> int:
    """Nanoseconds from a reading to the next: the most frequent step of the file."""
    if len(table.instants) < 2:
        raise InputError("has a single time: a day needs at least two readings", file=path)
    steps, counts = np.unique(np.diff(table.instants), return_counts=True)
    step = int(steps[np.argmax(counts)])
    if step > _LONGEST_STEP:
        raise InputError(
            f"readings are {step / (60 * _MINUTE):g} hours apart, too far for the course of a day",
            file=path,
        )
    return step


def _midnight(day: date, zone: ZoneInfo) -> int:
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    return round(start.timestamp()) * 1_000_000_000


def _covered(table: MeterTable, step: int, zone: ZoneInfo) -> list[date]:
    """The local days from whose first to last moment the file reaches."""
    begin, end = int(table.instants[0]), int(table.instants[-1]) + step
    day = datetime.fromtimestamp(begin // 1_000_000_000, zone).date()
    days = []
    while _midnight(day + timedelta(days=1), zone) <= end:
        if _midnight(day, zone) >= begin:
            days.append(day)
        day += timedelta(days=1)
    return days


def _rows(table: MeterTable, step: int, begin: int, end: int) -> slice:
    """The readings that touch the time from begin to end."""
    first = int(np.searchsorted(table.instants, begin - step, side="right"))
    return slice(first, int(np.searchsorted(table.instants, end, side="left")))


def _check(
    table: MeterTable,
    rows: slice,
    step: int,
    limits: tuple[int, int],
    path: Path,
    allow_negative: bool,
) -> None:
    """Refuse gaps, missing values and negative readings within a day."""
    (begin, end), instants, readings = limits, table.instants[rows], table.readings[rows]
    odd = np.flatnonzero(np.diff(instants) != step)
    if len(instants) == 0 or instants[0] > begin:
        gap = rows.start
    elif len(odd):
        gap = rows.start + int(odd[0]) + 1
    else:
        gap = rows.stop if instants[-1] + step < end else 0
    if gap:
        minutes = (table.instants[gap] - table.instants[gap - 1]) / _MINUTE
        raise InputError(
            f"{_written(table, gap)} comes {minutes:g} minutes after the time before it, where "
            f"readings are {step / _MINUTE:g} minutes apart: fill the gap, choose another day, or "
            "check --timezone",
            file=path,
            line=_line(table, gap),
        )
    wrong, reason = np.isnan(readings), "there is no reading"
    if not wrong.any() and not allow_negative:
        wrong = readings < 0.0
        reason = "the reading is negative: if homes here feed in, say --allow-negative"
    if wrong.any():
        row, column = (int(each) for each in np.argwhere(wrong)[0])
        raise InputError(
            f"at {_written(table, rows.start + row)} {reason}",
            file=path,
            line=_line(table, rows.start + row),
            field=table.names[column],
        )


def _written(table: MeterTable, row: int) -> str:
    return f"{np.datetime_as_string(np.datetime64(int(table.instants[row]), 'ns'), unit='s')}Z"


def _line(table: MeterTable, row: int) -> int | None:
    return int(table.lines[row]) or None


def _cut(table: MeterTable, rows: slice, step: int, edges: NDArray[np.int64]) -> Array:
    """Readings of one day as sums over slots: float64[d, n], in the unit of the readings.

    Each reading is spread evenly over its interval, cut at the edges of slots, and every piece goes
    to the slot it lies in: nothing is lost, and a reading that needs no cutting is not rounded.
    """
    instants = table.instants[rows]
    inside = instants[(instants > edges[0]) & (instants < edges[-1])]
    marks = np.unique(np.concatenate([edges, inside]))
    share = np.diff(marks) / step
    source = np.searchsorted(instants, marks[:-1], side="right") - 1
    pieces = table.readings[rows][source] * share[:, None]
    return np.asarray(np.add.reduceat(pieces, np.searchsorted(marks, edges[:-1]), axis=0))
