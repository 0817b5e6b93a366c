"""Where a table begins in a text: lines before it, header, row of units, first reading.

Looks at the shape of the first rows before any cell is judged.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agents.metering.notation.number_format import is_no_reading, is_number_like
from agents.metering.notation.time_format import form_of, is_epoch
from agents.metering.notation.units import unit_of_word

_FEWEST_TIME_LABELS = 8
_LOOK_AHEAD = 3
_TIME_WORDS = {"time", "timestamp", "datetime", "date", "snapshot", "start", "begin", "from"}
_TIME_WORDS |= {"zeit", "zeitstempel", "datum", "uhrzeit", "von", "horodate", "heure", "fecha"}
_TIME_WORDS |= {"hora", "tijd", "tijdstip", "ts", "end", "ende", "fin", "data", "ora", "hour"}


@dataclass(frozen=True, slots=True)
class Head:
    """Rows of a table, counted from 0; None where there is none."""

    header: int | None
    units: int | None
    first: int
    """The first row of readings."""


def find_head(rows: Sequence[Sequence[str]]) -> Head | None:
    """Find header and first row of readings; None if no row looks like a reading."""
    for number, row in enumerate(rows):
        labels = [cell for cell in row if form_of(cell)]
        if len(labels) >= _FEWEST_TIME_LABELS:
            return Head(number, None, _next_filled(rows, number + 1))
    first = next((n for n in range(len(rows)) if _starts_readings(rows, n)), None)
    if first is None:
        first = next((n for n in range(1, len(rows)) if _is_numeric(rows[n])), None)
    if first is None:
        return _without_readings(rows)
    before = [n for n in range(first) if any(rows[n])]
    if len(before) > 1 and rows[before[-1]][0] and not any(rows[before[-1]][1:]):
        before.pop()  # the name of the index alone, below the names of columns
    units = before.pop() if len(before) > 1 and _is_unit_row(rows[before[-1]]) else None
    header = _header_of(rows, before, rows[first])
    if header is not None and units is None:
        # rows between the header and what looks like a reading are faulty readings, not preamble
        first = _next_filled(rows, header + 1)
    return Head(header, units, first)


def _without_readings(rows: Sequence[Sequence[str]]) -> Head | None:
    """Return a header before rows of which none is a reading: they will be refused one by one."""
    header = next((n for n, row in enumerate(rows) if _names_time(row)), None)
    return None if header is None else Head(header, None, _next_filled(rows, header + 1))


def _starts_readings(rows: Sequence[Sequence[str]], number: int) -> bool:
    """Return True if this row is a reading, and so is one of the next filled rows if any."""
    if not _is_reading(rows[number]):
        return False
    following = [row for row in rows[number + 1 :] if any(row)][:_LOOK_AHEAD]
    width = len(rows[number])
    return not following or any(_is_reading(row) and len(row) == width for row in following)


def _is_reading(row: Sequence[str]) -> bool:
    times = [cell for cell in row if form_of(cell)]
    numbers = [cell for cell in row if is_number_like(cell) and not form_of(cell)]
    empty = [cell for cell in row if is_no_reading(cell)]
    return bool(times) and bool(numbers or (empty and len(row) > 1)) and not _names_time(row)


def _is_numeric(row: Sequence[str]) -> bool:
    filled = [cell for cell in row if cell]
    return len(filled) > 1 and all(is_number_like(cell) or is_epoch(cell) for cell in filled)


def _is_unit_row(row: Sequence[str]) -> bool:
    if _names_time(row):
        return False
    filled = [cell for cell in row if cell not in ("", "-")]
    units = [cell for cell in filled if unit_of_word(cell)]
    words = [cell for cell in row[1:] if cell in filled and not unit_of_word(cell)]
    return bool(units) and all(
        re.fullmatch(r"[\[(].*[\])]|[A-Za-z°/%]{1,6}", cell) for cell in words
    )


def _header_of(
    rows: Sequence[Sequence[str]], before: Sequence[int], first: Sequence[str]
) -> int | None:
    """Return the header among the filled rows before the first reading."""
    named = [n for n in before if _names_time(rows[n]) and len(rows[n]) > 1]
    if named:
        return named[-1]
    needed = len([cell for cell in first if cell]) - 1
    plain = [
        n
        for n in before
        if len([cell for cell in rows[n] if cell]) >= max(1, needed)
        and not any(form_of(cell) for cell in rows[n])
        and not all(is_number_like(cell) for cell in rows[n] if cell)
    ]
    return plain[-1] if plain else None


def _names_time(row: Sequence[str]) -> bool:
    """Return True if a cell is, or contains, a word for time, and no cell is a time."""
    if any(form_of(cell) for cell in row):
        return False
    words = {word for cell in row for word in re.split(r"[^a-zà-ÿ]+", cell.lower())}
    return not words.isdisjoint(_TIME_WORDS) or any(
        cell.lower().endswith(("time", "_date", "stamp")) for cell in row
    )


def _next_filled(rows: Sequence[Sequence[str]], start: int) -> int:
    return next((n for n in range(start, len(rows)) if any(rows[n])), len(rows))
