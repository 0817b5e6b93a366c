"""The local times at which slots begin, as text for files, tables and axes.

This module decides how times are written. The data set says when its slots are
(`agents.plans.SlotTimes`).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from agents.plans import SlotTimes

TICKS_MAX = 7
"""Maximum number of labels along an axis; more would overlap on a phone."""
_LENGTH_OF_CLOCK_TIME = len("00:00:00")
_NO_DAY = datetime(2001, 1, 1)
"""A placeholder for an unknown day; it is never shown."""
_DAY_MINUTES = 1440
_STEPS = (5, 10, 15, 30, 60, 120, 180, 240, 360, 720, _DAY_MINUTES)
"""Possible distances between two labels of an axis, minutes."""


def iso_times(times: SlotTimes, slots: int) -> list[str]:
    """Return when each slot begins, in ISO 8601.

    The time has its offset if the time zone is known, and no date if the data set names no day.
    """
    starts = slot_starts(times, slots)
    spec = "minutes" if _whole_minutes(starts) else "seconds"
    if not is_dated(times):
        return [start.time().isoformat(spec) for start in starts]
    return [start.isoformat(timespec=spec) for start in starts]


def clock_times(times: SlotTimes, slots: int) -> list[str]:
    """Return when each slot begins as HH:MM, after the day if there are several days."""
    starts = slot_starts(times, slots)
    form = "%H:%M" if _whole_minutes(starts) else "%H:%M:%S"
    if len({start.date() for start in starts}) == 1:
        return [f"{start:{form}}" for start in starts]
    return [f"{_day(times, start)} {start:{form}}" for start in starts]


def axis_ticks(times: SlotTimes, slots: int) -> list[tuple[int, str]]:
    """Return the slots to label along an axis, with their labels: at most TICKS_MAX, at round times
    if possible."""
    starts = slot_starts(times, slots)
    places: list[int] = []
    for step in _STEPS:
        places = [slot for slot, start in enumerate(starts) if not _minute_of_day(start) % step]
        if len(places) <= TICKS_MAX:
            break
    if not 2 <= len(places) <= TICKS_MAX:  # no slot begins at a round time, or there are many days
        places = list(range(0, slots, -(-slots // TICKS_MAX)))
    days = len({start.date() for start in starts}) > 1
    return [(slot, _tick(times, starts[slot], days=days)) for slot in places]


def is_dated(times: SlotTimes) -> bool:
    """Return True if the day of the first slot is known."""
    return len(times.first) > _LENGTH_OF_CLOCK_TIME


def axis_label(times: SlotTimes) -> str:
    """Return the label of an axis of times."""
    return "time of day" + (f" ({times.timezone})" if times.timezone else "")


def slot_starts(times: SlotTimes, slots: int) -> list[datetime]:
    """Return when each slot begins in local time; slots are equally long in universal time."""
    length = timedelta(minutes=times.minutes)
    if not is_dated(times):
        clock = datetime.fromisoformat(f"{_NO_DAY.date()}T{times.first}").replace(tzinfo=None)
        return [clock + slot * length for slot in range(slots)]
    first, zone = datetime.fromisoformat(times.first), _zone(times.timezone)
    if first.tzinfo is None:
        first = first.replace(tzinfo=zone)
    if first.tzinfo is None:
        return [first + slot * length for slot in range(slots)]
    local, offset = zone or first.tzinfo, first.utcoffset() or timedelta()
    universal = first.replace(tzinfo=None) - offset
    return [_as_local(universal + slot * length, local) for slot in range(slots)]


def _as_local(universal: datetime, zone: tzinfo) -> datetime:
    return zone.fromutc(universal.replace(tzinfo=zone))


def _zone(name: str | None) -> tzinfo | None:
    if not name:
        return None
    if name[0] in "+-":
        return datetime.fromisoformat(f"{_NO_DAY.date()}T00:00{name}").tzinfo
    return ZoneInfo(name)


def _whole_minutes(starts: Sequence[datetime]) -> bool:
    return not any(start.second or start.microsecond for start in starts)


def _minute_of_day(start: datetime) -> float:
    return start.hour * 60 + start.minute + start.second / 60 + start.microsecond / 60e6


def _day(times: SlotTimes, start: datetime) -> str:
    if is_dated(times):
        return f"{start:%d %b}"
    return f"day {(start.date() - _NO_DAY.date()).days + 1}"


def _tick(times: SlotTimes, start: datetime, *, days: bool) -> str:
    midnight = not _minute_of_day(start)
    return _day(times, start) if days and midnight else f"{start:%H:%M}"
