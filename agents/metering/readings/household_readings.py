"""Readings of a table gathered by household: a column each, or rows that a column tells apart.

Decides which rows belong together. What readings may be is checked in reading_checks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.metering.columns import layout
from agents.metering.columns.column_roles import Roles
from agents.metering.columns.column_words import is_flow, is_outgoing
from agents.metering.options import MeterOptions, Stamp
from agents.metering.readings.local_time import Place, WallTimes, instants_of
from agents.metering.readings.readings import Readings, arranged
from agents.metering.table.source_table import SourceTable
from agents.suggestions import household_suggestion
from protocol.errors import InputError
from protocol.vectors import Array


@dataclass(frozen=True, slots=True)
class Timing:
    """The column of times, read."""

    name: str
    cells: list[str]
    times: WallTimes
    zone: tzinfo
    zone_name: str | None
    zone_note: str
    stamp: Stamp | None
    """Whether the file itself says that times are starts or ends."""

    def keep_rows(self, rows: NDArray[np.bool_]) -> Timing:
        """Return the same timing with only these rows."""
        times = WallTimes(self.times.wall[rows], self.times.offset_minutes[rows])
        cells = [cell for cell, kept in zip(self.cells, rows.tolist(), strict=True) if kept]
        return replace(self, cells=cells, times=times)


def grouped_readings(
    table: SourceTable,
    roles: Roles,
    names: list[str],
    values: Array,
    timing: Timing,
    notes: list[str],
    path: Path,
    *,
    options: MeterOptions,
) -> list[Readings]:
    """Return the readings of every household, grouped by their times."""
    place = Place(path, timing.name)
    if roles.household is None:
        names = [path.stem if _is_nameless(name, table) else name for name in names]
        keep = _kept(names, options.skip_households, path)
        values, names = values[:, keep], [names[column] for column in keep]
        instants = instants_of(
            timing.times, timing.cells, lines=table.lines, zone=timing.zone, where=place
        )
        apart = _apart(table, roles)
        made, said = arranged(
            instants, names, values=values, lines=table.lines, path=path, apart=apart
        )
        notes += said
        return [made]
    return _long_groups(
        table=table,
        roles=roles,
        values=values,
        timing=timing,
        notes=notes,
        path=path,
        options=options,
    )


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
        shown = [kind for kind in kinds if kind not in out and is_flow(kind)] or out[:1]
        advice = " ".join(f"--only '{name}={kind}'" for kind in shown)
        raise InputError(
            f"holds flows of one home, such as {', '.join(map(repr, kinds[:3]))}: keep what homes "
            f"consume, {advice}",
            file=path,
            line=table.header_line,
            field=name,
        )


def _long_groups(
    table: SourceTable,
    roles: Roles,
    values: Array,
    timing: Timing,
    notes: list[str],
    path: Path,
    *,
    options: MeterOptions,
) -> list[Readings]:
    """Return the readings of households that a column names."""
    import pandas as pd

    place = Place(path, timing.name)
    _check_flows(table, roles, only=options.only, path=path)
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
            before = (
                wall,
                instants_of(part, cells, lines=table.lines[rows], zone=timing.zone, where=place),
            )
        made, said = arranged(
            before[1],
            [str(name)],
            values=values[rows],
            lines=table.lines[rows],
            path=path,
            apart=apart,
        )
        notes += said
        groups.append(made)
    return _joined(groups)


def _kept(names: list[str], skipped: tuple[str, ...], path: Path) -> list[int]:
    """Return positions of the households that are not to be left out."""
    for name in skipped:
        if name not in names:
            raise InputError(
                f"no household is called {name!r}: {household_suggestion(name, names)}",
                file=path,
                field="--skip-households",
            )
    keep = [number for number, name in enumerate(names) if name not in skipped]
    if not keep:
        raise InputError("leaves no household", file=path, field="--skip-households")
    return keep


def _joined(groups: list[Readings]) -> list[Readings]:
    """Return the same readings, households with the same times in one group, in their order."""
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
    """Write advice that names a column which may tell readings of the same time apart."""
    telling = [name for name in roles.others if 1 < table.frame[name].nunique() <= 20]
    if not telling:
        return ""
    kinds = list(dict.fromkeys(table.text(telling[0])))
    advice = f"does {telling[0]!r} tell them apart? Keep one kind, --only '{telling[0]}={kinds[0]}'"
    if len(kinds) > 1:
        advice += f" (others are {', '.join(map(repr, kinds[1:4]))})"
    if roles.household is None:
        advice += f", or say --household-column '{telling[0]}'"
    return advice
