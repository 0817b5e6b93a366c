"""Which instants the times in a meter file mean: offsets, time zones and clock changes.

Decides nothing about readings or days. Midnights and repeated hours are those of a zone: the one
that the person names, else the file's own offset, else a clock that never changes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from agents.metering.notation.time_format import date_order, form_of, parse_time
from agents.metering.options import DateOrder
from protocol.errors import InputError

Instants = NDArray[np.int64]
"""Nanoseconds since 1970-01-01 00:00 UTC."""

HOUR = 3_600_000_000_000
_ZONE_ADVICE = "name the households' zone with --timezone, such as --timezone Europe/Brussels"


@dataclass(frozen=True, slots=True)
class WallTimes:
    """A column of times as written.

    Invariant: wall int64[r], nanoseconds on the wall clock; offset_minutes float64[r], all NaN if
    the times have no offset from UTC, none NaN if they have.
    """

    wall: Instants
    offset_minutes: NDArray[np.float64]

    @property
    def local(self) -> bool:
        """Return True if the times have no offset."""
        return len(self.wall) == 0 or bool(np.isnan(self.offset_minutes[0]))


def zone_named(name: str) -> ZoneInfo:
    """Return the time zone of this name; InputError if there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InputError(
            f"{name!r} is not a known time zone: write one like Europe/Brussels or UTC "
            "(if none is known here, install the package tzdata)",
            field="--timezone",
        ) from None


def read_times(
    cells: Sequence[str],
    lines: NDArray[np.int64],
    *,
    path: Path,
    name: str,
    dates: DateOrder | None,
) -> WallTimes:
    """Read a column of times; `lines` has the line of each cell.

    Raises InputError with line and column for cells that are no time, dates whose day and month
    cannot be told apart, and offsets on some cells only.
    """
    unique = list(dict.fromkeys(cells))
    order = dates or date_order(unique)
    if order == "unclear":
        raise InputError(
            f"{unique[0]!r} can be read with the day or the month first: say --dates dmy or mdy",
            file=path,
            line=int(lines[0]),
            field=name,
        )
    numbers: dict[str, tuple[int, float]] = {}
    epoch = datetime(1970, 1, 1)
    for cell in unique:
        time = parse_time(cell, order)
        if time is None or not 1900 <= time.wall.year <= 2200:
            raise InputError(
                _not_a_time(cell, outside=time is not None),
                file=path,
                line=int(lines[cells.index(cell)]),
                field=name,
            )
        since = time.wall - epoch
        seconds = since.days * 86_400 + since.seconds
        minutes = np.nan if time.offset is None else time.offset.total_seconds() / 60
        numbers[cell] = seconds * 1_000_000_000 + since.microseconds * 1000, minutes
    wall = np.array([numbers[cell][0] for cell in cells], dtype=np.int64)
    offsets = np.array([numbers[cell][1] for cell in cells])
    without = np.isnan(offsets)
    if without.any() and not without.all():
        row = int(np.argmax(without))
        raise InputError(
            f"{cells[row]!r} has no offset from UTC, but other times of this file have one",
            file=path,
            line=int(lines[row]),
            field=name,
        )
    return WallTimes(wall, offsets)


def _not_a_time(cell: str, *, outside: bool) -> str:
    if outside:
        return f"{cell!r} is outside the years 1900 to 2200"
    if not cell.strip():
        return f"{cell!r} is not a time: the cell is empty"
    if form_of(cell) == "clock":
        return f"{cell!r} is a time of day without its date: write both, like 2025-03-30 00:15"
    if re.fullmatch(r"[34]\d{4}([.,]\d+)?", cell.strip()):
        return (
            f"{cell!r} looks like the day number of a spreadsheet: show the column as date and "
            "time before you save it as CSV, or name the right column with --time-column"
        )
    return (
        f"{cell!r} is not a time: write ISO 8601 like 2025-03-30 00:15, with or without an offset "
        "like +01:00, or name the right column with --time-column"
    )


def with_late_midnights(times: WallTimes, households: Sequence[str]) -> tuple[WallTimes, bool]:
    """Move 00:00 to the end of its day if that is where all of a file's midnights stand.

    Some files write the end of a day's last interval as 00:00 of the same day: it then follows
    23:30 of that day (or precedes it, newest first) within the rows of a household.
    """
    wall, day = times.wall, times.wall // (24 * HOUR)
    midnight_rows = np.flatnonzero(wall % (24 * HOUR) == 0)
    if not len(midnight_rows) or len(wall) < 3:
        return times, False
    names = np.array(households, dtype=object) if len(households) else np.zeros(len(wall))

    def late_beside(rows: NDArray[np.intp], shift: int) -> NDArray[np.bool_]:
        others = np.clip(rows + shift, 0, len(wall) - 1)
        beside = (others != rows) & (names[others] == names[rows]) & (day[others] == day[rows])
        return np.asarray(beside & (wall[others] - wall[rows] > 12 * HOUR))

    late = late_beside(midnight_rows, -1) | late_beside(midnight_rows, 1)
    if not late.all():
        return times, False
    moved = wall.copy()
    moved[midnight_rows] += 24 * HOUR
    return WallTimes(moved, times.offset_minutes), True


