"""The files of a run: written together, read back exactly, and checked.

If a run has no stage 2 or no target, the keys and columns for it are missing. `run_results.py`
decides what the results mean, `csv_tables.py` how a cell is written.
"""

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import TypeAdapter, ValidationError

from orchestrator.results.atomic_folder import publish, try_folder
from orchestrator.results.csv_tables import csv_text, text_of
from orchestrator.results.device_schedules import SCHEDULES_FOLDER
from orchestrator.results.feeders_file import FeederRow, days_of, feeders_text
from orchestrator.results.kinds_file import kinds_text, read_kinds
from orchestrator.results.run_results import (
    Demand,
    ExchangeRow,
    HouseholdRow,
    Round,
    RunRecord,
    RunResults,
)
from orchestrator.results.slot_clock import iso_times
from protocol.checked_input import invalid
from protocol.errors import InputError
from protocol.messages import Iteration
from protocol.vectors import Array

RUN, ITERATIONS, HOUSEHOLDS, DEMAND = "run.json", "iterations.csv", "households.csv", "demand.csv"
KINDS_FILE = "kinds.csv"
"""Only of homes: their energy by kind of device."""
FEEDERS_FILE = "feeders.csv"
"""Only if feeders have limits of their own: the sums over the households at each."""
ROUNDS = "rounds.csv"
"""Only if there was a stage 2."""
EXCHANGES = "exchanges.csv"
"""Only if exchanges were traced (`--trace`)."""
JOURNALS_FOLDER = "journals"
"""The journals of the hosts, one file each (agents/exchange/journal/sqlite.py)."""
_OF_A_SWEEP = "sweep.json"
"""A file that only folders of sweeps have."""
REPORT_FOLDER = "report"
"""The default folder of `coflex report`, inside the folder of the results."""
UNFINISHED_FOLDER = "unfinished"
"""The folder of a run that has not ended (orchestrator/coordination/unfinished_run.py)."""
_DISK_ROOT = "lost+found"
"""A folder that an empty disk has; results may be written into the root of a disk."""
_STALE = (
    JOURNALS_FOLDER,
    SCHEDULES_FOLDER,
    ROUNDS,
    KINDS_FILE,
    FEEDERS_FILE,
    EXCHANGES,
    *(f"{REPORT_FOLDER}/*.{ending}" for ending in ("html", "png", "csv")),
)
"""Patterns of optional and derived files of a run, which are removed when another run replaces it.
"""


def check_output(out: Path, *, force: bool = False) -> None:
    """Check before a run that its results can be written into the folder `out`.

    Raises InputError if the folder cannot be written, or if it has results or other files already
    and `force` is not set.
    """
    try_folder(out)
    try:
        there = sorted(path.name for path in out.iterdir()) if out.exists() else []
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=out) from error
    others = [name for name in there if name != _DISK_ROOT]
    if not others or force:
        return
    if UNFINISHED_FOLDER in others:
        raise InputError(
            "has a run that has not ended: go on with it with --resume, choose another folder with "
            "--out, or give it up with --force",
            file=out,
        )
    if RUN in others:
        held = "the results of an earlier run"
    else:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        held = f"other files ({others[0]}{more})"
    raise InputError(
        f"has {held}: choose another folder with --out, or replace results with --force", file=out
    )


def record_of(results: RunResults) -> dict[str, Any]:
    """Return a run as in run.json: parts that do not exist are left out, and numbers that are not
    finite are None."""
    parts = {field.name: getattr(results, field.name) for field in fields(RunRecord)}
    record = {name: part for name, part in parts.items() if part is not None}
    return {name: _plain(part) for name, part in record.items()}


def write(results: RunResults, out: Path, kept: Path | None = None) -> None:
    """Write the files of a run into the folder `out`, and copies of the folders that hosts have
    made in `kept`.

    run.json is written last: if it exists, the others are complete and belong to the same run.
    The results of an earlier run, and files derived from them, are removed; other files stay.
    Numbers are written exactly. Raises InputError if the folder cannot be written.
    """
    demand = results.demand.columns()
    known = results.slot_times
    times = {} if known is None else {"time": iso_times(known, results.slots)}
    files = {
        RUN: json.dumps(record_of(results), indent=2, allow_nan=False, ensure_ascii=False) + "\n",
        ITERATIONS: csv_text(Iteration._fields, results.planning_history),
        HOUSEHOLDS: csv_text(*_without_empty(*_table(HouseholdRow, results.rows))),
        DEMAND: csv_text(
            ("slot", *times, *demand),
            zip(
                range(results.slots),
                *times.values(),
                *([None if x != x else x for x in c.tolist()] for c in demand.values()),
                strict=True,
            ),
        ),
    }
    if results.kinds is not None:
        files[KINDS_FILE] = kinds_text(results)
    if results.feeder_days is not None:
        files[FEEDERS_FILE] = feeders_text(results)
    if results.exchange is not None:
        files[ROUNDS] = csv_text(*_without_empty(*_table(Round, results.rounds)))
    if results.exchanges is not None:
        files[EXCHANGES] = csv_text(*_table(ExchangeRow, results.exchanges))
    content = {name: text.encode() for name, text in files.items()}
    folders = {
        name: kept / name
        for name in (JOURNALS_FOLDER, SCHEDULES_FOLDER)
        if kept is not None and any((kept / name).glob("*"))
    }
    publish(out, content, seal=RUN, stale=_STALE, folders=folders)


