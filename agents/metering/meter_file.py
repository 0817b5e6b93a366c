"""Reads a meter file, CSV or Parquet, wide or long, into one matrix of readings over time.

Decides which column is what and what is refused. Does not decide which instant a time means
(local_times.py), which day is used, nor how readings become slots (meters.py).

pandas is in the extra `report`, so it is imported only once a file is to be read.
"""

import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from agents.metering.local_time import Instants, instants_of
from protocol.errors import InputError
from protocol.vectors import Array

if TYPE_CHECKING:
    import pandas as pd

_TIMES = {"time", "timestamp", "datetime", "date_time", "date", "snapshot", "snapshots", "index"}
_TIMES |= {"utc_timestamp", "local_time", "localtime", "time_local", "time_utc", "start", "ts"}
_HOUSEHOLDS = {"household", "household_id", "id", "meter", "meter_id", "meterid", "customer"}
_HOUSEHOLDS |= {"customer_id", "lclid"}
_VALUES = {"value", "reading", "energy", "power", "consumption", "kwh", "kw", "p_set", "p"}
_VALUES |= {"energy_kwh", "power_kw", "kwh/hh", "demand"}


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of a file's columns where they cannot be recognised; None: recognise it."""

    layout: Literal["auto", "wide", "long"] = "auto"
    time: str | None = None
    household: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class MeterTable:
    """Readings as they stand in the file.

    Invariant: instants int64[r] strictly rising; readings float64[r, n], one column for each name;
    NaN where the file has none.
    """

    instants: Instants
    names: list[str]
    readings: Array
    lines: NDArray[np.int64] = field(repr=False)
    """int64[r]: where a reading stands, counted from 1 with the header; 0 if in several lines.
    In a Parquet file the rows are counted as if it were the same CSV file."""


def read_table(path: Path, zone: ZoneInfo, columns: Columns) -> MeterTable:
    """Read the file; times without an offset are local to `zone`.

    Raises InputError with file, line and column for everything that cannot be read.
    """
    frame = _load(path)
    frame = frame.dropna(how="all")
    if frame.empty:
        raise InputError("holds no readings", file=path)
    time = _find(frame, path, "time", columns.time, _TIMES)
    if time is None:
        time = str(frame.columns[0])
    frame = frame.rename(columns={time: "\0time"})
    household = None
    if columns.layout == "long" or (columns.layout == "auto" and len(frame.columns) > 2):
        household = _find(frame, path, "household", columns.household, _HOUSEHOLDS)
    if columns.layout == "long" and household is None:
        raise InputError(
            "no column names the household: give its name with --household-column",
            file=path,
            line=_header(path),
        )
    if household is None:
        return _wide(frame, path, time, zone)
    return _long(frame, path, time, zone, household, columns.value)


def _load(path: Path) -> "pd.DataFrame":
    """The file's columns, index 0 for the first row after the header."""
    try:
        import pandas as pd
    except ImportError:
        raise InputError(
            "reading meter files needs pandas: install the extra with "
            "`pip install 'coflex[report]'`",
            file=path,
        ) from None
    if not path.is_file():
        raise InputError("there is no such file", file=path)
    if path.suffix.lower() not in {".csv", ".parquet"}:
        raise InputError("meter files end in .csv or .parquet", file=path)
    if path.suffix.lower() == ".csv":
        return _load_csv(path, pd)
    try:
        frame = pd.read_parquet(path)
    except ImportError:
        raise InputError(
            "reading Parquet needs pyarrow: install the extra with `pip install 'coflex[report]'`",
            file=path,
        ) from None
    except (ValueError, OSError) as error:  # pyarrow's errors are kinds of these
        raise InputError(f"is not a Parquet file: {error}", file=path) from None
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    frame.columns = [str(name) for name in frame.columns]
    return _checked_header(frame.reset_index(drop=True), path)


def _load_csv(path: Path, pd: Any) -> "pd.DataFrame":
    try:
        with path.open(encoding="utf-8-sig") as file:
            first = file.readline()
        separator = ";" if first.count(";") > first.count(",") else ","
        common = {"sep": separator, "encoding": "utf-8-sig", "skip_blank_lines": False}
        header = pd.read_csv(path, header=None, nrows=1, dtype=str, **common)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            frame = pd.read_csv(path, index_col=False, low_memory=False, **common)
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 text: {error.reason}", file=path) from None
    except pd.errors.EmptyDataError:
        raise InputError("is empty", file=path) from None
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        where = re.search(r"line (\d+)", str(error))
        raise InputError(
            "has a row with more cells than the header names",
            file=path,
            line=int(where[1]) if where else None,
        ) from None
    # pandas renames repeated columns in silence; the header as written shows them
    frame.columns = ["" if pd.isna(name) else str(name).strip() for name in header.iloc[0]]
    _checked_header(frame, path)
    if separator == ";":
        for name in frame.columns[1:]:
            if not pd.api.types.is_numeric_dtype(frame[name]):
                frame[name] = frame[name].str.replace(",", ".", regex=False)
    return frame