def resolve_zone(
    times: WallTimes, given: str | None, path: Path, name: str
) -> tuple[tzinfo, str | None, str]:
    """Return the zone of midnights, its name for the description file, and a note for people."""
    if given is not None:
        return zone_named(given), given, f"days are those of {given}"
    if times.local:
        return (
            UTC,
            None,
            "times have no offset: taken as they stand, on a clock that never changes (--timezone)",
        )
    offsets = np.unique(times.offset_minutes)
    if len(offsets) > 1:
        first, last = (_signed(float(each)) for each in (offsets[0], offsets[-1]))
        raise InputError(
            f"times have offsets from {first} to {last}: {_ZONE_ADVICE}", file=path, field=name
        )
    minutes = float(offsets[0])
    if minutes == 0:
        return UTC, "UTC", "days are those of UTC (--timezone)"
    signed = _signed(minutes)
    zone = timezone(timedelta(minutes=minutes))
    return zone, signed, f"days are those of the file's offset {signed} (--timezone)"


def _signed(minutes: float) -> str:
    sign, size = "-" if minutes < 0 else "+", int(abs(minutes))
    return f"{sign}{size // 60:02}:{size % 60:02}"


def instants_of(
    times: WallTimes, cells: Sequence[str], lines: NDArray[np.int64], zone: tzinfo, where: "Place"
) -> Instants:
    """Return the instants of times in the file's order: int64[r].

    In an hour that the clock repeats the order of the rows tells the first pass from the second.
    Raises InputError for times that the clock skips.
    """
    if not times.local:
        minutes = times.offset_minutes.astype(np.int64)
        return np.asarray(times.wall - minutes * (HOUR // 60))
    import pandas as pd

    written = pd.Series(pd.to_datetime(times.wall))
    summer = np.zeros(len(written), dtype=bool)
    skipped = skipped_by_clock(times, zone)
    if skipped.any():
        row = int(np.argmax(skipped))
        raise InputError(
            f"{cells[row]!r} does not exist in {zone}: the clock skips this hour. "
            f"If these times are not on that clock, {_ZONE_ADVICE}; remove the row if it is "
            "only a filler",
            file=where.path,
            line=int(lines[row]),
            field=where.name,
        )
    shifted = written.dt.tz_localize(zone, ambiguous=summer)
    repeated = written.dt.tz_localize(zone, ambiguous="NaT").isna().to_numpy()
    if repeated.any():
        descending = bool(np.median(np.diff(times.wall)) < 0)
        order = slice(None, None, -1) if descending else slice(None)
        summer = _first_pass(times.wall[order], repeated[order])[order]
        shifted = written.dt.tz_localize(zone, ambiguous=summer)
    return np.asarray(shifted.dt.as_unit("ns").to_numpy(dtype="datetime64[ns]").astype(np.int64))


def skipped_by_clock(times: WallTimes, zone: tzinfo) -> NDArray[np.bool_]:
    """Tell for each time if it does not exist because the clock of the zone skips it: bool[r]."""
    if not times.local or zone is UTC:
        return np.zeros(len(times.wall), dtype=bool)
    import pandas as pd

    written = pd.Series(pd.to_datetime(times.wall))
    summer = np.zeros(len(written), dtype=bool)
    placed = written.dt.tz_localize(zone, ambiguous=summer, nonexistent="NaT")
    return np.asarray(placed.isna().to_numpy(), dtype=bool)


@dataclass(frozen=True, slots=True)
class Place:
    """A column of a file, to be named in an error."""

    path: Path
    name: str


def _first_pass(local: Instants, repeated: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell for each time in an hour that the clock repeats if it is the first pass (summer time).

    The file's order tells: where local time steps back or stands still, the second pass begins.
    """
    first = repeated.copy()
    step = np.diff(local)
    back = np.flatnonzero((step <= 0) & repeated[1:]) + 1
    for start in back.tolist():
        end = start
        while end < len(local) and repeated[end] and local[end] - local[start] < 2 * HOUR:
            first[end] = False
            end += 1
    return first


def midnight(day: date, zone: tzinfo) -> int:
    """Return the instant at which a local day begins."""
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    return round(start.timestamp()) * 1_000_000_000


def local_datetime(instant: int, zone: tzinfo) -> datetime:
    """Return the local time of an instant, to the second."""
    return datetime.fromtimestamp(instant // 1_000_000_000, zone)
