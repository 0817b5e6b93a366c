"""Columns of a table to numbers and units: one notation for all cells, one unit for each column.

Joins number_format and units for a whole table. Raises InputError with line and column for text
among numbers, mixed notations, and statements on the unit that contradict each other.
"""

from pathlib import Path

import numpy as np

from agents.metering.columns.column_roles import Roles
from agents.metering.columns.known_formats import KnownFormat
from agents.metering.notation.number_format import decimal_of, to_number, unit_behind
from agents.metering.notation.units import (
    Quantity,
    Unit,
    foreign_unit_in_name,
    says_power,
    unit_in_name,
    unit_of_word,
)
from agents.metering.options import Decimal, MeterOptions
from agents.metering.table.source_table import SourceTable
from agents.metering.table.stated_unit import StatedUnit
from protocol.errors import InputError
from protocol.vectors import Array

_MOST_KINDS = 3
"""Different cells of a column up to which its text may name the unit: `Import (kW)`."""


def numbers_of(
    table: SourceTable, names: list[str], options: MeterOptions, path: Path
) -> tuple[Array, list[str]]:
    """Read the cells of these columns: float64[r, n], NaN where there is no reading; and notes."""
    decimal, notes = _decimal(table, names, options=options, path=path)
    columns = [_numbers(table, name, decimal=decimal, path=path) for name in names]
    return np.column_stack(columns), notes


def _decimal(
    table: SourceTable, names: list[str], options: MeterOptions, path: Path
) -> tuple[Decimal, list[str]]:
    if options.decimal is not None:
        return options.decimal, []
    with_commas: set[str] = set()
    points: set[str] = set()
    for name in names:
        column = table.frame[name]
        if column.dtype.kind in "fiu":
            continue
        unique = column.unique()
        commas = {str(cell) for cell in unique if "," in str(cell)}
        with_commas |= commas
        points |= {str(cell) for cell in unique if str(cell)} - commas
    cells = {cell for cell in with_commas | points if to_number(cell, "comma") != "wrong"}
    cells |= {cell for cell in with_commas | points if to_number(cell, "point") != "wrong"}
    found = decimal_of(sorted(cells), table.separator)
    if isinstance(found, tuple):
        first, second = found
        beside = f"{first!r} and {second!r}" if first != second else f"{first!r}"
        raise InputError(
            f"numbers such as {beside} can be read in two ways: say --decimal point or comma",
            file=path,
            line=table.header_line,
            field=names[0],
        )
    if found != "comma":
        return "point", []
    grouped = sorted(cell for cell in cells if "." in cell and "," not in cell)
    example = f", so {grouped[0]} is read as {to_number(grouped[0], 'comma'):g}" if grouped else ""
    return "comma", [f"commas are decimal{example} (--decimal)"]


def _numbers(table: SourceTable, name: str, decimal: Decimal, path: Path) -> Array:
    import pandas as pd

    column = table.frame[name]
    if column.dtype.kind == "f":
        values = column.to_numpy(dtype=np.float64)
        _refuse(
            np.isinf(values), [str(value) for value in values], table=table, name=name, path=path
        )
        return np.asarray(values)
    codes, unique = pd.factorize(column)
    numbers = [to_number(str(cell), decimal) for cell in unique]
    wrong = np.array([number == "wrong" for number in numbers], dtype=bool)
    if wrong.any():
        _refuse(wrong[codes], table.text(name), table=table, name=name, path=path)
    return np.asarray(np.array(numbers, dtype=np.float64)[codes])


def _refuse(
    wrong: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
    cells: list[str],
    table: SourceTable,
    name: str,
    path: Path,
) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"{cells[row]!r} is not a number: leave the cell empty if there is no reading, or "
            "leave the column out with --skip-columns",
            file=path,
            line=int(table.lines[row]) or None,
            field=name,
        )


def units_of(
    table: SourceTable,
    roles: Roles,
    options: MeterOptions,
    known: KnownFormat | None,
    path: Path,
) -> tuple[list[Unit], list[str]]:
    """Return the unit of each column of readings; all energy or all power."""
    units = [
        _unit(table=table, name=name, roles=roles, options=options, known=known, path=path)
        for name in roles.values
    ]
    if len({unit.quantity for unit in units}) > 1:
        raise InputError(
            "columns hold energy and power: name those of one kind with --columns",
            file=path,
            line=table.header_line,
        )
    if options.counter and units[0].quantity == "power":
        raise InputError(
            f"readings are power in {units[0].name}, which no counter counts: leave --counter out",
            file=path,
            field="--counter",
        )
    said = dict.fromkeys(f"{unit.name} ({unit.source})" for unit in units)
    return units, [f"unit {', '.join(said)}"]


