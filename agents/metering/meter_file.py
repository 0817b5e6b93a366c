"""From a meter file to readings in kWh or kW: the steps of this package in their order.

Decides which step comes when, and gathers what each had to assume. Days are complete_days'.
"""

import importlib
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.metering import green_button, layout, nem12
from agents.metering.cells import numbers_of, quantity_of, units_of
from agents.metering.column_kinds import check_column
from agents.metering.column_roles import Roles, recognise_roles
from agents.metering.column_words import is_flow, is_outgoing
from agents.metering.encoding import decode
from agents.metering.known_formats import recognise_format
from agents.metering.local_time import (
    Place,
    WallTimes,
    instants_of,
    local_datetime,
    read_times,
    resolve_zone,
)
from agents.metering.options import MeterOptions, Stamp
from agents.metering.reading_checks import check_no_counter, check_no_sums, differences
from agents.metering.readings import MINUTE, Readings, arranged
from agents.metering.source_table import SourceTable, table_of_parquet, table_of_text
from agents.metering.units import Quantity
from protocol.errors import InputError
from protocol.vectors import Array

_WRONG_KINDS = {
    b"PK\x03\x04": "is a zip archive or an Excel workbook: save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "is an Excel workbook: save the sheet as CSV",
    b"\x1f\x8b": "is compressed: unpack it first",
    b"\x89HDF": "is an HDF5 file: export its table as CSV or Parquet",
    b"%PDF": "is a PDF: ask for the readings as CSV",
}


@dataclass(frozen=True, slots=True)
class MeterFile:
    """All readings of a file, in groups of households that were read at the same times."""

    groups: list[Readings]
    quantity: Quantity
    zone: tzinfo
    zone_name: str | None
    """The zone for the description of the data; None if the file does not say."""
    notes: list[str]
    """What was assumed and left out, for people, without repetitions."""


def read_meter_file(path: Path, options: MeterOptions) -> MeterFile:
    """Read a file of any known kind.

    Raises InputError with file, line and column for everything that cannot be read or that may be
    something else than consumption.
    """
    _check_options(options)
    table, options = _load(path, options)
    table = _only(table, options.only, path)
    known = recognise_format(table.names, path)
    notes = list(table.notes)
    reshaped = layout.reshape(table, options, path)
    table, options = reshaped.table, reshaped.options
    roles = recognise_roles(table, options, known, path)
    notes += [reshaped.note] if reshaped.note else []
    notes += roles.notes
    if known is not None and known.name and not known.registers:
        notes.append(f"recognised as {known.name}")
    units, said = units_of(table, roles, options, known, path)
    notes += said
    values, said = numbers_of(table, roles.values, options, path)
    notes += said
    values = values * np.array([unit.factor for unit in units])
    names = list(roles.values)
    if known is not None and known.registers and options.counter and len(names) > 1:
        notes.append(f"added: {', '.join(names)} are registers of one meter")
        values, names = values.sum(axis=1, keepdims=True), [path.stem]
    timing = _timing(table, roles, options, path)
    notes.append(timing.zone_note)
    groups = _groups(table, roles, names, values, timing, notes, path, options=options)
    stamp = reshaped.stamp or timing.stamp
    groups = [_placed(group, options, stamp, timing, notes, path) for group in groups]
    for group in groups:
        check_no_sums(group, path)
    return MeterFile(
        groups, quantity_of(units), timing.zone, timing.zone_name, list(dict.fromkeys(notes))
    )


def _check_options(options: MeterOptions) -> None:
    """Refuse options that contradict each other or would have no effect."""
    if options.columns and options.value_column is not None:
        raise InputError("give --columns or --value-column, not both", field="value-column")
    if options.counter and options.stamp is not None:
        raise InputError(
            "has no effect with --counter: a counter is read at its time", field="stamp"
        )
    if not options.max_kw > 0:
        raise InputError(f"must be more than 0, not {options.max_kw:g}", field="max-kw")


