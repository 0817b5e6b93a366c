"""Dates beside the numbers of hours, half hours or quarter hours, written as clock times.

Decides where numbers start and how long an interval is. Numbers go on through a day on which the
clock changes, so that it has 23 or 25 hours: such days need the zone of the households.
"""

from collections import defaultdict
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Literal

from agents.metering.notation.time_format import date_order, parse_time
from agents.metering.options import DateOrder
from agents.metering.readings.local_time import midnight
from protocol.errors import InputError

_DAY_MINUTES = 24 * 60


def clock_cells(
    days: list[str],
    numbers: list[str],
    *,
    zone: tzinfo | None,
    dates: DateOrder | None,
    path: Path,
    name: str,
) -> list[str]:
    """Return dates with the clock times at which the numbered intervals start.

    0 to 23 and 1 to 24 are hours, up to 50 half hours and up to 100 quarter hours. Raises
    InputError for other numbers, and for days of 25 hours if the zone is not known.
    """
    counted = [int(cell.split(".")[0]) if cell[:1].isdigit() else -1 for cell in numbers]
    largest = max(counted)
    if min(counted) < 0 or largest > 100:
        wrong = next(
            cell for cell, number in zip(numbers, counted, strict=True) if not 0 <= number <= 100
        )
        raise InputError(
            f"{wrong!r} is not the number of an hour (1 to 24), half hour (1 to 48) or quarter "
            "hour (1 to 96)",
            file=path,
            field=name,
        )
    step = 60 if largest <= 25 else 30 if largest <= 50 else 15
    first = 1 if min(counted) > 0 and (largest >= 24 or step < 60) else 0
    of_day: dict[str, set[int]] = defaultdict(set)
    for day, number in zip(days, counted, strict=True):
        of_day[day].add(number - first)
    usual = _DAY_MINUTES // step
    order = dates or date_order(of_day)
    changed = _changed_days(of_day, usual=usual, step=step, order=order, zone=zone)
    for day, seen in of_day.items():
        if max(seen) >= usual and day not in changed:
            raise InputError(
                f"{day} has {len(seen)} intervals where {usual} make a day, so the clock may have "
                "been set back: name the zone with --timezone, such as --timezone Europe/Brussels",
                file=path,
                field=name,
            )
    cells = []
    for day, number in zip(days, counted, strict=True):
        minutes = (number - first) * step
        begin = _date(day, order) if zone is not None and changed else None
        if zone is None or begin is None:
            cells.append(f"{day} {minutes // 60:02}:{minutes % 60:02}")
            continue
        time = (begin + timedelta(minutes=minutes)).replace(tzinfo=zone)
        if day in changed:
            since = midnight(begin.date(), zone) // 1_000_000_000 + 60 * minutes
            time = datetime.fromtimestamp(since, zone)
        cells.append(f"{time:%Y-%m-%d %H:%M%z}")
    return cells


def _changed_days(
    of_day: dict[str, set[int]],
    usual: int,
    step: int,
    order: DateOrder | Literal["unclear"] | None,
    zone: tzinfo | None,
) -> set[str]:
    """Return the days whose numbers go on through a change of the clock in this zone."""
    changed = set()
    for day, seen in of_day.items():
        begin = _date(day, order)
        if zone is None or begin is None or len(seen) == usual or seen != set(range(len(seen))):
            continue
        following = midnight((begin + timedelta(days=1)).date(), zone)
        minutes = (following - midnight(begin.date(), zone)) // 60_000_000_000
        if minutes == len(seen) * step:
            changed.add(day)
    return changed


def _date(day: str, order: DateOrder | Literal["unclear"] | None) -> datetime | None:
    found = parse_time(day, None if order == "unclear" else order)
    return None if found is None else found.wall