def _checked_header(frame: "pd.DataFrame", path: Path) -> "pd.DataFrame":
    repeated = frame.columns[frame.columns.duplicated()]
    if len(repeated):
        raise InputError(
            f"two columns are named {str(repeated[0])!r}", file=path, line=_header(path)
        )
    return frame


def _header(path: Path) -> int | None:
    return 1 if path.suffix.lower() == ".csv" else None


def _find(
    frame: "pd.DataFrame", path: Path, what: str, given: str | None, known: set[str]
) -> str | None:
    """The column that holds `what`: the given one, or the only one with a known name."""
    if given is not None:
        if given not in frame.columns:
            raise InputError(f"has no column {given!r}", file=path, field=f"{what}-column")
        return given
    found = [str(name) for name in frame.columns if str(name).strip().lower() in known]
    if what == "time" and found:
        return found[0]
    if len(found) > 1:
        raise InputError(
            f"columns {', '.join(found)} may all be the {what}: give --{what}-column, "
            "or --layout wide if each is a household",
            file=path,
            line=_header(path),
        )
    return found[0] if found else None


def _wide(frame: "pd.DataFrame", path: Path, time: str, zone: ZoneInfo) -> MeterTable:
    names = [str(name) for name in frame.columns if name != "\0time"]
    if not names:
        raise InputError(
            f"has no household columns, only the time column {time!r}",
            file=path,
            line=_header(path),
        )
    instants = instants_of(frame["\0time"], path, time, zone)
    readings = np.column_stack([_numbers(frame[name], path, name) for name in names])
    return MeterTable(instants, names, readings, frame.index.to_numpy() + 2)


def _long(
    frame: "pd.DataFrame", path: Path, time: str, zone: ZoneInfo, household: str, value: str | None
) -> MeterTable:
    import pandas as pd

    rest = frame.drop(columns=["\0time", household])
    column = _find(rest, path, "value", value, _VALUES)
    if column is None and len(rest.columns) == 1:
        column = str(rest.columns[0])
    if column is None:
        raise InputError(
            f"column {household!r} names households, but which one holds the readings? "
            "Give --value-column, or --layout wide if each column is a household",
            file=path,
            line=_header(path),
        )
    if frame[household].isna().any():
        row = int(frame.index[frame[household].isna()][0])
        raise InputError("names no household", file=path, line=row + 2, field=household)
    numbers = _numbers(frame[column], path, column)
    own: dict[str, tuple[Instants, Array]] = {}
    lines: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
    codes, names = pd.factorize(frame[household].astype(str))
    ends = np.cumsum(np.bincount(codes))[:-1]
    before: tuple[NDArray[Any], Instants] | None = None
    for name, rows in zip(names, np.split(np.argsort(codes, kind="stable"), ends), strict=True):
        part = frame["\0time"].iloc[rows]
        lines, written = part.index.to_numpy() + 2, part.to_numpy()
        # households mostly have the same times: these are read once
        if before is None or not np.array_equal(before[0], written):
            before = written, instants_of(part, path, time, zone)
        own[str(name)] = before[1], numbers[rows]
    instants = np.unique(np.concatenate([each for each, _ in own.values()]))
    readings = np.full((len(instants), len(own)), np.nan)
    for index, (each, values) in enumerate(own.values()):
        readings[np.searchsorted(instants, each), index] = values
    lines = lines if len(own) == 1 else np.zeros(len(instants), dtype=np.int64)
    return MeterTable(instants, list(own), readings, lines)


def _numbers(column: "pd.Series[Any]", path: Path, name: str) -> Array:
    """The column as float64[r]; empty cells become NaN, text and infinities are refused."""
    import pandas as pd

    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    text = column.dtype == bool
    wrong = (np.isnan(numbers) & column.notna().to_numpy()) | np.isinf(numbers) | text
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"{str(column.iloc[row])!r} is not a number",
            file=path,
            line=int(column.index[row]) + 2,
            field=name,
        )
    return np.asarray(numbers)
