"""Which columns hold readings: those named, those of a published format, or all that can be homes.

What may be something else than a home's consumption is asked about, never taken.
"""

import re

import numpy as np

from agents.metering.columns import column_words
from agents.metering.columns.column_kinds import SAMPLE, ColumnView, some
from agents.metering.notation.units import says_power, unit_in_name
from protocol.errors import InputError

_VALUES = {"value", "reading", "readings", "energy", "power", "consumption", "kwh", "kw", "p_set"}
_VALUES |= {"energy_kwh", "power_kw", "kwh/hh", "demand", "p", "usage", "wh", "w", "load"}


def value_columns(view: ColumnView, rest: list[str], household: str | None) -> list[str]:
    """Find the columns of readings among the rest; one if `household` names a column of ids."""
    options = view.options
    if options.columns:
        if household is not None and len(options.columns) > 1:
            raise view.refusal(
                f"column {household!r} names households, so one column holds the readings: "
                "give --value-column, or --layout wide if each column is a household",
                "columns",
            )
        return _noted(view, rest, chosen=list(options.columns), why="not named by --columns")
    if options.value_column is not None:
        return _noted(view, rest, chosen=[options.value_column], why="not named by --value-column")
    if view.known.registers and options.counter:
        return _noted(view, rest, chosen=list(view.known.registers), why=view.known.left_out)
    if view.known.value is not None:
        return _noted(view, rest, chosen=[view.known.value], why=view.known.left_out)
    candidates, foreign = [], []
    for name in rest:
        if view.kinds[name] != "number":
            continue
        what = column_words.is_foreign(name)
        if what is not None:
            foreign.append(f"{name!r} ({what})")
        elif column_words.is_index(name) or _counts_rows(view, name):
            foreign.append(f"{name!r} (it counts rows)")
        else:
            candidates.append(name)
    if not candidates:
        raise _no_readings(view, rest, foreign)
    foreign += [
        f"{name!r} (text)" for name in rest if view.kinds[name] in ("text", "unit", "clock")
    ]
    if foreign:
        view.notes.append(f"left out: {', '.join(foreign)}")
    home = _consumption(view, candidates)
    if household is not None and home is None:
        return [_value_beside(view, household, candidates)]
    if home is not None:
        return _noted(view, rest, chosen=[home], why=f"{home!r} is what the home consumes")
    _check_wide(view, candidates)
    return candidates


def _consumption(view: ColumnView, candidates: list[str]) -> str | None:
    """Return the consumption among flows of one home, if just one column is that."""
    if view.options.layout == "wide" or len(candidates) < 2:
        return None
    homes = [name for name in candidates if column_words.is_consumption(name)]
    others = [name for name in candidates if name not in homes]
    plain = len(homes) == 1 and not view.known.registers
    flows = all(column_words.is_flow(name) for name in others)
    return homes[0] if plain and others and flows else None


def _noted(view: ColumnView, rest: list[str], chosen: list[str], why: str) -> list[str]:
    """Return the chosen columns; notes the others that hold numbers."""
    left = [name for name in rest if name not in chosen and view.kinds[name] == "number"]
    if left:
        view.notes.append(f"left out: {some(left)} ({why})")
    return chosen


def _no_readings(view: ColumnView, rest: list[str], foreign: list[str]) -> InputError:
    """Return the refusal of a table without readings, by what it holds instead."""
    if foreign:
        return view.refusal(
            f"no column holds readings of electricity: {', '.join(foreign)} are left out; "
            "name the right ones with --columns"
        )
    if rest:
        return view.refusal(
            f"no column holds numbers, {some(rest)} hold text: name the column of readings "
            "with --value-column"
        )
    return view.refusal(
        "has no household columns, only columns of times: expected readings beside them"
    )


def _counts_rows(view: ColumnView, name: str) -> bool:
    """Return True for a column without a name of its own that counts 0, 1, 2, ..."""
    if view.table.named and not name.startswith("column "):
        return False
    cells = view.table.text(name)
    try:
        numbers = np.array([int(cell) for cell in cells])
    except ValueError:
        return False
    return len(numbers) > 2 and bool((np.diff(numbers) == 1).all()) and numbers[0] in (0, 1)


def _value_beside(view: ColumnView, household: str, candidates: list[str]) -> str:
    """Return the one column of readings beside a column of ids."""
    ids = [name for name in candidates if column_words.is_household_name(name)]
    if ids and len(ids) < len(candidates):
        view.notes.append(f"left out: {some(ids)} (other ids; --household-column)")
        candidates = [name for name in candidates if name not in ids]
    if len(candidates) == 1:
        return candidates[0]
    named = [name for name in candidates if name.lower() in _VALUES]
    unknown = [name for name in candidates if name not in named]
    if len(named) == 1 and not any(unit_in_name(name) for name in unknown):
        view.notes.append(f"left out: {some(unknown)} (--value-column)")
        return named[0]
    raise view.refusal(
        f"column {household!r} names households, but which one holds the readings, "
        f"{some(candidates)}? Give --value-column, or --layout wide if each column is a "
        "household"
    )


