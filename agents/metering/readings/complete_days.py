"""Which local days a household's readings cover completely, and readings to energy per slot.

Decides nothing about which day is meant. A day goes from local midnight to local midnight, so it
has 23 or 25 hours when the clock changes; its d slots are always equally long in real time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta, tzinfo

import numpy as np
from numpy.typing import NDArray

from agents.metering.readings.local_time import local_datetime, midnight
from agents.metering.readings.readings import MINUTE, Readings
from protocol.vectors import Array


@dataclass(frozen=True, slots=True)
class LocalDay:
    """A local day that readings touch, and who of the households has all readings in it."""

    day: date
    begin: int
    end: int
    rows: slice
    complete: NDArray[np.bool_] = field(repr=False)
    """bool[n], for each household of the readings."""
    whole: bool
    """True if the times cover the whole day, though readings may be missing."""
    missing: str
    """What is missing first where not everybody is complete, for people."""
    missing_line: int | None


def days_of(readings: Readings, zone: tzinfo) -> Iterator[LocalDay]:
    """Return every local day that the readings touch, in order."""
    last = int(readings.instants[-1]) + readings.step
    day = local_datetime(int(readings.instants[0]), zone).date()
    while (begin := midnight(day, zone)) < last:
        end = midnight(day + timedelta(days=1), zone)
        yield _day(readings, day, begin=begin, end=end)
        day += timedelta(days=1)


def _day(readings: Readings, day: date, begin: int, end: int) -> LocalDay:
    rows = _rows(readings, begin, end)
    instants, values = readings.instants[rows], readings.values[rows]
    gap = _gap(readings, rows, begin=begin, end=end)
    missing = np.isnan(values)
    complete = np.full(len(readings.names), gap is None) & ~missing.any(axis=0)
    what, line = "", None
    if gap is not None:
        what, line = gap
    elif missing.any():
        row = int(np.argmax(missing.any(axis=1)))
        what, line = "there is no reading", int(readings.lines[rows.start + row])
        what = f"at {readings.written(rows.start + row)} {what}"
    whole = len(instants) > 0 and instants[0] <= begin and instants[-1] + readings.step >= end
    return LocalDay(
        day=day,
        begin=begin,
        end=end,
        rows=rows,
        complete=complete,
        whole=bool(whole),
        missing=what,
        missing_line=line,
    )


def _rows(readings: Readings, begin: int, end: int) -> slice:
    """Return the readings that touch the time from begin to end."""
    first = int(np.searchsorted(readings.instants, begin - readings.step, side="right"))
    return slice(first, int(np.searchsorted(readings.instants, end, side="left")))


def _gap(readings: Readings, rows: slice, begin: int, end: int) -> tuple[str, int | None] | None:
    """Return the first gap of a day and its line, None if there is none."""
    instants = readings.instants[rows]
    minutes = f"readings are {readings.step / MINUTE:g} minutes apart"
    if not len(instants) or instants[0] > begin:
        if rows.start == 0:
            return f"readings begin only at {readings.written(0)}", int(readings.lines[0])
        return _leap(readings, rows.start, minutes)
    odd = np.flatnonzero(np.diff(instants) != readings.step)
    if len(odd):
        return _leap(readings, rows.start + int(odd[0]) + 1, minutes)
    if instants[-1] + readings.step < end:
        if rows.stop < len(readings.instants):
            return _leap(readings, rows.stop, minutes)
        last = len(readings.instants) - 1
        return f"readings end at {readings.written(last)}", int(readings.lines[last])
    return None


def _leap(readings: Readings, row: int, minutes: str) -> tuple[str, int | None]:
    leap = (readings.instants[row] - readings.instants[row - 1]) / MINUTE
    return (
        f"{readings.written(row)} comes {leap:g} minutes after the time before it, where {minutes}",
        int(readings.lines[row]),
    )


def cut(readings: Readings, day: LocalDay, slots: int) -> Array:
    """Return readings of one day as sums over slots: float64[d, n], in the unit of the readings.

    Each reading is spread evenly over its interval, cut at the edges of slots, and every piece goes
    to the slot it lies in: nothing is lost, and a reading that needs no cutting is not rounded.
    """
    edges = np.linspace(day.begin, day.end, slots + 1).round().astype(np.int64)
    instants = readings.instants[day.rows]
    inside = instants[(instants > edges[0]) & (instants < edges[-1])]
    marks = np.unique(np.concatenate([edges, inside]))
    share = np.diff(marks) / readings.step
    source = np.searchsorted(instants, marks[:-1], side="right") - 1
    pieces = readings.values[day.rows][source] * share[:, None]
    return np.asarray(np.add.reduceat(pieces, np.searchsorted(marks, edges[:-1]), axis=0))