def quantity_of(units: list[Unit]) -> Quantity:
    """Return energy or power, the same for all these units."""
    return units[0].quantity


def _unit(
    table: SourceTable,
    name: str,
    roles: Roles,
    options: MeterOptions,
    known: KnownFormat | None,
    path: Path,
) -> Unit:
    found = _stated(table, name, roles=roles, path=path)
    if known is not None and known.unit is not None and known.binding:
        found = found or [Unit(known.unit, f"{known.name} files")]
    stated = table.stated_unit
    if options.unit is not None:
        before = unit_of_word(stated.word) if stated is not None else None
        if stated is not None and before is not None and not found:
            found.append(Unit(before, f"the lines before the table ({stated.line})"))
        found.append(Unit(options.unit, "--unit"))
    for other in found[1:]:
        if other.name != found[0].name:
            raise InputError(
                f"the unit is {found[0].name} by {found[0].source}, but {other.name} by "
                f"{other.source}: correct the one that is wrong",
                file=path,
                line=table.header_line,
                field=name,
            )
    if found:
        return found[0]
    said = table.units.get(name, "").strip("[]() ")
    foreign = foreign_unit_in_name(name) or foreign_unit_in_name(f"({said})")
    if foreign is not None:
        raise InputError(
            f"is in {foreign}: convert it to kWh, or say with --unit in which unit it really is",
            file=path,
            line=table.header_line,
            field=name,
        )
    if known is not None and known.unit is not None:
        return Unit(known.unit, f"{known.name} files; --unit")
    if stated is not None:
        return _unit_of_preamble(stated, table, path=path)
    if says_power(name):
        raise InputError(
            "holds power, but in W, kW or MW? Say it with --unit",
            file=path,
            line=table.header_line,
            field=name,
        )
    return Unit("kWh", "nothing else is said; --unit")


def _unit_of_preamble(stated: StatedUnit, table: SourceTable, path: Path) -> Unit:
    unit = unit_of_word(stated.word)
    if unit is None:
        raise InputError(
            f"the unit is {stated.word} by the lines before the table: convert the readings to "
            "kWh, or say with --unit in which unit they really are",
            file=path,
            line=table.header_line,
        )
    return Unit(unit, f"the lines before the table ({stated.line})")


def _stated(table: SourceTable, name: str, roles: Roles, path: Path) -> list[Unit]:
    """Tell what the file itself says of the unit: header, row of units, unit column, cells."""
    found = []
    header = unit_in_name(name)
    if header is not None:
        found.append(Unit(header, "the column's name"))
    row = unit_of_word(table.units.get(name, ""))
    if row is not None:
        found.append(Unit(row, "the row of units"))
    if roles.unit is not None:
        cells = {cell: None for cell in table.text(roles.unit) if cell}
        words = {unit_of_word(cell) for cell in cells}
        if len(words) > 1 or None in words:
            raise InputError(
                f"units are {', '.join(map(repr, list(cells)[:5]))}: keep the rows of one with "
                f"--only {roles.unit}={next(iter(cells), 'kWh')}, known units are Wh, kWh, MWh, W, "
                "kW, MW",
                file=path,
                line=table.header_line,
                field=roles.unit,
            )
        found += [Unit(word, f"column {roles.unit!r}") for word in words if word is not None]
    for other in roles.others:
        kinds = set(table.text(other)) if table.frame[other].nunique() <= _MOST_KINDS else set()
        in_cells = [unit_in_name(kind) for kind in sorted(kinds) if "(" in kind or "[" in kind]
        found += [Unit(unit, f"column {other!r}") for unit in in_cells if unit is not None]
    if table.frame[name].dtype.kind not in "fiu":
        cells_behind = {unit_behind(str(cell)) for cell in table.frame[name].unique()} - {None}
        behind = sorted(cell for cell in cells_behind if cell)
        named = [unit_of_word(cell) for cell in behind]
        found += [Unit(unit, "its cells") for unit in named if unit is not None]
    return found