def _load(path: Path, options: MeterOptions) -> tuple[SourceTable, MeterOptions]:
    """The table in a file, whatever its kind, and options that fit it."""
    if not _has_pandas():
        raise InputError(
            "reading meter files needs pandas: install the extra with "
            "`pip install 'coflex[report]'`",
            file=path,
        )
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError("there is no such file", file=path) from None
    except IsADirectoryError:
        raise InputError("is a folder: name one file", file=path) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=path) from None
    for start, reason in _WRONG_KINDS.items():
        if data.startswith(start):
            raise InputError(reason, file=path)
    if data.startswith(b"PAR1") or path.suffix.lower() == ".parquet":
        return table_of_parquet(data, path), options
    text, notes = decode(data, path, options.encoding)
    if nem12.is_nem12(text):
        table = nem12.table_of_nem12(text, path)
        options = _named(options, nem12.TIME, nem12.NMI, nem12.READING)
    elif green_button.is_xml(text):
        table = green_button.table_of_green_button(text, path)
        options = _named(options, green_button.TIME, green_button.METER, green_button.READING)
    elif text.lstrip().startswith(("{", "[{", "[[", "[\n")):
        raise InputError("is JSON: save the readings as CSV, one row for each time", file=path)
    else:
        table = table_of_text(text, path)
    table.notes.extend(notes)
    return table, options


def _has_pandas() -> bool:
    try:
        return importlib.import_module("pandas") is not None
    except ImportError:
        return False


def _named(options: MeterOptions, time: str, household: str, value: str) -> MeterOptions:
    return replace(
        options,
        layout="long",
        time_column=time,
        household_column=household,
        value_column=value,
        columns=(),
        skip_columns=(),
    )


def _only(table: SourceTable, conditions: tuple[str, ...], path: Path) -> SourceTable:
    """The rows that meet all conditions `COLUMN=VALUE`."""
    for condition in conditions:
        name, equals, value = condition.partition("=")
        if not equals:
            raise InputError(f"{condition!r}: write COLUMN=VALUE", field="only")
        check_column(name, table, path, "only")
        cells = table.text(name)
        keep = np.array([cell == value.strip() for cell in cells])
        if not keep.any():
            seen = ", ".join(map(repr, list(dict.fromkeys(cells))[:5]))
            raise InputError(
                f"no row has {value!r} in column {name!r}: there are {seen}",
                file=path,
                field="only",
            )
        table = table.keep_rows(keep)
    return table


@dataclass(frozen=True, slots=True)
class _Timing:
    """The column of times, read."""

    name: str
    cells: list[str]
    times: WallTimes
    zone: tzinfo
    zone_name: str | None
    zone_note: str
    stamp: Stamp | None
    """Whether the file itself says that times are starts or ends."""


def _timing(table: SourceTable, roles: Roles, options: MeterOptions, path: Path) -> _Timing:
    cells, stamp = (
        table.text(roles.times.time),
        layout.stamp_of_names(roles.times.time, roles.times.clock),
    )
    if roles.times.clock is not None:
        clocks = table.text(roles.times.clock)
        cells = [f"{day} {clock}" for day, clock in zip(cells, clocks, strict=True)]
    elif roles.times.hour is not None:
        cells, stamp = _hours(cells, table.text(roles.times.hour))
    if roles.times.end is not None and stamp is None:
        stamp = "start"
    times = read_times(cells, table.lines, path=path, name=roles.times.time, dates=options.dates)
    if roles.times.clock is None and roles.times.hour is None and _all_midnight(times):
        stamp = None
    zone, zone_name, note = resolve_zone(times, options.timezone, path, roles.times.time)
    return _Timing(roles.times.time, cells, times, zone, zone_name, note, options.stamp or stamp)


def _all_midnight(times: WallTimes) -> bool:
    return bool((times.wall % (24 * 3_600_000_000_000) == 0).all())