def read(out: Path) -> RunResults:
    """Return the results in the folder `out`.

    Raises InputError, which names file, line and field, if a file is missing or broken.
    """
    record = read_record(out)
    planning_history = tuple(_read_rows(out / ITERATIONS, TypeAdapter(Iteration)))
    rows = tuple(_read_rows(out / HOUSEHOLDS, TypeAdapter(HouseholdRow)))
    demand = tuple(_read_rows(out / DEMAND, TypeAdapter(_DemandRow)))
    by_feeder: tuple[FeederRow, ...] = ()
    if record.feeders is not None:
        by_feeder = tuple(_read_rows(out / FEEDERS_FILE, TypeAdapter(FeederRow)))
    exchange, rounds = record.exchange, tuple[Round, ...]()
    if exchange is not None:
        rounds = tuple(_read_rows(out / ROUNDS, TypeAdapter(Round)))
    exchanges: tuple[ExchangeRow, ...] | None = None
    if record.config.get("trace") and exchange is not None:
        exchanges = tuple(_read_rows(out / EXCHANGES, TypeAdapter(ExchangeRow)))
    for name, found, expected in (
        # Without stage 1 there is one line: the plans with which all started, summed.
        (ITERATIONS, [step.iteration for step in planning_history], max(record.iterations, 1)),
        (HOUSEHOLDS, [row.position for row in rows], record.households),
        (DEMAND, [row.slot for row in demand], record.slots),
        *(
            (FEEDERS_FILE, [row.slot for row in by_feeder if row.feeder == name], record.slots)
            for name in record.feeders or {}
        ),
        (ROUNDS, [row.round for row in rounds], 0 if exchange is None else exchange.rounds + 1),
    ):
        if found != list(range(expected)):
            raise InputError(
                f"expected one line for each of {expected} in order, from 0 (as {RUN} says); "
                f"found {len(found)}: run again",
                file=out / name,
            )
    return RunResults(
        **{field.name: getattr(record, field.name) for field in fields(RunRecord)},
        rows=rows,
        planning_history=planning_history,
        rounds=rounds,
        kinds=read_kinds(out / KINDS_FILE, _read_text(out / KINDS_FILE)) if record.groups else None,
        feeder_days=days_of(by_feeder) if record.feeders is not None else None,
        exchanges=exchanges,
        demand=Demand(
            planned=np.array([row.planned for row in demand]),
            preferred=_column(out / DEMAND, "preferred", [row.preferred for row in demand]),
            exchanged=_column(out / DEMAND, "exchanged", [row.exchanged for row in demand]),
            target=_column(out / DEMAND, "target", [row.target for row in demand]),
            limit=_column(out / DEMAND, "limit", [row.limit for row in demand], gaps=True),
        ),
    )


@dataclass(frozen=True, slots=True)
class _DemandRow:
    """A line of demand.csv."""

    slot: int
    planned: float
    preferred: float | None = None
    exchanged: float | None = None
    target: float | None = None
    limit: float | None = None


Row = TypeVar("Row")


def _table(
    kind: type[HouseholdRow] | type[Round] | type[ExchangeRow],
    rows: Sequence[HouseholdRow] | Sequence[Round] | Sequence[ExchangeRow],
) -> tuple[list[str], list[list[object]]]:
    """Return the names of the fields, and the values of each row."""
    names = [field.name for field in fields(kind)]
    return names, [[getattr(row, name) for name in names] for row in rows]


def _without_empty(
    header: Sequence[str], rows: Sequence[Sequence[object]]
) -> tuple[list[str], list[list[object]]]:
    """Return the table without columns that are empty in every row."""
    kept = [i for i in range(len(header)) if any(row[i] is not None for row in rows)]
    return [header[i] for i in kept], [[row[i] for i in kept] for row in rows]


def _plain(value: Any) -> Any:
    """Return `value` as JSON can represent it: records without fields that are None, and None for
    numbers that are not finite."""
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def read_record(out: Path) -> RunRecord:
    """Return run.json of the folder `out`; raises InputError if it is missing or broken."""
    path = out / RUN
    try:
        content = json.loads(_read_text(path))
    except ValueError as error:
        raise InputError(f"not JSON: {error}", file=path) from error
    return _checked(TypeAdapter(RunRecord), content, path)


def _read_rows(path: Path, kind: TypeAdapter[Row]) -> Iterator[Row]:
    """Yield the checked lines of a table; an empty cell means a missing value."""
    reader = csv.DictReader(io.StringIO(_read_text(path)), restkey="", restval="")
    for cells in reader:
        if "" in cells:
            raise InputError("has more cells than the header", file=path, line=reader.line_num)
        given = {name: text_of(cell) for name, cell in cells.items() if cell != ""}
        yield _checked(kind, given, path=path, line=reader.line_num)


def _checked(kind: TypeAdapter[Row], content: object, path: Path, line: int | None = None) -> Row:
    try:
        return kind.validate_python(content)
    except ValidationError as error:
        raise invalid(error, file=path, line=line) from error


def is_of_a_sweep(folder: Path) -> bool:
    """Return True if this is the folder of a sweep and not of a run."""
    return (folder / _OF_A_SWEEP).is_file() and not (folder / RUN).exists()


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        reason = "no such file: this folder has no complete results of a run"
        if is_of_a_sweep(path.parent):
            reason = "no such file: this is the folder of a sweep; coflex report shows one, and "
            reason += "coflex compare two or more"
        raise InputError(reason, file=path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", file=path) from error


def _column(
    path: Path, name: str, values: Sequence[float | None], *, gaps: bool = False
) -> Array | None:
    """Return a column as an array, or None if it is empty; raises InputError if it has gaps, unless
    these are allowed and become NaN."""
    present = [value for value in values if value is not None]
    if not present:
        return None
    if gaps:
        return np.array([np.nan if value is None else value for value in values])
    if len(present) < len(values):
        reason = "a cell of this column is empty"
        raise InputError(reason, file=path, line=2 + values.index(None), field=name)
    return np.array(present)
