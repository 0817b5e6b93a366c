"""What each column of a table holds: times, households, readings, units, or something else.

Decides by options first, then by published formats, names and cells. Which columns are times and
readings is decided in time_columns and value_columns.
"""

from dataclasses import dataclass, field
from pathlib import Path

from agents.metering.columns import column_words
from agents.metering.columns.column_kinds import ColumnView, some, view_columns
from agents.metering.columns.known_formats import KnownFormat
from agents.metering.columns.time_columns import TimeColumns, time_columns
from agents.metering.columns.value_columns import value_columns
from agents.metering.options import MeterOptions
from agents.metering.table.source_table import SourceTable

_UNIT_NAMES = {"unit", "units", "uom", "einheit", "unite", "unité", "eenheid", "unidad"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Which column is what; None where the table has no such column."""

    times: TimeColumns
    household: str | None
    values: list[str]
    unit: str | None
    others: list[str] = field(default_factory=list)
    """Columns that tell rows apart but hold no reading."""
    notes: list[str] = field(default_factory=list)


def recognise_roles(
    table: SourceTable, options: MeterOptions, known: KnownFormat | None, path: Path
) -> Roles:
    """Give every column a role; InputError where a column could be something else."""
    view = view_columns(table, options, known=known, path=path)
    household = _household(view)
    named = {household, options.value_column, *options.columns}
    times = time_columns(view, named - {None})
    taken = {times.time, times.clock, times.hour, times.end, household}
    unit = _unit_column(view, taken)
    rest = [name for name in view.free if name not in taken | {unit}]
    values = value_columns(view, rest, household)
    return Roles(
        times=times,
        household=household,
        values=values,
        unit=unit,
        others=[name for name in rest if name not in values],
        notes=view.notes,
    )


def _household(view: ColumnView) -> str | None:
    """Return the column that names households, if there is one."""
    if view.options.household_column is not None:
        return view.options.household_column
    if view.options.layout == "wide":
        return None
    if view.known.household is not None:
        return view.known.household
    named = {*view.options.columns, view.options.value_column, view.options.time_column}
    found = [
        name
        for name in view.free
        if column_words.is_household_name(name) and _may_be_ids(view, name) and name not in named
    ]
    if len(view.free) < 3 and view.options.layout == "auto":
        found = []
    if len(found) > 1:
        telling = [name for name in found if view.table.frame[name].nunique() > 1]
        if len(telling) == 1 or not telling:
            return (telling or found)[0]
        raise view.refusal(
            f"columns {some(telling)} may all be the household: give --household-column, "
            "or --layout wide if each is a household"
        )
    if not found and view.options.layout == "long":
        raise view.refusal("no column names the household: give its name, --household-column")
    return found[0] if found else None


def _may_be_ids(view: ColumnView, name: str) -> bool:
    """Return True for text, and for numbers that do not look like readings."""
    kind = view.kinds[name]
    if kind == "text":
        return True
    column = view.table.frame[name]
    if kind not in ("number", "epoch", "date") or column.dtype.kind == "f":
        return False
    return int(column.nunique()) <= max(1, len(column) // 4)


def _unit_column(view: ColumnView, taken: set[str | None]) -> str | None:
    """Return the column that names units, if there is one."""
    rest = [name for name in view.free if name not in taken]
    named = [name for name in rest if name.lower() in _UNIT_NAMES]
    found = named or [name for name in rest if view.kinds[name] == "unit"]
    return found[0] if found else None
