"""Cells to times as they are written: dates, clock times, offsets from UTC, epoch seconds.

Decides what a cell says. Which instant a time without an offset means is decided in local_time.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from agents.metering.options import DateOrder

Form = Literal["timestamp", "date", "clock"]

_MONTHS = {"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8}
_MONTHS |= {"sep": 9, "oct": 10, "nov": 11, "dec": 12, "mrz": 3, "mai": 5, "okt": 10, "dez": 12}
_MONTHS |= {"mar": 3, "ene": 1, "abr": 4, "ago": 8, "dic": 12, "janv": 1, "fev": 2, "avr": 4}
_MONTHS |= {"juin": 6, "juil": 7, "aou": 8, "gen": 1, "mag": 5, "giu": 6, "lug": 7, "set": 9}
_MONTHS |= {"ott": 10, "mrt": 3, "mei": 5, "maj": 5, "maer": 3, "out": 10}

_ISO = r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})"
_COMPACT = r"(?P<cy>(?:19|20|21)\d{2})(?P<cm>0[1-9]|1[0-2])(?P<cd>0[1-9]|[12]\d|3[01])"
_DOTTED = r"(?P<gd>\d{1,2})\.(?P<gm>\d{1,2})\.(?P<gy>\d{4}|\d{2})"
_SLASHED = r"(?P<a>\d{1,2})(?P<sep>[/-])(?P<b>\d{1,2})(?P=sep)(?P<sy>\d{4}|\d{2})"
_NAMED = r"(?P<nd>\d{1,2})[- ](?P<nm>[^\W\d_]{3,})\.?[- ,]+(?P<ny>\d{4}|\d{2})"
_NAMED_US = r"(?P<um>[^\W\d_]{3,})\.? (?P<ud>\d{1,2}),? (?P<uy>\d{4})"
_CLOCK = (
    r"(?P<H>\d{1,2})[:h](?P<M>\d{2})(?:[:](?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?)?"
    r"(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?"
)
_COMPACT_CLOCK = r"(?P<cH>[0-2]\d)(?P<cM>[0-5]\d)(?P<cS>[0-5]\d)?"
_ZONES = {"CET": 1, "CEST": 2, "WET": 0, "WEST": 1, "EET": 2, "EEST": 3, "MEZ": 1, "MESZ": 2}
_OFFSET = rf"\s*(?P<offset>Z|UTC|GMT|(?:UTC|GMT)?[+-]\d{{2}}(?::?\d{{2}})?|{'|'.join(_ZONES)})?"
_WEEKDAY = re.compile(r"(?i)^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,? ")
_DATE = f"(?:{_ISO}|{_COMPACT}|{_DOTTED}|{_SLASHED}|{_NAMED}|{_NAMED_US})"
_TIMESTAMP = re.compile(
    f"{_DATE}(?:(?:T|,?\\s+|:)(?:{_CLOCK}|{_COMPACT_CLOCK})|T(?P<hour>[0-2]\\d)){_OFFSET}"
)
_DATE_ONLY = re.compile(_DATE)
_CLOCK_ONLY = re.compile(f"{_CLOCK}{_OFFSET}")
_RANGE = re.compile(r"(.*\d)\s+(?:to|until|bis|-|\u2013)\s+(\d.*)")
_EPOCH = re.compile(r"(?P<s>1\d{9})(?P<ms>\d{3})?(?P<us>\d{3})?(?P<ns>\d{3})?(?:\.0*)?")


@dataclass(frozen=True, slots=True)
class WrittenTime:
    """A time as written: on the wall clock, and its offset from UTC where the cell has one."""

    wall: datetime
    offset: timedelta | None


def form_of(cell: str) -> Form | None:
    """Tell whether a cell is a date with a clock time, a date, or a clock time; None if neither."""
    text = start_of(cell)
    if _TIMESTAMP.fullmatch(text):
        return "timestamp"
    if _CLOCK_ONLY.fullmatch(text):
        return "clock"
    return "date" if _DATE_ONLY.fullmatch(text) else None


def start_of(cell: str) -> str:
    """Return the cell without a weekday, and without the end of `start to end`."""
    text = _WEEKDAY.sub("", cell.strip())
    interval = _RANGE.fullmatch(text)
    if interval is None or _TIMESTAMP.fullmatch(interval[1]) is None:
        return text
    ends = _TIMESTAMP.fullmatch(interval[2]) or _CLOCK_ONLY.fullmatch(interval[2])
    return text if ends is None else interval[1]


def is_epoch(cell: str) -> bool:
    """Return True for seconds (or milli-, micro-, nanoseconds) since 1970, from 2001 to 2033."""
    return _EPOCH.fullmatch(cell.strip()) is not None


def date_order(cells: Iterable[str]) -> DateOrder | Literal["unclear"] | None:
    """Return order of day and month in dates such as 31/12/2025; None if no cell is written so.

    "unclear" if every date can be read both ways, or some only one way and others only the other.
    """
    orders: set[DateOrder] = set()
    seen = False
    for cell in cells:
        text = start_of(cell)
        match = _TIMESTAMP.fullmatch(text) or _DATE_ONLY.fullmatch(text)
        if match is None or match["a"] is None:
            continue
        seen = True
        if int(match["a"]) > 12:
            orders.add("dmy")
        if int(match["b"]) > 12:
            orders.add("mdy")
    if not seen:
        return None
    return orders.pop() if len(orders) == 1 else "unclear"


def parse_time(cell: str, order: DateOrder | None) -> WrittenTime | None:
    """Read a timestamp or a date (midnight); None if it is neither, or no such day exists."""
    text = start_of(cell)
    epoch = _EPOCH.fullmatch(text)
    if epoch is not None:
        digits = text.split(".")[0]
        seconds, rest = int(digits[:10]), digits[10:].ljust(9, "0")
        wall = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
        return WrittenTime(wall + timedelta(microseconds=int(rest[:6])), timedelta(0))
    match = _TIMESTAMP.fullmatch(text)
    found = match or _DATE_ONLY.fullmatch(text)
    if found is None:
        return None
    day = _day(found, order)
    if day is None:
        return None
    if match is None:
        return WrittenTime(day, None)
    clock = _clock(match)
    return None if clock is None else WrittenTime(day + clock, _offset(match["offset"]))


def parse_clock(cell: str) -> timedelta | None:
    """Return time since midnight that a clock time says; 24:00 is the end of the day."""
    match = _CLOCK_ONLY.fullmatch(cell.strip())
    return None if match is None else _clock(match)


def _day(match: "re.Match[str]", order: DateOrder | None) -> datetime | None:
    part = match.groupdict()
    if part["y"]:
        numbers = part["y"], part["m"], part["d"]
    elif part["cy"]:
        numbers = part["cy"], part["cm"], part["cd"]
    elif part["gd"]:
        numbers = part["gy"], part["gm"], part["gd"]
    elif part["a"]:
        first, second = part["a"], part["b"]
        numbers = (part["sy"], second, first) if order == "dmy" else (part["sy"], first, second)
    else:
        month = str(_month(part["nm"] or part["um"]))
        numbers = part["ny"] or part["uy"], month, part["nd"] or part["ud"]
    year = int(numbers[0]) + (2000 if len(numbers[0]) == 2 else 0)
    try:
        return datetime(year, int(numbers[1]), int(numbers[2]))
    except ValueError:
        return None


def _month(name: str) -> int:
    """Return the number of a month by the longest beginning that is known; 0 if none is."""
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return next((_MONTHS[plain[:n]] for n in (4, 3) if plain[:n] in _MONTHS), 0)


def _clock(match: "re.Match[str]") -> timedelta | None:
    part = match.groupdict()
    hour = int(part["H"] or part.get("cH") or part.get("hour") or 0)
    minute = int(part["M"] or part.get("cM") or 0)
    second = int(part["S"] or part.get("cS") or 0)
    micro = int((part["f"] or "0").ljust(6, "0")[:6])
    if part["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if part["half"] in "Pp" else 0)
    if hour > 24 or minute > 59 or second > 59 or (hour == 24 and (minute or second or micro)):
        return None
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=micro)


def _offset(text: str | None) -> timedelta | None:
    if text is None:
        return None
    if text in _ZONES:
        return timedelta(hours=_ZONES[text])
    digits = text.removeprefix("UTC").removeprefix("GMT").replace(":", "")
    if digits in ("", "Z"):
        return timedelta(0)
    minutes = 60 * int(digits[1:3]) + int(digits[3:5] or 0)
    return timedelta(minutes=-minutes if digits[0] == "-" else minutes)
