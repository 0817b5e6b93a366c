"""Which instants the times in a meter file mean: offsets, time zones and clock changes.

Decides nothing about readings (meter_table.py) or days (meters.py).
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from protocol.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

Instants = NDArray[np.int64]
"""Nanoseconds since 1970-01-01 00:00 UTC."""

_HOUR = 3_600_000_000_000
_OFFSET = re.compile(r":\d{2}\S*?\s?(?:Z|[+-]\d{2}(?::?\d{2})?)$")


def instants_of(times: "pd.Series[Any]", path: Path, name: str, zone: ZoneInfo) -> Instants:
    """The instants of a column of times in the file's order: int64[r], strictly rising.

    The index of `times` counts the rows after the header. Times without an offset are local to
    `zone`. Raises InputError with line and column for text, mixed offsets, times that the clock
    skips, repeated times, and times out of order.
    """
    import pandas as pd

    def refuse(wrong: NDArray[np.bool_], reason: str) -> None:
        if wrong.any():
            row = int(np.argmax(wrong))
            raise InputError(
                f"{str(times.iloc[row])!r} {reason}",
                file=path,
                line=int(times.index[row]) + 2,
                field=name,
            )

    refuse(times.isna().to_numpy(), "is not a time: the cell is empty")
    if pd.api.types.is_datetime64_any_dtype(times):
        parsed = times
        local = times.dt.tz is None
    else:
        text = times.astype(str).str.strip()
        offset = text.map(lambda each: _OFFSET.search(each) is not None).to_numpy()
        local = not offset.any()
        if not local:
            refuse(~offset, "has no offset from UTC, but other times of this file have one")
        number = text.str.fullmatch(r"[0-9.]+").to_numpy()
        parsed = pd.to_datetime(text, utc=not local, format="ISO8601", errors="coerce")
        refuse(
            parsed.isna().to_numpy() | number,
            "is not a time: write ISO 8601 like 2025-03-30 00:15, "
            "with or without an offset like +01:00",
        )
    refuse(~parsed.dt.year.between(1900, 2200).to_numpy(), "is outside the years 1900 to 2200")
    if local:
        summer = np.zeros(len(parsed), dtype=bool)
        skipped = parsed.dt.tz_localize(zone, ambiguous=summer, nonexistent="NaT").isna()
        refuse(skipped.to_numpy(), f"does not exist in {zone}: the clock skips this hour")
        repeated = parsed.dt.tz_localize(zone, ambiguous="NaT").isna().to_numpy()
        summer = _first_pass(parsed.to_numpy(dtype="datetime64[ns]").astype(np.int64), repeated)
        parsed = parsed.dt.tz_localize(zone, ambiguous=summer)
    instants = parsed.dt.as_unit("ns").to_numpy(dtype="datetime64[ns]").astype(np.int64)
    step = np.diff(instants)
    refuse(np.append(False, step == 0), "stands there twice")
    refuse(np.append(False, step < 0), "comes after a later time: sort the file by time")
    return np.asarray(instants)


def _first_pass(local: Instants, repeated: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """For each time in an hour that the clock repeats: is it the first pass (summer time)?

    The file's order tells: where local time steps back or stands still, the second pass begins.
    """
    first = repeated.copy()
    step = np.diff(local)
    back = np.flatnonzero((step <= 0) & repeated[1:]) + 1
    for start in back.tolist():
        end = start
        while end < len(local) and repeated[end] and local[end] - local[start] < 2 * _HOUR:
            first[end] = False
            end += 1
    return first
