"""Tables as CSV text: numbers read back exactly, and no cell is a formula to a spreadsheet.

Which tables there are, and what their columns mean, is decided in result_files.py.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
"""How a text begins that a spreadsheet would compute, or that was marked as one that it must not.
"""


def csv_text(header: Iterable[str], rows: Iterable[Sequence[object]]) -> str:
    """Return comma separated lines. Floats read back exactly; a text that begins like a formula
    gets an apostrophe before it (`text_of` removes it)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([safe_cell(value) for value in row] for row in rows)
    return text.getvalue()


def text_of(cell: str) -> str:
    """Return the text that `csv_text` has written as this cell."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def safe_cell(value: object) -> object:
    """Return what is written for a value: a text that begins like a formula gets an apostrophe."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value
