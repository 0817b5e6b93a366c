"""What each column of a table holds: times, households, readings, units, or something else.

Decides by options first, then by published formats, names and cells. Columns of readings that may
be something else are asked about, never taken. Which instants and numbers the cells mean is decided
in time_format, local_time and number_format.
"""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from agents.metering import column_words
from agents.metering.known_formats import KnownFormat
from agents.metering.number_format import is_no_reading, is_number_like
from agents.metering.options import MeterOptions
from agents.metering.source_table import SourceTable
from agents.metering.time_format import form_of, is_epoch
from agents.metering.units import says_power, unit_in_name, unit_of_word
from protocol.errors import InputError

Kind = Literal["timestamp", "date", "clock", "epoch", "number", "unit", "text", "empty"]

_SAMPLE = 400
_NUMBERS_AMONG_TEXT = 0.3
_VALUES = {"value", "reading", "readings", "energy", "power", "consumption", "kwh", "kw", "p_set"}
_VALUES |= {"energy_kwh", "power_kw", "kwh/hh", "demand", "p", "usage", "wh", "w", "load"}
_UNIT_NAMES = {"unit", "units", "uom", "einheit", "unite", "unité", "eenheid", "unidad"}
_HOUR_NAMES = {"hour", "stunde", "heure", "uur", "hora", "he", "hourending", "period", "hh"}
_HOUR_NAMES |= {"settlementperiod", "sp", "halfhour", "halfhourperiod"}
_TIME_NAMES = {"time", "timestamp", "datetime", "snapshot", "snapshots", "utc_timestamp"}
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Roles:
    """Which column is what; None where the table has no such column."""

    time: str
    """Timestamps, or dates if `clock` is there."""
    clock: str | None
    hour: str | None
    """Hours of the day as numbers, beside dates."""
    end: str | None
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
    return _Recognition(table, options, known, path).roles()


def kind_of(table: SourceTable, name: str) -> Kind:
    """What most cells of a column look like."""
    column = table.frame[name]
    if column.dtype.kind in "fiu":
        return "number"
    cells = [str(cell) for cell in column.iloc[:_SAMPLE]]
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
        hint = f": did you mean {near[0]!r}?" if near else f": its columns are {_some(table.names)}"
        raise InputError(f"has no column {name!r}{hint}", file=path, field=option)


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"


