"""Which columns hold times: timestamps, or dates beside clock times or hours, and ends.

Decides by what cells look like, then by names; what leaves a doubt is asked about.
"""

import re
from dataclasses import dataclass

from agents.metering.columns import column_words
from agents.metering.columns.column_kinds import ColumnView, some

_HOUR_NAMES = {"hour", "stunde", "heure", "uur", "hora", "he", "hourending", "period", "hh"}
_HOUR_NAMES |= {"settlementperiod", "sp", "halfhour", "halfhourperiod", "godzina", "hodina", "ora"}
_HOUR_NAMES |= {"timme", "tunti", "viertelstunde", "quarterhour", "kwartier", "quartdheure"}
_PARTS = {"year", "month", "day"}
_TIME_NAMES = {"time", "timestamp", "datetime", "snapshot", "snapshots", "utc_timestamp"}


@dataclass(frozen=True, slots=True)
class TimeColumns:
    """Columns of times; None where the table has no such column."""

    time: str
    """Timestamps, or dates if `clock` or `hour` is there."""
    clock: str | None = None
    hour: str | None = None
    """Hours of the day as numbers, beside dates."""
    end: str | None = None


def time_columns(view: ColumnView, named: set[str | None]) -> TimeColumns:
    """Find the columns of times among those that are not named for something else."""
    free = [name for name in view.free if name not in named]
    stamps = [name for name in free if view.kinds[name] == "timestamp"]
    dates = [name for name in free if view.kinds[name] == "date"]
    clocks = [name for name in free if view.kinds[name] == "clock"]
    epochs = [name for name in free if view.kinds[name] == "epoch"]
    chosen = view.options.time_column or view.known.time
    if chosen is not None:
        ends = [name for name in stamps if column_words.is_end(name) and name != chosen]
        clock = _clock(view, clocks)[0] if view.kinds.get(chosen) == "date" and clocks else None
        return TimeColumns(chosen, clock, end=ends[0] if len(ends) == 1 else None)
    if dates and (clocks or _hour_column(view, free)):
        stamps = [name for name in stamps if not _repeats(view, name, dates[0])]
    if stamps:
        return TimeColumns(_stamp(view, stamps), end=_end_beside(stamps))
    if dates:
        clock, end = _clock(view, clocks) if clocks else (None, None)
        hour = None if clock else _hour_column(view, free)
        return TimeColumns(_one(view, dates, "date"), clock, hour=hour, end=end)
    if epochs:
        view.notes.append(f"{epochs[0]!r} is read as seconds or parts of them since 1970 (UTC)")
        return TimeColumns(_one(view, epochs, "time"))
    if _PARTS.issubset(name.lower() for name in free):
        raise view.refusal(
            "columns year, month and day hold parts of times: join them into one column of times "
            "such as 2025-03-30 00:15"
        )
    likely = [name for name in free if name.lower() in _TIME_NAMES]
    if likely or (free and view.table.names and free[0] == view.table.names[0]):
        first = likely[0] if likely else free[0]
        return TimeColumns(first)  # whose cells will be refused one by one
    raise view.refusal(
        f"no column holds times: name it with --time-column, columns are {some(view.table.names)}"
    )


def _repeats(view: ColumnView, name: str, date: str) -> bool:
    """Return True for timestamps that are the same for a whole day, such as those of uploads."""
    return int(view.table.frame[name].nunique()) <= int(view.table.frame[date].nunique())


def _stamp(view: ColumnView, stamps: list[str]) -> str:
    """Return the timestamps that count: starts of intervals if there are any."""
    starts = [name for name in stamps if not column_words.is_end(name)]
    return _one(view, starts or stamps, "time")


def _end_beside(stamps: list[str]) -> str | None:
    """Return the ends of intervals, if one column holds them."""
    ends = [name for name in stamps if column_words.is_end(name)]
    return ends[0] if len(ends) == 1 else None


def _one(view: ColumnView, names: list[str], what: str) -> str:
    """Return the only one of these columns, or the one with a name that leaves no doubt."""
    if len(names) > 1:
        telling = [name for name in names if column_words.is_start(name)]
        telling = telling or [name for name in names if name.lower() in _TIME_NAMES]
        if len(telling) != 1:
            raise view.refusal(f"columns {some(names)} may all be the {what}: give --time-column")
        return telling[0]
    return names[0]


def _clock(view: ColumnView, clocks: list[str]) -> tuple[str | None, str | None]:
    """Return the clock times at which intervals start, and those at which they end."""
    ends = [name for name in clocks if column_words.is_end(name)]
    starts = [name for name in clocks if name not in ends]
    if len(starts) > 1:
        starts = [name for name in starts if column_words.is_start(name)] or starts
    if len(starts) > 1:
        raise view.refusal(
            f"columns {some(starts)} may all be the time of day: leave out all but one with "
            "--skip-columns"
        )
    if starts:
        return starts[0], ends[0] if ends else None
    return ends[0], None


def _hour_column(view: ColumnView, free: list[str]) -> str | None:
    """Return the column of hours or half hours beside dates, if there is one."""
    found = [name for name in free if re.sub(r"[^a-z]", "", name.lower()) in _HOUR_NAMES]
    return found[0] if len(found) == 1 and view.kinds[found[0]] == "number" else None