def _hours(days: list[str], hours: list[str]) -> tuple[list[str], Stamp]:
    """Dates and numbers of hours as times: 1 to 24 are ends of hours, 0 to 23 starts.

    Numbers above 24 count half hours from 1, as settlement periods do.
    """
    numbers = [int(hour.split(".")[0]) if hour[:1].isdigit() else 99 for hour in hours]
    largest = max(numbers)
    if 24 < largest <= 50:
        halves = [(number - 1) // 2 for number in numbers]
        minutes = ["30" if number % 2 == 0 else "00" for number in numbers]
        clocks = [f"{hour:02}:{minute}" for hour, minute in zip(halves, minutes, strict=True)]
    else:
        clocks = [f"{number:02}:00" for number in numbers]
    cells = [f"{day} {clock}" for day, clock in zip(days, clocks, strict=True)]
    return cells, "end" if largest == 24 else "start"


def _groups(
    table: SourceTable,
    roles: Roles,
    names: list[str],
    values: Array,
    timing: _Timing,
    notes: list[str],
    path: Path,
    *,
    options: MeterOptions,
) -> list[Readings]:
    """The readings of every household, grouped by their times."""
    place = Place(path, timing.name)
    if roles.household is None:
        names = [path.stem if _is_nameless(name, table) else name for name in names]
        keep = _kept(names, options.skip_households, path)
        values, names = values[:, keep], [names[column] for column in keep]
        instants = instants_of(timing.times, timing.cells, table.lines, timing.zone, place)
        apart = _apart(table, roles)
        made, said = arranged(instants, names, values, table.lines, path=path, apart=apart)
        notes += said
        return [made]
    return _long_groups(table, roles, values, timing, notes, path, options=options)


def _is_nameless(name: str, table: SourceTable) -> bool:
    return name == layout.READING or not table.named


def _check_flows(table: SourceTable, roles: Roles, only: tuple[str, ...], path: Path) -> None:
    """Refuse rows of what homes make or send out beside rows of what they consume."""
    chosen = {condition.partition("=")[0] for condition in only}
    for name in [*roles.others, str(roles.household)]:
        kinds = list(dict.fromkeys(table.text(name))) if name not in chosen else []
        out = [kind for kind in kinds if is_outgoing(kind)]
        if not out or 2 * len([kind for kind in kinds if is_flow(kind)]) < len(kinds):
            continue
        shown = next((kind for kind in kinds if kind not in out), out[0])
        raise InputError(
            f"holds flows of one home, such as {', '.join(map(repr, kinds[:3]))}: keep what homes "
            f"consume, --only '{name}={shown}'",
            file=path,
            line=table.header_line,
            field=name,
        )


def _long_groups(
    table: SourceTable,
    roles: Roles,
    values: Array,
    timing: _Timing,
    notes: list[str],
    path: Path,
    *,
    options: MeterOptions,
) -> list[Readings]:
    """The readings of households that a column names."""
    import pandas as pd

    place = Place(path, timing.name)
    _check_flows(table, roles, options.only, path)
    households = table.text(str(roles.household))
    unnamed = [row for row, name in enumerate(households) if not name]
    if unnamed:
        raise InputError(
            "names no household: fill the cell, or remove the row",
            file=path,
            line=int(table.lines[unnamed[0]]) or None,
            field=roles.household,
        )
    codes, names = pd.factorize(np.array(households, dtype=object))
    keep = _kept([str(name) for name in names], options.skip_households, path)
    ends = np.cumsum(np.bincount(codes))[:-1]
    apart = _apart(table, roles)
    groups: list[Readings] = []
    before: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None
    parts = np.split(np.argsort(codes, kind="stable"), ends)
    for name, rows in [(names[number], parts[number]) for number in keep]:
        wall = timing.times.wall[rows]
        # households mostly have the same times: these are read once
        if before is None or not np.array_equal(before[0], wall) or not timing.times.local:
            part = WallTimes(wall, timing.times.offset_minutes[rows])
            cells = [timing.cells[row] for row in rows.tolist()]
            before = wall, instants_of(part, cells, table.lines[rows], timing.zone, place)
        made, said = arranged(
            before[1], [str(name)], values[rows], table.lines[rows], path=path, apart=apart
        )
        notes += said
        groups.append(made)
    return _joined(groups)


def _kept(names: list[str], skipped: tuple[str, ...], path: Path) -> list[int]:
    """Positions of the households that are not to be left out."""
    for name in skipped:
        if name not in names:
            raise InputError(
                f"no household is called {name!r}: there are {', '.join(map(repr, names[:5]))}",
                file=path,
                field="skip-households",
            )
    keep = [number for number, name in enumerate(names) if name not in skipped]
    if not keep:
        raise InputError("leaves no household", file=path, field="skip-households")
    return keep


def _joined(groups: list[Readings]) -> list[Readings]:
    """The same readings, households with the same times in one group, in their order."""
    joined: list[list[Readings]] = []
    for group in groups:
        if joined and np.array_equal(joined[-1][0].instants, group.instants):
            joined[-1].append(group)
        else:
            joined.append([group])
    return [
        replace(
            each[0],
            names=[name for group in each for name in group.names],
            values=np.hstack([group.values for group in each]),
            lines=each[0].lines if len(each) == 1 else np.zeros_like(each[0].lines),
        )
        for each in joined
    ]


def _apart(table: SourceTable, roles: Roles) -> str:
    """Advice that names a column which may tell two readings of the same time apart."""
    telling = [name for name in roles.others if 1 < table.frame[name].nunique() <= 20]
    if not telling:
        return ""
    value = table.text(telling[0])[0]
    advice = f"does {telling[0]!r} tell them apart? Keep one kind, --only '{telling[0]}={value}'"
    if roles.household is None:
        advice += f", or say --household-column '{telling[0]}'"
    return advice


def _placed(
    group: Readings,
    options: MeterOptions,
    stamp: Stamp | None,
    timing: _Timing,
    notes: list[str],
    path: Path,
) -> Readings:
    """The readings at the start of their intervals; counters as differences."""
    if options.counter:
        made, said = differences(group, path)
        notes += said
        return made
    check_no_counter(group, path)
    if stamp is None and _look_like_ends(group, timing.zone):
        first, last = (
            local_datetime(int(group.instants[row]), timing.zone).strftime("%H:%M")
            for row in (0, -1)
        )
        raise InputError(
            f"times go from {first} to {last}, so they may be the ends of intervals: say --stamp "
            "end, or --stamp start if they are not",
            file=path,
            line=int(group.lines[0]) or None,
            field=timing.name,
        )
    late = _before_the_end(group, timing.zone)
    if late and stamp is None:
        raise InputError(
            f"times such as {timing.cells[0]!r} look like the last moments of intervals: say "
            "--stamp end, or --stamp start if they are not",
            file=path,
            line=int(group.lines[0]) or None,
            field=timing.name,
        )
    if stamp == "end":
        notes.append("times are taken as the ends of intervals (--stamp)")
        return replace(group, instants=group.instants - group.step + late)
    notes.append("times are taken as the starts of intervals (--stamp)")
    return group


def _before_the_end(group: Readings, zone: tzinfo) -> int:
    """Nanoseconds from times such as 00:29:59 or 00:29 to the ends of their intervals; else 0."""
    first = local_datetime(int(group.instants[0]), zone)
    since_midnight = (first.hour * 3600 + first.minute * 60 + first.second) * 1_000_000_000
    for late in (1_000_000_000, MINUTE):
        if group.step > 2 * late and (since_midnight + late) % group.step == 0:
            return late
    return 0


def _look_like_ends(group: Readings, zone: tzinfo) -> bool:
    """True if the times fill whole local days only when taken as the ends of intervals."""
    first = local_datetime(int(group.instants[0]) - group.step, zone)
    last = local_datetime(int(group.instants[-1]), zone)
    return all((each.hour, each.minute, each.second) == (0, 0, 0) for each in (first, last))
