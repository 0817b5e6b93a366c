"""One table of named columns from a text or Parquet file, every row with its line.

Decides what is header, preamble and leftover of a spreadsheet. What columns hold is decided in
column_roles. pandas is in the extra `report`, so it is imported only once a file is to be read.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agents.metering.notation.number_format import is_number_like
from agents.metering.notation.time_format import form_of
from agents.metering.table.dialect import recognise_dialect, rows_of
from agents.metering.table.header import find_head
from agents.metering.table.stated_unit import StatedUnit, unit_before
from protocol.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

_SAMPLE = 300
_TOTALS = {"total", "totals", "sum", "sums", "summe", "summen", "gesamt", "gesamtsumme", "somme"}
_TOTALS |= {"totaal", "totale", "suma", "average", "mean", "mittel", "mittelwert", "moyenne"}
_MOST_FOOTERS = 10


_MARKED_TEXT = re.compile(r"^(?:=\"(.*)\"|'(\d+))$")


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A table as it stands in the file.

    Invariant: `frame` has named columns, text or numbers, and as many rows as `lines`, which
    counts from 1 with all lines before the table. In a Parquet file the rows are counted as if it
    were the same CSV file.
    """

    frame: pd.DataFrame = field(repr=False)
    lines: NDArray[np.int64] = field(repr=False)
    header_line: int | None
    separator: str = ","
    units: dict[str, str] = field(default_factory=dict)
    """Cells of the row of units, by column."""
    stated_unit: StatedUnit | None = None
    """The unit that lines before the table state."""
    named: bool = True
    """False if the file has no header, so that columns are called `column 1`, `column 2`, ..."""
    notes: list[str] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """Return names of the columns in their order."""
        return [str(name) for name in self.frame.columns]

    def text(self, name: str) -> list[str]:
        """Return the cells of a column as text."""
        return [str(cell) for cell in self.frame[name].tolist()]

    def keep_rows(self, rows: NDArray[np.bool_]) -> SourceTable:
        """Return the same table with only these rows."""
        return self.replaced(self.frame[rows].reset_index(drop=True), self.lines[rows])

    def replaced(self, frame: pd.DataFrame, lines: NDArray[np.int64]) -> SourceTable:
        """Return the same table with other rows and columns."""
        return SourceTable(
            frame=frame,
            lines=lines,
            header_line=self.header_line,
            separator=self.separator,
            units=self.units,
            stated_unit=self.stated_unit,
            named=self.named,
            notes=self.notes,
        )


def table_of_text(text: str, path: Path) -> SourceTable:
    """Return the table that a text holds."""
    lines = text.split("\n")
    dialect = recognise_dialect(lines)
    lines = lines[dialect.declared_lines :]
    try:
        rows = rows_of(lines[:_SAMPLE], dialect.separator)
    except csv.Error as error:
        raise InputError(f"is not a table of cells: {error}", file=path) from None
    offset = dialect.declared_lines + 1
    head = find_head(rows)
    if head is None:
        raise InputError(
            "no row holds a time and a reading: expected columns of times and of readings, as in "
            "`time,home-1` and then `2025-03-30 00:15,0.25`",
            file=path,
            line=offset,
        )
    notes = []
    begin = head.header if head.header is not None else head.first
    skipped = len([row for row in rows[:begin] if any(row)])
    if skipped:
        notes.append(f"lines before the table are left out: {skipped}")
    frame = _parse(
        lines[head.first :], dialect.separator, path=path, first_line=head.first + offset
    )
    header_line = None if head.header is None else head.header + offset
    names = rows[head.header] if head.header is not None else []
    if head.header is None:
        notes.append("the file has no header: columns are called column 1, column 2, ...")
    unit_row = rows[head.units] if head.units is not None else []
    if frame.empty:
        raise InputError("holds no readings", file=path)
    frame, names = _named(frame, names, path=path, header_line=header_line)
    if not (frame != "").to_numpy().any():
        raise InputError("holds no readings", file=path)
    filled = (frame != "").any(axis=1).to_numpy()
    numbers = np.flatnonzero(filled) + head.first + offset
    frame = frame[filled].reset_index(drop=True)
    units = {name: cell for name, cell in zip(names, unit_row, strict=False) if cell}
    table = SourceTable(
        frame=frame,
        lines=numbers,
        header_line=header_line,
        separator=dialect.separator,
        units=units,
        stated_unit=unit_before(rows[:begin]),
        named=head.header is not None,
        notes=notes,
    )
    return _without_footers(_without_repeated_headers(table))


def _parse(lines: list[str], separator: str, path: Path, first_line: int) -> pd.DataFrame:
    """Return all cells as text, short rows filled with empty cells."""
    import pandas as pd

    width = max((len(row) for row in rows_of(lines[:_SAMPLE], separator)), default=1)
    for _ in range(2):
        try:
            frame = pd.read_csv(
                io.StringIO("\n".join(lines)),
                sep=separator,
                header=None,
                names=range(width),
                index_col=False,
                dtype=str,
                na_filter=False,
                skip_blank_lines=False,
                skipinitialspace=True,
            )
        except pd.errors.EmptyDataError:
            return pd.DataFrame()
        except pd.errors.ParserError:
            try:
                widths = [len(row) for row in csv.reader(lines, delimiter=separator)]
            except csv.Error as error:
                raise InputError(f"is not a table of cells: {error}", file=path) from None
            if max(widths) <= width:
                raise InputError(
                    "has a quotation mark that is never closed: close or remove it",
                    file=path,
                    line=first_line + len(widths) - 1,
                ) from None
            width = max(widths)
        else:
            break
    for name in frame.columns:
        frame[name] = frame[name].fillna("").str.strip()
        # spreadsheets mark digits as text in two ways
        frame[name] = frame[name].str.replace(_MARKED_TEXT, r"\1\2", regex=True)
    return frame


