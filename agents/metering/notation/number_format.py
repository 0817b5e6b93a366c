"""Cells to numbers: decimal points or commas, thousands, and the many ways to write "no reading".

Decides how a file writes numbers. Which columns hold numbers is decided in column_roles.
"""

import re
from collections.abc import Iterable
from typing import Literal

from agents.metering.options import Decimal

NO_READING = frozenset(
    {"", "null", "nan", "na", "n/a", "#n/a", "none", "-", "--", "?", "missing"}
    | {"unavailable", "unknown", "nil", "(null)", "<na>", "n.a.", "n.v.", "k.a."}
)
"""Cells, in lower case, that say there is no reading."""

_SPACES = re.compile(r"[\s\u00a0\u2009\u202f'\u2019]")
_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")
_GROUPED_POINTS = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+")
_GROUPED_COMMAS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+")
_NUMBER_LIKE = re.compile(r"[+-]?\.?\d[\d.,]*(?:[eE][+-]?\d{1,3})?")
_UNIT_BEHIND = re.compile(r"(?i)(?<=\d)\s*([kM]?Wh?)$")


def unit_behind(cell: str) -> str | None:
    """Return the unit that a cell such as `0.5 kWh` carries behind its number."""
    found = _UNIT_BEHIND.search(cell.strip())
    return found[1] if found else None


def bare(cell: str) -> str:
    """Return the cell without spaces, apostrophes between thousands, and a unit behind."""
    return _SPACES.sub("", _UNIT_BEHIND.sub("", cell.strip()))


def is_no_reading(cell: str) -> bool:
    """Return True if the cell says that there is no reading."""
    return cell.strip().lower() in NO_READING


def is_number_like(cell: str) -> bool:
    """Return True if the cell is a number in some notation."""
    return _NUMBER_LIKE.fullmatch(bare(cell)) is not None


def decimal_of(cells: Iterable[str], separator: str) -> Decimal | tuple[str, str] | None:
    """Tell how these cells write decimals; two example cells where they contradict each other.

    None if no cell has a comma (points are decimal then, except in 1.234.567). A cell like `1,234`
    alone is decimal in a file separated by semicolons and else ambiguous: returned with itself. So
    is `1.234` among whole numbers of three digits.
    """
    written = [bare(cell) for cell in cells]
    commas = [cell for cell in written if "," in cell]
    if not commas:
        points = [cell for cell in written if "." in cell]
        hundreds = any(re.fullmatch(r"[+-]?[1-9]\d{2}", cell) for cell in written)
        grouped = bool(points) and all(_GROUPED_POINTS.fullmatch(cell) for cell in points)
        return (points[0], points[0]) if hundreds and grouped else None
    both = [cell for cell in commas if "." in cell]
    if both:
        ends: set[Decimal] = {
            "comma" if cell.rindex(",") > cell.rindex(".") else "point" for cell in both
        }
        first = both[0]
        return ends.pop() if len(ends) == 1 else (first, _other(both, first))
    points = [cell for cell in written if "." in cell]
    decimal_commas = [cell for cell in commas if not _GROUPED_COMMAS.fullmatch(cell)]
    decimal_points = [cell for cell in points if not _GROUPED_POINTS.fullmatch(cell)]
    if decimal_commas and decimal_points:
        return decimal_commas[0], decimal_points[0]
    if decimal_commas:
        return "comma"
    if decimal_points:
        return "point"
    if points:
        return commas[0], points[0]
    return "comma" if separator == ";" else (commas[0], commas[0])


def _other(cells: list[str], first: str) -> str:
    later = first.rindex(",") > first.rindex(".")
    return next(cell for cell in cells if (cell.rindex(",") > cell.rindex(".")) != later)


def to_number(cell: str, decimal: Decimal) -> float | Literal["wrong"]:
    """Return the number in a cell, NaN where there is no reading, "wrong" for anything else."""
    if is_no_reading(cell):
        return float("nan")
    text = bare(cell)
    if decimal == "comma":
        if "." in text and not re.fullmatch(r"[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d*)?", text):
            return "wrong"
        text = text.replace(".", "").replace(",", ".")
    elif "," in text:
        if not re.fullmatch(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?", text):
            return "wrong"
        text = text.replace(",", "")
    elif text.count(".") > 1 and _GROUPED_POINTS.fullmatch(text):
        text = text.replace(".", "")
    if not text.isascii() or _PLAIN.fullmatch(text) is None:
        return "wrong"
    number = float(text)
    return number if abs(number) < 1e300 else "wrong"
