"""The unit that lines before a table state, such as `UOM: kWh` or a column `Unite` of its own.

Decides nothing if the lines name several units.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agents.metering.notation.units import foreign_unit_in_name, unit_of_word

_LABEL = r"(?:units?|uom|einheit(?:en)?|unit[eé]s?|eenheid|unidad|unit[aà]|jednostka|enhed|enhet)"
_LABELLED = re.compile(rf"(?i)[#\s]*\b{_LABEL}\b[^A-Za-z]*([A-Za-z]{{1,6}})\W*")
_IN_WORDS = re.compile(r"\b(?:in|en|em)\s+([kM]?Wh?)\b")
_LONGEST_SHOWN = 40


@dataclass(frozen=True, slots=True)
class StatedUnit:
    """The name of a unit, known or not, and the line that states it."""

    word: str
    line: str


def unit_before(rows: Sequence[Sequence[str]]) -> StatedUnit | None:
    """Return the one unit that these rows state; None if they state none, or several."""
    found: dict[str, StatedUnit] = {}
    for number, row in enumerate(rows):
        for word in _stated_in(rows, number):
            name = unit_of_word(word) or foreign_unit_in_name(f"({word})")
            if name is not None:
                found.setdefault(name, StatedUnit(name, _shown(row)))
    return next(iter(found.values())) if len(found) == 1 else None


def _stated_in(rows: Sequence[Sequence[str]], number: int) -> list[str]:
    """Return the units in a row: behind a label, in words, or below a column's label."""
    row = rows[number]
    words = []
    for position, cell in enumerate(row):
        for pattern in (_LABELLED, _IN_WORDS):
            words += pattern.findall(cell)
        if not re.fullmatch(rf"(?i)[#\s]*{_LABEL}\W*", cell):
            continue
        words += row[position + 1 : position + 2]
        if number + 1 < len(rows):
            words += rows[number + 1][position : position + 1]
    return words


def _shown(row: Sequence[str]) -> str:
    text = " ".join(cell for cell in row if cell)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}..."
