"""The day that homes plan: its slots, and which slot a time of day means.

This module decides how wall-clock times become slots. A day begins at `first` and ends at the same
time on the next date. With a date and a time zone it has as many slots as really pass, so a day on
which clocks change has an hour less or more; without a date it has 24 hours. A time that the clocks
skip counts as one hour later, a time that occurs twice as its first occurrence.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import ceil, floor
from zoneinfo import ZoneInfo

from protocol.errors import InputError

DAY_MINUTES = 24 * 60
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_UNDATED = date(2001, 1, 1)


@dataclass(frozen=True, slots=True)
class Day:
    """The slots of a day."""

    slots: int
    slot_minutes: float
    first: str = "00:00"
    """Wall-clock time at which slot 0 starts."""
    time_zone: str | None = None
    date: str | None = None
    """Date on which slot 0 starts, such as 2026-03-28; None for any day of 24 hours."""

    def from_first(self, clock: str) -> float:
        """Return the minutes from the start of slot 0 to the next occurrence of a time of day.

        Raises InputError for anything but HH:MM.
        """
        begin, moment = self._moment(self.first), self._moment(clock)
        if moment < begin:
            moment = self._moment(clock, later=1)
        return (moment - begin) / timedelta(minutes=1)

    def slot_from(self, clock: str | int, *, after: float = 0.0) -> int:
        """Return the first slot that starts at a time or later. A time before slot `after` is one
        on the next date. Numbers are slots already."""
        return clock if isinstance(clock, int) else ceil(self._position(clock, after))

    def slot_until(self, clock: str | int, *, after: float = 0.0) -> int:
        """Return the last slot that starts at a time or before. A time before slot `after` is one
        on the next date. Numbers are slots already."""
        return clock if isinstance(clock, int) else floor(self._position(clock, after))

    def stretch(self, arrival: str | int, departure: str | int) -> tuple[int, int]:
        """Return the first whole slot after an arrival, and the slot after the last one before a
        departure.

        A departure at or before the arrival is on the next date. One after the end of the day
        counts as its end, however little after: it never wraps round to slot 0.
        """
        start = self.slot_from(arrival)
        if isinstance(departure, int):
            return start, departure
        minutes = self.from_first(departure)
        here = start * self.slot_minutes if isinstance(arrival, int) else self.from_first(arrival)
        if minutes <= here:
            return start, self.slots
        return start, min(floor(minutes / self.slot_minutes), self.slots)

    def clock(self, slot: int) -> str:
        """Return the wall-clock time at which a slot starts, HH:MM."""
        begin = self._moment(self.first)
        moment = begin + timedelta(minutes=slot * self.slot_minutes)
        return f"{moment.astimezone(self._zone()) if self.date else moment:%H:%M}"

    def _position(self, clock: str, after: float) -> float:
        position = self.from_first(clock) / self.slot_minutes
        return position if position >= after else position + self._slots_to_tomorrow(clock)

    def _slots_to_tomorrow(self, clock: str) -> float:
        span = self._moment(clock, later=1) - self._moment(clock)
        return span / timedelta(minutes=self.slot_minutes)

    def _moment(self, clock: str, later: int = 0) -> datetime:
        """Return a time of day on the date of slot 0, or `later` days after it, in UTC."""
        found = _CLOCK.fullmatch(clock)
        if found is None:
            raise InputError(f'{clock!r} is not a time of day: write it like "18:45"')
        at = time(int(found[1]), int(found[2]))
        on = date.fromisoformat(self.date) if self.date else _UNDATED
        local = datetime.combine(on + timedelta(days=later), at)
        return local.replace(tzinfo=self._zone() if self.date else UTC).astimezone(UTC)

    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone or "UTC")


def day_of(
    *,
    slot_minutes: float,
    first: str = "00:00",
    time_zone: str | None = None,
    on: str | None = None,
) -> Day:
    """Return the day that begins at a time of day, on a date if one is given.

    Raises InputError, naming the field.
    """
    if time_zone is not None:
        try:
            ZoneInfo(time_zone)
        except (KeyError, ValueError, OSError):
            reason = f"{time_zone!r} is not a time zone: write one like Europe/Brussels"
            raise InputError(reason, field="time_zone") from None
    if on is not None:
        try:
            date.fromisoformat(on)
        except ValueError:
            reason = f"{on!r} is not a date: write it like 2026-03-28"
            raise InputError(reason, field="date") from None
        if time_zone is None:
            raise InputError("a date needs the time zone of the homes", field="time_zone")
    sample = Day(slots=1, slot_minutes=slot_minutes, first=first, time_zone=time_zone, date=on)
    try:
        start, end = sample._moment(first), sample._moment(first, later=1)
    except InputError as error:
        raise InputError(error.reason, field="first") from None
    slots = (end - start) / timedelta(minutes=slot_minutes)
    if slots != int(slots) or slots < 1:
        hours = (end - start) / timedelta(hours=1)
        reason = f"slots of {slot_minutes:g} minutes do not fill a day of {hours:g} hours"
        raise InputError(reason, field="slot_minutes")
    return Day(
        slots=int(slots), slot_minutes=slot_minutes, first=first, time_zone=time_zone, date=on
    )
