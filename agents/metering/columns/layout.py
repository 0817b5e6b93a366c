"""Tables with a row for each day or each series, turned into tables with a row for each reading.

Decides by the names of the columns: many clock times, numbered intervals, or timestamps.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from agents.metering.columns.column_kinds import kind_of
from agents.metering.columns.column_words import is_end
from agents.metering.notation.time_format import form_of, parse_clock
from agents.metering.options import MeterOptions, Stamp
from agents.metering.table.source_table import SourceTable
from protocol.errors import InputError

TIME, READING = "time of reading", "reading"
_FEWEST_SERIES_TIMES = 2
_NUMBERED = re.compile(r"(?i)(?:hh|h|p|t|interval|period|hour|hr|value|v|e|kwh)?[ _]?0*(\d{1,3})")
_INTERVALS_A_DAY = (24, 48, 96, 144, 288)
_LONG_DAYS = (25, 50, 100)
_RANGE = re.compile(r"\s*(?:-|to|\u2013)\s*\d{1,2}:\d{2}(?::\d{2})?$")
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Reshaped:
    """A table with a row for each reading, options that fit it, and what its labels say."""

    table: SourceTable
    options: MeterOptions
    stamp: Stamp | None = None
    """Whether the labels were starts or ends, where they leave no doubt."""
    note: str | None = None


def reshape(table: SourceTable, options: MeterOptions, path: Path) -> Reshaped:
    """Turn columns that are named by times into rows; other tables stay as they are."""
    series = [name for name in table.names if form_of(name) == "timestamp"]
    if options.layout in ("auto", "row-a-series") and len(series) >= _FEWEST_SERIES_TIMES:
        made = _melted(table, series, labels=series, date=None)
        note = "a row holds a whole series, one column for each time (--layout)"
        return Reshaped(made, _fitting(options), stamp=None, note=note)
    if options.layout == "row-a-series":
        raise InputError(
            "no columns are named by times with their dates, so this is not a row for each series: "
            "leave --layout to auto",
            file=path,
            line=table.header_line,
            field="--layout",
        )
    table, long_days = _without_spare_intervals(table)
    labels = _clock_labels(table) or _numbered_labels(table)
    if options.layout in ("auto", "row-a-day") and labels is not None:
        days = _row_a_day(table, options, labels=labels, path=path)
        return replace(days, note=f"{days.note}{long_days}")
    if options.layout == "row-a-day":
        raise InputError(
            "no columns are named by the times of a day (00:00, 00:30, ... or 1 to 48), so this is "
            "not a row for each day: leave --layout to auto",
            file=path,
            line=table.header_line,
            field="--layout",
        )
    return Reshaped(table, options)


def _fitting(options: MeterOptions) -> MeterOptions:
    return replace(
        options, time_column=TIME, value_column=READING, columns=(), skip_columns=(), layout="auto"
    )


def _clock_labels(table: SourceTable) -> dict[str, int] | None:
    """Return seconds since midnight of the columns that are named by clock times."""
    labels: dict[str, int] = {}
    for name in table.names:
        clock = parse_clock(_RANGE.sub("", name))
        if clock is not None:
            labels[name] = round(clock.total_seconds())
    return labels if len(labels) in _INTERVALS_A_DAY else None


def _numbered_labels(table: SourceTable) -> dict[str, int] | None:
    """Return seconds since midnight of columns numbered 1 to 24, 48, 96, ... beside dates."""
    numbers: dict[str, int] = {}
    for name in table.names:
        match = _NUMBERED.fullmatch(name)
        if match is not None:
            numbers[name] = int(match[1])
    count = len(numbers)
    for first in (0, 1):
        if count in _INTERVALS_A_DAY and sorted(numbers.values()) == list(
            range(first, first + count)
        ):
            if not any(kind_of(table, name) == "date" for name in table.names):
                return None
            length = _DAY_SECONDS // count
            return {name: (number - first) * length for name, number in numbers.items()}
    return None


def _without_spare_intervals(table: SourceTable) -> tuple[SourceTable, str]:
    """Return the table without columns that only a day of 25 hours fills; such days go too.

    Their intervals are counted on through the change of the clock, so they stand under the wrong
    times of day.
    """
    numbers = {}
    for name in table.names:
        match = _NUMBERED.fullmatch(name)
        if match is not None:
            numbers[int(match[1])] = name
    count = len(numbers)
    if count not in _LONG_DAYS or sorted(numbers) != list(range(1, count + 1)):
        return table, ""
    spare = [numbers[each] for each in range(count - count // 25 + 1, count + 1)]
    filled = (table.frame[spare] != "").any(axis=1).to_numpy()
    kept = table.keep_rows(~filled) if filled.any() and not filled.all() else table
    gone = "".join(f"; line {line} is left out: a day of 25 hours" for line in table.lines[filled])
    return kept.replaced(kept.frame.drop(columns=spare), kept.lines), gone


def _row_a_day(
    table: SourceTable, options: MeterOptions, labels: dict[str, int], path: Path
) -> Reshaped:
    seconds = list(labels.values())
    step = _DAY_SECONDS // len(seconds)
    ends = 0 not in seconds[:1]
    if ends:
        seconds = [each or _DAY_SECONDS for each in seconds]
    first = step if ends else 0
    if seconds != list(range(first, first + _DAY_SECONDS, step)):
        raise InputError(
            "its columns are named by clock times that do not follow each other evenly through "
            "the day: check them, or leave some out with --skip-columns",
            file=path,
            line=table.header_line,
        )
    dates = [name for name in table.names if kind_of(table, name) == "date"]
    if options.time_column is not None:
        dates = [options.time_column]
    if len(dates) != 1 or dates[0] not in table.names:
        raise InputError(
            "its columns are named by clock times, but which one holds the date? Name it with "
            "--time-column",
            file=path,
            line=table.header_line,
        )
    clocks = [f"{each // 3600:02}:{each % 3600 // 60:02}" for each in seconds]
    made = _melted(table, list(labels), labels=clocks, date=dates[0])
    said = "ends" if ends else "starts"
    note = f"a row holds a whole day, one column for each time; these are {said} of intervals"
    return Reshaped(made, _fitting(options), stamp="end" if ends else "start", note=note)


def _melted(
    table: SourceTable, columns: list[str], labels: list[str], date: str | None
) -> SourceTable:
    """Return one row for each of these columns in each row."""
    import pandas as pd

    rows, count = len(table.lines), len(columns)
    others = [name for name in table.names if name not in columns and name != date]
    frame = pd.DataFrame({name: table.frame[name].repeat(count) for name in others})
    frame = frame.reset_index(drop=True)
    if date is None:
        frame[TIME] = np.tile(np.array(labels, dtype=object), rows)
    else:
        frame[TIME] = [f"{day} {label}" for day in table.text(date) for label in labels]
    cells = table.frame[columns].to_numpy()
    frame[READING] = cells.reshape(-1)
    return table.replaced(frame, np.repeat(table.lines, count))


def stamp_of_names(time: str, clock: str | None) -> Stamp | None:
    """Tell whether the names of the columns of times say that they are ends."""
    return "end" if is_end(clock or time) else None
