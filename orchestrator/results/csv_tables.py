"""Tables as CSV text: numbers read back exactly, and spreadsheets treat no cell as a formula.

`result_files.py` decides which tables there are and what their columns mean.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
"""The start of a text that a spreadsheet would evaluate, with or without the marking apostrophe."""


def csv_text(header: Iterable[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table as comma-separated lines.

    Floats read back exactly. A text that starts like a formula gets a leading apostrophe, which
    `text_of` removes.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([safe_cell(value) for value in row] for row in rows)
    return text.getvalue()


def text_of(cell: str) -> str:
    """Return the text that `csv_text` wrote as this cell."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def safe_cell(value: object) -> object:
    """Return what is written for a value: a text that begins like a formula gets an apostrophe."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value
