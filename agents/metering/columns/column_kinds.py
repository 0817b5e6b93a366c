"""Columns of a table by what most of their cells look like, and what a person said about them.

Decides the kind of each column. Which role it has is decided in column_roles, time_columns and
value_columns.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from agents.metering.columns import column_words
from agents.metering.columns.known_formats import KnownFormat
from agents.metering.notation.number_format import is_no_reading, is_number_like
from agents.metering.notation.time_format import form_of, is_epoch
from agents.metering.notation.units import unit_of_word
from agents.metering.options import MeterOptions
from agents.metering.table.source_table import SourceTable
from protocol.errors import InputError

Kind = Literal["timestamp", "date", "clock", "epoch", "number", "unit", "text", "empty"]

SAMPLE = 400
"""Rows that are looked at."""
_NUMBERS_AMONG_TEXT = 0.3
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class ColumnView:
    """A table whose columns are about to get their roles."""

    table: SourceTable
    options: MeterOptions
    known: KnownFormat
    path: Path
    kinds: dict[str, Kind]
    free: list[str]
    """Columns that are neither empty nor left out by the person."""
    notes: list[str] = field(default_factory=list)

    def refusal(self, reason: str, name: str | None = None) -> InputError:
        """Return an error at the header, about a column if one is named."""
        return InputError(reason, file=self.path, line=self.table.header_line, field=name)


def view_columns(
    table: SourceTable, options: MeterOptions, known: KnownFormat | None, path: Path
) -> ColumnView:
    """Look at the columns; InputError for options that name columns which are not there."""
    for option, name in (
        ("--time-column", options.time_column),
        ("--household-column", options.household_column),
        ("--value-column", options.value_column),
    ):
        if name is not None:
            check_column(name, table, path=path, option=option)
    for name in options.columns:
        check_column(name, table, path=path, option="--columns")
    for name in options.skip_columns:
        check_column(name, table, path=path, option="--skip-columns")
    if options.layout == "wide" and options.household_column is not None:
        raise InputError(
            "has no effect with --layout wide, where each column is a household",
            field="--household-column",
        )
    free = [name for name in table.names if name not in options.skip_columns]
    kinds = {name: kind_of(table, name) for name in free}
    for name in free:
        # a household may be called NA or null: only readings can be missing
        if kinds[name] == "empty" and column_words.is_household_name(name):
            kinds[name] = "text" if any(table.text(name)) else "empty"
    free = [name for name in free if kinds[name] != "empty"]
    return ColumnView(
        table, options, known=known or KnownFormat(name=""), path=path, kinds=kinds, free=free
    )


def kind_of(table: SourceTable, name: str) -> Kind:
    """Tell what most cells of a column look like."""
    column = table.frame[name]
    if column.dtype.kind in "fiu":
        return "number"
    cells = [str(cell) for cell in column.iloc[:SAMPLE]]
    filled = [cell for cell in cells if not is_no_reading(cell)]
    if not filled:
        return "empty"
    kinds = [_kind_of_cell(cell) for cell in filled]
    first = max(dict.fromkeys(kinds), key=kinds.count)
    if first == "text" and kinds.count("number") >= _NUMBERS_AMONG_TEXT * len(kinds):
        return "number"  # with text in it, which is refused where it stands
    return first if kinds.count(first) * 2 > len(kinds) else "text"


def _kind_of_cell(cell: str) -> Kind:
    form = form_of(cell)
    if form is not None:
        return form
    if is_epoch(cell):
        return "epoch"
    if unit_of_word(cell) and not is_number_like(cell):
        return "unit"
    return "number" if is_number_like(cell) else "text"


def check_column(name: str, table: SourceTable, path: Path, option: str) -> None:
    """Refuse the name of a column that the table does not have."""
    if name not in table.names:
        near = difflib.get_close_matches(name, table.names, n=1)
        hint = f": did you mean {near[0]!r}?" if near else f": its columns are {some(table.names)}"
        raise InputError(f"has no column {name!r}{hint}", file=path, field=option)


def some(names: Sequence[str]) -> str:
    """Return the first of these names, and how many more there are."""
    shown = ", ".join(repr(name) for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
