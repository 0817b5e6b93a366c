"""From a meter file to readings in kWh or kW: the steps of this package in their order.

Decides which step comes when, and gathers what each had to assume. Days are complete_days'.
"""

import re
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path

import numpy as np

from agents.metering.columns import layout
from agents.metering.columns.cells import numbers_of, quantity_of, units_of
from agents.metering.columns.column_kinds import check_column
from agents.metering.columns.column_roles import Roles, recognise_roles
from agents.metering.columns.known_formats import recognise_format
from agents.metering.notation.time_format import start_of
from agents.metering.notation.units import Quantity
from agents.metering.options import MeterOptions, Stamp
from agents.metering.readings.household_readings import Timing, grouped_readings
from agents.metering.readings.local_time import (
    WallTimes,
    local_datetime,
    read_times,
    resolve_zone,
    skipped_by_clock,
    with_late_midnights,
    zone_named,
)
from agents.metering.readings.numbered_intervals import clock_cells
from agents.metering.readings.reading_checks import check_no_counter, check_no_sums, differences
from agents.metering.readings.readings import MINUTE, Readings
from agents.metering.table.file_kinds import load_table
from agents.metering.table.source_table import SourceTable
from protocol.errors import InputError

_LAST_MIDNIGHT = re.compile(r"(?:^|[ T])24:00")


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
    table, options = load_table(path, options)
    table = _only(table, options.only, path)
    known = recognise_format(table.names, path)
    notes = list(table.notes)
    reshaped = layout.reshape(table, options, path)
    table, options = reshaped.table, reshaped.options
    roles = recognise_roles(table, options, known=known, path=path)
    notes += [reshaped.note] if reshaped.note else []
    notes += roles.notes
    if known is not None and known.name and not known.registers:
        notes.append(f"recognised as {known.name}")
    units, said = units_of(table, roles, options=options, known=known, path=path)
    notes += said
    values, said = numbers_of(table, roles.values, options=options, path=path)
    notes += said
    values = values * np.array([unit.factor for unit in units])
    names = list(roles.values)
    if known is not None and known.registers and options.counter and len(names) > 1:
        notes.append(f"added: {', '.join(names)} are registers of one meter")
        values, names = values.sum(axis=1, keepdims=True), [path.stem]
    timing = _timing(table, roles, options=options, path=path)
    notes.append(timing.zone_note)
    filler = skipped_by_clock(timing.times, timing.zone) & np.isnan(values).all(axis=1)
    if filler.any():
        table, values = table.keep_rows(~filler), values[~filler]
        timing = timing.keep_rows(~filler)
    groups = grouped_readings(
        table=table,
        roles=roles,
        names=names,
        values=values,
        timing=timing,
        notes=notes,
        path=path,
        options=options,
    )
    stamp = reshaped.stamp or timing.stamp
    groups = [
        _placed(
            group=group,
            options=options,
            stamp=stamp,
            timing=timing,
            late=known is not None and known.counter_is_late,
            notes=notes,
            path=path,
        )
        for group in groups
    ]
    if not options.columns:
        for group in groups:
            check_no_sums(group, path)
    return MeterFile(
        groups,
        quantity_of(units),
        zone=timing.zone,
        zone_name=timing.zone_name,
        notes=list(dict.fromkeys(notes)),
    )


def _check_options(options: MeterOptions) -> None:
    """Refuse options that contradict each other or would have no effect."""
    if options.columns and options.value_column is not None:
        raise InputError("give --columns or --value-column, not both", field="--value-column")
    if options.counter and options.stamp is not None:
        raise InputError(
            "has no effect with --counter: a counter is read at its time", field="--stamp"
        )
    if not options.max_kw > 0:
        raise InputError(f"must be more than 0, not {options.max_kw:g}", field="--max-kw")


