"""Which character separates the cells of a text file. Decides by what the cells then look like."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

from agents.metering.notation.number_format import is_no_reading, is_number_like
from agents.metering.notation.time_format import form_of

_CANDIDATES = (",", ";", "\t", "|")
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?;*')
_SAMPLE = 200


@dataclass(frozen=True, slots=True)
class Dialect:
    """The separator, and how many lines before the table only declare it (`sep=;`)."""

    separator: str
    declared_lines: int = 0


def recognise_dialect(lines: Sequence[str]) -> Dialect:
    """Return the dialect of a text: the separator with which most cells are times and numbers."""
    if lines:
        declared = _SEPARATOR_LINE.fullmatch(lines[0].strip(" \n"))
        if declared:
            return Dialect(declared[1], 1)
    sample = [line for line in lines[:_SAMPLE] if line.strip()]
    scores = {separator: _understood(sample, separator) for separator in _CANDIDATES}
    return Dialect(max(scores, key=lambda separator: scores[separator]))


def rows_of(lines: Sequence[str], separator: str) -> list[list[str]]:
    """Return the cells of each line, without spaces around them."""
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    return [[cell.strip() for cell in row] for row in reader]


def _understood(sample: Sequence[str], separator: str) -> tuple[int, int]:
    """Tell how many cells are times or numbers, and how many cells there are: more is better."""
    try:
        rows = [row for row in rows_of(sample, separator) if len(row) > 1]
    except csv.Error:
        return 0, 0
    cells = [cell for row in rows for cell in row]
    known = [
        cell
        for cell in cells
        if not is_no_reading(cell) and (is_number_like(cell) or form_of(cell))
    ]
    return len(known), len(cells)