class _Recognition:
    """One table while its columns get their roles."""

    def __init__(
        self, table: SourceTable, options: MeterOptions, known: KnownFormat | None, path: Path
    ) -> None:
        self.table, self.options, self.path = table, options, path
        self.known = known or KnownFormat(name="")
        self.notes: list[str] = []
        for option, name in (
            ("time-column", options.time_column),
            ("household-column", options.household_column),
            ("value-column", options.value_column),
        ):
            if name is not None:
                check_column(name, table, path, option)
        for name in options.columns:
            check_column(name, table, path, "columns")
        for name in options.skip_columns:
            check_column(name, table, path, "skip-columns")
        if options.layout == "wide" and options.household_column is not None:
            raise InputError(
                "has no effect with --layout wide, where each column is a household",
                field="household-column",
            )
        self.free = [name for name in table.names if name not in options.skip_columns]
        self.kinds = {name: kind_of(table, name) for name in self.free}
        for name in self.free:
            # a household may be called NA or null: only readings can be missing
            if self.kinds[name] == "empty" and column_words.is_household_name(name):
                self.kinds[name] = "text" if any(table.text(name)) else "empty"
        self.free = [name for name in self.free if self.kinds[name] != "empty"]

    def roles(self) -> Roles:
        """The role of every column."""
        household = self._household()
        named = {household, self.options.value_column, *self.options.columns}
        time, clock, hour, end = self._times(named - {None})
        taken = {time, clock, hour, end, household}
        unit = self._unit_column(taken)
        rest = [name for name in self.free if name not in taken | {unit}]
        values = self._values(rest, household)
        others = [name for name in rest if name not in values]
        return Roles(time, clock, hour, end, household, values, unit, others, self.notes)

    def _refuse(self, reason: str, name: str | None = None) -> InputError:
        return InputError(reason, file=self.path, line=self.table.header_line, field=name)

    def _household(self) -> str | None:
        if self.options.household_column is not None:
            return self.options.household_column
        if self.options.layout == "wide":
            return None
        if self.known.household is not None:
            return self.known.household
        named = {*self.options.columns, self.options.value_column, self.options.time_column}
        found = [
            name
            for name in self.free
            if column_words.is_household_name(name) and self._may_be_ids(name) and name not in named
        ]
        if len(self.free) < 3 and self.options.layout == "auto":
            found = []
        if len(found) > 1:
            telling = [name for name in found if self.table.frame[name].nunique() > 1]
            if len(telling) == 1 or not telling:
                return (telling or found)[0]
            raise self._refuse(
                f"columns {_some(telling)} may all be the household: give --household-column, "
                "or --layout wide if each is a household"
            )
        if not found and self.options.layout == "long":
            raise self._refuse("no column names the household: give its name, --household-column")
        return found[0] if found else None

    def _may_be_ids(self, name: str) -> bool:
        """True for text, and for numbers unless they look like readings: decimals, many values."""
        kind = self.kinds[name]
        if kind == "text":
            return True
        column = self.table.frame[name]
        if kind not in ("number", "epoch", "date") or column.dtype.kind == "f":
            return False
        return int(column.nunique()) <= max(1, len(column) // 4)

    def _times(self, named: set[str | None]) -> tuple[str, str | None, str | None, str | None]:
        """Columns of times: timestamps or dates, clock times, hours, ends of intervals."""
        free = [name for name in self.free if name not in named]
        stamps = [name for name in free if self.kinds[name] == "timestamp"]
        dates = [name for name in free if self.kinds[name] == "date"]
        clocks = [name for name in free if self.kinds[name] == "clock"]
        epochs = [name for name in free if self.kinds[name] == "epoch"]
        chosen = self.options.time_column or self.known.time
        if chosen is not None:
            ends = [name for name in stamps if column_words.is_end(name) and name != chosen]
            clock = self._clock(clocks)[0] if self.kinds.get(chosen) == "date" and clocks else None
            return chosen, clock, None, ends[0] if len(ends) == 1 else None
        if stamps:
            return *self._stamp(stamps), None, self._end_beside(stamps)
        if dates:
            clock, end = self._clock(clocks) if clocks else (None, None)
            hour = None if clock else self._hour_column(free)
            return self._one(dates, "date"), clock, hour, end
        if epochs:
            self.notes.append(f"{epochs[0]!r} is read as seconds or parts of them since 1970 (UTC)")
            return self._one(epochs, "time"), None, None, None
        likely = [name for name in free if name.lower() in _TIME_NAMES]
        if likely or (free and self.table.names and free[0] == self.table.names[0]):
            first = likely[0] if likely else free[0]
            return first, None, None, None  # whose cells will be refused one by one
        raise self._refuse(
            "no column holds times: name it with --time-column, "
            f"columns are {_some(self.table.names)}"
        )

    def _stamp(self, stamps: list[str]) -> tuple[str, None]:
        starts = [name for name in stamps if not column_words.is_end(name)]
        return self._one(starts or stamps, "time"), None

    def _end_beside(self, stamps: list[str]) -> str | None:
        ends = [name for name in stamps if column_words.is_end(name)]
        return ends[0] if len(ends) == 1 else None

    def _one(self, names: list[str], what: str) -> str:
        """The only one of these columns, or the one with a name that leaves no doubt."""
        if len(names) > 1:
            telling = [name for name in names if column_words.is_start(name)]
            telling = telling or [name for name in names if name.lower() in _TIME_NAMES]
            if len(telling) != 1:
                raise self._refuse(
                    f"columns {_some(names)} may all be the {what}: give --time-column"
                )
            return telling[0]
        return names[0]

    def _clock(self, clocks: list[str]) -> tuple[str | None, str | None]:
        """The clock times at which intervals start, and those at which they end."""
        ends = [name for name in clocks if column_words.is_end(name)]
        starts = [name for name in clocks if name not in ends]
        if len(starts) > 1:
            starts = [name for name in starts if column_words.is_start(name)] or starts
        if len(starts) > 1:
            raise self._refuse(
                f"columns {_some(starts)} may all be the time of day: leave out all but one with "
                "--skip-columns"
            )
        if starts:
            return starts[0], ends[0] if ends else None
        return ends[0], None

    def _hour_column(self, free: list[str]) -> str | None:
        found = [name for name in free if re.sub(r"[^a-z]", "", name.lower()) in _HOUR_NAMES]
        return found[0] if len(found) == 1 and self.kinds[found[0]] == "number" else None

    def _unit_column(self, taken: set[str | None]) -> str | None:
        rest = [name for name in self.free if name not in taken]
        named = [name for name in rest if name.lower() in _UNIT_NAMES]
        found = named or [name for name in rest if self.kinds[name] == "unit"]
        return found[0] if found else None

    def _values(self, rest: list[str], household: str | None) -> list[str]:
        """The columns that hold readings."""
        options = self.options
        if options.columns:
            if household is not None and len(options.columns) > 1:
                raise self._refuse(
                    f"column {household!r} names households, so one column holds the readings: "
                    "give --value-column, or --layout wide if each column is a household",
                    "columns",
                )
            return self._noted(rest, list(options.columns), "not named by --columns")
        if options.value_column is not None:
            return self._noted(rest, [options.value_column], "not named by --value-column")
        if self.known.registers and options.counter:
            return self._noted(rest, list(self.known.registers), self.known.left_out)
        if self.known.value is not None:
            return self._noted(rest, [self.known.value], self.known.left_out)
        candidates, foreign = [], []
        for name in rest:
            if self.kinds[name] != "number":
                continue
            what = column_words.is_foreign(name)
            if what is not None:
                foreign.append(f"{name!r} ({what})")
            elif column_words.is_index(name) or self._counts_rows(name):
                foreign.append(f"{name!r} (it counts rows)")
            else:
                candidates.append(name)
        if not candidates:
            raise self._no_readings(rest, foreign)
        foreign += [
            f"{name!r} (text)" for name in rest if self.kinds[name] in ("text", "unit", "clock")
        ]
        if foreign:
            self.notes.append(f"left out: {', '.join(foreign)}")
        if household is not None:
            return [self._value_beside(household, candidates)]
        home = self._consumption(candidates)
        if home is not None:
            return self._noted(rest, [home], f"{home!r} is what the home consumes")
        self._check_wide(candidates)
        return candidates

    def _consumption(self, candidates: list[str]) -> str | None:
        """The consumption among flows of one home, if one column is that and all others are not."""
        if self.options.layout == "wide" or len(candidates) < 2:
            return None
        homes = [name for name in candidates if column_words.is_consumption(name)]
        others = [name for name in candidates if name not in homes]
        plain = len(homes) == 1 and not self.known.registers
        flows = all(column_words.is_flow(name) for name in others)
        return homes[0] if plain and others and flows else None

    def _noted(self, rest: list[str], chosen: list[str], why: str) -> list[str]:
        left = [name for name in rest if name not in chosen and self.kinds[name] == "number"]
        if left:
            self.notes.append(f"left out: {_some(left)} ({why})")
        return chosen

    def _no_readings(self, rest: list[str], foreign: list[str]) -> InputError:
        if foreign:
            return self._refuse(
                f"no column holds readings of electricity: {', '.join(foreign)} are left out; "
                "name the right ones with --columns"
            )
        if rest:
            return self._refuse(
                f"no column holds numbers, {_some(rest)} hold text: name the column of readings "
                "with --value-column"
            )
        return self._refuse(
            "has no household columns, only columns of times: expected readings beside them"
        )

    def _counts_rows(self, name: str) -> bool:
        """True for a column without a name of its own that counts 0, 1, 2, ..."""
        if self.table.named and not name.startswith("column "):
            return False
        cells = self.table.text(name)
        try:
            numbers = np.array([int(cell) for cell in cells])
        except ValueError:
            return False
        return len(numbers) > 2 and bool((np.diff(numbers) == 1).all()) and numbers[0] in (0, 1)

    def _value_beside(self, household: str, candidates: list[str]) -> str:
        if len(candidates) == 1:
            return candidates[0]
        named = [name for name in candidates if name.lower() in _VALUES]
        unknown = [name for name in candidates if name not in named]
        if len(named) == 1 and not any(unit_in_name(name) for name in unknown):
            self.notes.append(f"left out: {_some(unknown)} (--value-column)")
            return named[0]
        raise self._refuse(
            f"column {household!r} names households, but which one holds the readings, "
            f"{_some(candidates)}? Give --value-column, or --layout wide if each column is a "
            "household"
        )

    def _check_wide(self, candidates: list[str]) -> None:
        """Refuse a table whose columns may be other things than one household each."""
        ids = [name for name in candidates if self._looks_like_ids(name)]
        if ids:
            raise self._refuse(
                f"looks like the ids of meters, as in {self.table.text(ids[0])[0]}: if it names "
                f"the households say --household-column {ids[0]!r}, else --skip-columns",
                ids[0],
            )
        ask = "name the columns of households with --columns, or leave others out, --skip-columns"
        outgoing = [name for name in candidates if column_words.is_outgoing(name)]
        if len(candidates) == 1:
            if outgoing:
                raise self._refuse(
                    "is by its name energy that a home makes or sends out, not what it consumes: "
                    "if it is consumption, name it with --columns",
                    outgoing[0],
                )
            return
        if self.options.layout == "wide":
            return
        flows = [name for name in candidates if column_words.is_flow(name)]
        registers = self.known.registers
        if registers:
            raise self._refuse(
                f"looks like counters of a P1 port ({_some(registers)}): --counter takes the "
                f"differences of what was imported and adds the tariffs; if they are none, {ask}"
            )
        if 2 * len(flows) >= len(candidates):
            raise self._refuse(
                f"columns {_some(candidates)} look like flows of one home, not like several "
                f"homes: {ask}, or --layout wide if each is a home"
            )
        units = {name: unit_in_name(self.table.units.get(name, "") or name) for name in candidates}
        without = [name for name in candidates if units[name] is None]
        if without and len(without) < len(candidates):
            raise self._refuse(
                f"columns {_some([n for n in candidates if units[n]])} name a unit, but "
                f"{_some(without)} not: {ask}"
            )
        powers = {name.endswith("h") for name in units.values() if name is not None}
        if len(powers) > 1 or len({says_power(name) for name in candidates}) > 1:
            raise self._refuse(f"columns {_some(candidates)} hold energy and power: {ask}")

    def _looks_like_ids(self, name: str) -> bool:
        """True for whole numbers of six digits and more that repeat."""
        column = self.table.frame[name]
        if column.dtype.kind == "f" or unit_in_name(name):
            return False
        cells = [str(cell) for cell in column.iloc[:_SAMPLE]]
        whole = all(re.fullmatch(r"\d{6,}", cell) for cell in cells)
        return whole and len(set(cells)) <= max(1, len(cells) // 12)