def _named(
    frame: pd.DataFrame, names: list[str], path: Path, header_line: int | None
) -> tuple[pd.DataFrame, list[str]]:
    """Return the frame with column names; columns without name and content go."""
    if header_line is None:
        frame.columns = [f"column {number + 1}" for number in range(len(frame.columns))]
        return frame, [str(name) for name in frame.columns]
    named = list(names) + [""] * (len(frame.columns) - len(names))
    named = named[: len(frame.columns)] if len(frame.columns) else named
    for position in reversed(range(len(frame.columns))):
        empty = frame[position] == ""
        if named[position]:
            continue
        if bool(empty.all()):
            frame = frame.drop(columns=position)
            del named[position]
        elif position >= len(names):
            row = int(np.argmax(~empty.to_numpy()))
            raise InputError(
                "has a row with more cells than the header names: remove the extra separator, or "
                "put the cell in quotation marks",
                file=path,
                line=header_line + 1 + row,
            )
        else:
            named[position] = f"column {position + 1}"
    repeated = [name for name in named if named.count(name) > 1]
    if repeated:
        raise InputError(
            f"two columns are named {repeated[0]!r}: rename one", file=path, line=header_line
        )
    frame.columns = named
    return frame, named


def _without_repeated_headers(table: SourceTable) -> SourceTable:
    """Return the table without rows that repeat its header, as in joined exports."""
    first = table.names[0]
    repeated = np.array(table.frame[first] == first, dtype=bool)
    for row in np.flatnonzero(repeated).tolist():
        repeated[row] = [str(cell) for cell in table.frame.iloc[row]] == table.names
    if not repeated.any():
        return table
    table.notes.append(f"rows that repeat the header are left out: {int(repeated.sum())}")
    return table.keep_rows(~repeated)


def _without_footers(table: SourceTable) -> SourceTable:
    """Return the table without rows at its end that hold totals, or a single cell of text."""
    keep = np.ones(len(table.lines), dtype=bool)
    for row in reversed(range(max(0, len(table.lines) - _MOST_FOOTERS), len(table.lines))):
        cells = [str(cell).lower().strip(" :") for cell in table.frame.iloc[row] if cell]
        totals = any(cell in _TOTALS for cell in cells) and not any(map(form_of, cells))
        text = len(cells) == 1 and not form_of(cells[0]) and not is_number_like(cells[0])
        if not totals and not text:
            break
        keep[row] = False
        what = "totals" if totals else "text"
        table.notes.append(f"line {table.lines[row]} is left out: it holds {what}, not a reading")
    return table if keep.all() or not keep.any() else table.keep_rows(keep)


def table_of_parquet(data: bytes, path: Path) -> SourceTable:
    """Return the table in a Parquet file; times become text, ids too, readings stay numbers."""
    import pandas as pd

    try:
        frame = pd.read_parquet(io.BytesIO(data))
    except ImportError:
        raise InputError(
            "reading Parquet needs pyarrow: install the extra with `pip install 'coflex[report]'`",
            file=path,
        ) from None
    except (ValueError, OSError) as error:  # pyarrow's errors are kinds of these
        reason = str(error).splitlines()[0]
        raise InputError(f"is not a Parquet file: {reason}", file=path) from None
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    frame.columns = [str(name).strip() for name in frame.columns]
    repeated = frame.columns[frame.columns.duplicated()]
    if len(repeated):
        raise InputError(f"two columns are named {str(repeated[0])!r}: rename one", file=path)
    frame = frame.dropna(how="all")
    if frame.empty or frame.shape[1] == 0:
        raise InputError("holds no readings", file=path)
    lines = frame.index.to_numpy() + 2
    frame = frame.reset_index(drop=True)
    columns = {str(name): _readable(frame[name]) for name in frame.columns}
    return SourceTable(frame=pd.DataFrame(columns), lines=lines, header_line=None)


def _readable(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return floats as they are, all else as text; missing cells become NaN or empty text."""
    import pandas as pd

    if pd.api.types.is_float_dtype(column.dtype):
        return pd.Series(column.to_numpy(dtype=np.float64, na_value=np.nan))
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        aware = column.dt.tz is not None
        form = "%Y-%m-%dT%H:%M:%S.%f%z" if aware else "%Y-%m-%dT%H:%M:%S.%f"
        return column.dt.strftime(form).fillna("").astype(str).reset_index(drop=True)
    missing = column.isna().to_numpy()
    cells = ["" if gone else str(cell) for cell, gone in zip(column, missing, strict=True)]
    return pd.Series([cell.strip() for cell in cells], dtype=object)