def _only(table: SourceTable, conditions: tuple[str, ...], path: Path) -> SourceTable:
    """Return the rows that meet all conditions `COLUMN=VALUE`; of one column, any of them."""
    wanted: dict[str, list[str]] = {}
    for condition in conditions:
        name, equals, value = condition.partition("=")
        if not equals:
            raise InputError(f"{condition!r}: write COLUMN=VALUE", field="--only")
        check_column(name, table, path=path, option="--only")
        cells = table.text(name)
        if value.strip() not in cells:
            seen = ", ".join(map(repr, list(dict.fromkeys(cells))[:5]))
            raise InputError(
                f"no row has {value!r} in column {name!r}: there are {seen}",
                file=path,
                field="--only",
            )
        wanted.setdefault(name, []).append(value.strip())
    for name, values in wanted.items():
        keep = np.array([cell in values for cell in table.text(name)])
        if not keep.any():
            raise InputError(
                f"no row meets all conditions, {name}={values[0]} last", file=path, field="--only"
            )
        table = table.keep_rows(keep)
    return table


def _timing(table: SourceTable, roles: Roles, options: MeterOptions, path: Path) -> Timing:
    cells, stamp = (
        table.text(roles.times.time),
        layout.stamp_of_names(roles.times.time, roles.times.clock),
    )
    if roles.times.clock is not None:
        clocks = table.text(roles.times.clock)
        cells = [f"{day} {clock}" for day, clock in zip(cells, clocks, strict=True)]
    elif roles.times.hour is not None:
        cells, stamp = (
            clock_cells(
                cells,
                table.text(roles.times.hour),
                zone=zone_named(options.timezone) if options.timezone else None,
                dates=options.dates,
                path=path,
                name=roles.times.hour,
            ),
            "start",
        )
    if stamp is None and any(_LAST_MIDNIGHT.search(cell) for cell in dict.fromkeys(cells)):
        stamp = "end"  # 24:00 is the end of an interval, never a start
    if (roles.times.end is not None or start_of(cells[0]) != cells[0]) and stamp is None:
        stamp = "start"
    times = read_times(cells, table.lines, path=path, name=roles.times.time, dates=options.dates)
    times, late = with_late_midnights(times, table.text(roles.household) if roles.household else [])
    if late:
        stamp = "end"
    if roles.times.clock is None and roles.times.hour is None and _all_midnight(times):
        stamp = None
    zone, zone_name, note = resolve_zone(times, options.timezone, path=path, name=roles.times.time)
    return Timing(
        name=roles.times.time,
        cells=cells,
        times=times,
        zone=zone,
        zone_name=zone_name,
        zone_note=note,
        stamp=options.stamp or stamp,
    )


def _all_midnight(times: WallTimes) -> bool:
    return bool((times.wall % (24 * 3_600_000_000_000) == 0).all())


def _placed(
    group: Readings,
    options: MeterOptions,
    stamp: Stamp | None,
    timing: Timing,
    late: bool,
    notes: list[str],
    path: Path,
) -> Readings:
    """Return the readings at the start of their intervals; counters as differences."""
    if options.counter and late:
        group = replace(group, instants=group.instants + group.step)
        notes.append("the counter was read at the ends of the intervals whose starts are given")
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
    rest = _before_the_end(group, timing.zone)
    if rest and stamp is None:
        raise InputError(
            f"times such as {timing.cells[0]!r} look like the last moments of intervals: say "
            "--stamp end, or --stamp start if they are not",
            file=path,
            line=int(group.lines[0]) or None,
            field=timing.name,
        )
    if stamp == "end":
        notes.append("times are taken as the ends of intervals (--stamp)")
        return replace(group, instants=group.instants - group.step + rest)
    notes.append("times are taken as the starts of intervals (--stamp)")
    return group


def _before_the_end(group: Readings, zone: tzinfo) -> int:
    """Return nanoseconds from times such as 00:29:59 to the ends of their intervals, else 0."""
    first = local_datetime(int(group.instants[0]), zone)
    since_midnight = (first.hour * 3600 + first.minute * 60 + first.second) * 1_000_000_000
    for late in (1_000_000_000, MINUTE):
        if group.step > 2 * late and (since_midnight + late) % group.step == 0:
            return late
    return 0


def _look_like_ends(group: Readings, zone: tzinfo) -> bool:
    """Return True if the times fill whole local days only when taken as the ends of intervals."""
    first = local_datetime(int(group.instants[0]) - group.step, zone)
    last = local_datetime(int(group.instants[-1]), zone)
    return all((each.hour, each.minute, each.second) == (0, 0, 0) for each in (first, last))