def _check_wide(view: ColumnView, candidates: list[str]) -> None:
    """Refuse a table whose columns may be other things than one household each."""
    ids = [name for name in candidates if _looks_like_ids(view, name)]
    if ids:
        raise view.refusal(
            f"looks like the ids of meters, as in {view.table.text(ids[0])[0]}: if it names "
            f"the households say --household-column {ids[0]!r}, else --skip-columns",
            ids[0],
        )
    ask = "name the columns of households with --columns, or leave others out, --skip-columns"
    outgoing = [name for name in candidates if column_words.is_outgoing(name)]
    if len(candidates) == 1:
        if outgoing:
            raise view.refusal(
                "is by its name energy that a home makes or sends out, not what it consumes: "
                "if it is consumption, name it with --columns",
                outgoing[0],
            )
        return
    if view.options.layout == "wide":
        return
    flows = [name for name in candidates if column_words.is_flow(name)]
    registers = view.known.registers
    if len(registers) > 1:
        raise view.refusal(
            f"looks like counters of a P1 port ({some(registers)}): --counter takes the "
            f"differences of what was imported and adds the tariffs; if they are none, {ask}"
        )
    # the same flow in every column: the homes of a community
    same = not outgoing and len({column_words.flows_in(name) for name in candidates}) == 1
    if 2 * len(flows) >= len(candidates) and not same:
        raise view.refusal(
            f"columns {some(candidates)} look like flows of one home, not like several homes: "
            f"name what it consumes{_example(candidates)}, add --counter if that is a counter; or "
            "say --layout wide if each column is a home"
        )
    if column_words.are_parts(candidates):
        raise view.refusal(
            f"columns {some(candidates)} look like tariffs or phases of one meter: add them up "
            "into one column before, or say --layout wide if each column is a home"
        )
    units = {name: unit_in_name(view.table.units.get(name, "") or name) for name in candidates}
    without = [name for name in candidates if units[name] is None]
    if without and len(without) < len(candidates):
        raise view.refusal(
            f"columns {some([n for n in candidates if units[n]])} name a unit, but "
            f"{some(without)} not: {ask}"
        )
    totals = [name for name in candidates if column_words.is_total(name)]
    if totals:
        raise view.refusal(
            f"is by its name a sum or mean of others, not a household: {ask}", totals[0]
        )
    generic = [name for name in candidates if column_words.is_quantity(name)]
    if generic:
        raise view.refusal(
            f"column {generic[0]!r} is named for what it holds, so {some(candidates)} may not be "
            f"one household each: {ask}, or --layout wide if they are"
        )
    flags = [name for name in candidates if _looks_like_flags(view, name)]
    others = [name for name in candidates if name not in flags]
    if flags and others and all(_holds_decimals(view, name) for name in others):
        raise view.refusal(
            f"holds hardly different whole numbers, where other columns hold decimals: {ask}",
            flags[0],
        )
    powers = {name.endswith("h") for name in units.values() if name is not None}
    if len(powers) > 1 or len({says_power(name) for name in candidates}) > 1:
        raise view.refusal(f"columns {some(candidates)} hold energy and power: {ask}")


def _example(candidates: list[str]) -> str:
    """Write the option for the first of the flows that is drawn by a home."""
    drawn = [name for name in candidates if not column_words.is_outgoing(name)]
    return f", such as --columns {drawn[0]!r}" if drawn else " with --columns"


def _holds_decimals(view: ColumnView, name: str) -> bool:
    column = view.table.frame[name]
    return any(re.search(r"\d[.,]\d", str(cell)) for cell in column.iloc[:SAMPLE])


def _looks_like_flags(view: ColumnView, name: str) -> bool:
    """Return True for whole numbers of which there are one or two, not only zeros."""
    column = view.table.frame[name]
    if column.dtype.kind == "f":
        return False
    cells = {str(cell) for cell in column.iloc[:SAMPLE]} - {""}
    whole = all(re.fullmatch(r"\d{1,6}", cell) for cell in cells)
    return whole and len(cells) <= 2 and cells != {"0"}


def _looks_like_ids(view: ColumnView, name: str) -> bool:
    """Return True for whole numbers of six digits and more that repeat."""
    column = view.table.frame[name]
    if column.dtype.kind == "f" or unit_in_name(name):
        return False
    cells = [str(cell) for cell in column.iloc[:SAMPLE]]
    whole = all(re.fullmatch(r"\d{6,}", cell) for cell in cells)
    return whole and len(set(cells)) <= max(1, len(cells) // 12)
