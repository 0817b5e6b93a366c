"""The table of an experiment: one row per run, as files, and a summary over groups of runs."""

import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.experiments.statistics import FEWEST_SHOWN, interval
from orchestrator.experiments.sweep_runs import Row
from orchestrator.results.atomic_folder import publish
from orchestrator.results.csv_tables import safe_cell
from protocol.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

TABLE_CSV, TABLE_PARQUET = "sweep.csv", "sweep.parquet"
SECONDS, SUMMARY = "seconds.csv", "summary.csv"
PLACE = "sweep.json"
"""File that says where the runs of a folder take place: {"on": "simulation"} or {"on": "bus"}."""
SUMMARISED = (
    "exchanged_mean_comfort",
    "planned_mean_comfort",
    "planned_inefficiency",
    "planned_unfairness",
    "exchanged_unfairness",
    "exchanged_gini",
    "exchange_share_of_bound",
    "exchange_accepted",
)
"""Measures in the summary, if a sweep has them."""


def settle_place(folder: Path, where: str) -> None:
    """Record where the runs of this folder take place.

    Raises InputError if earlier runs in it took place elsewhere, because their exchanges may
    differ.
    """
    file = folder / PLACE
    if file.exists():
        try:
            was = json.loads(file.read_text(encoding="utf-8"))["on"]
        except (OSError, ValueError, LookupError, TypeError):
            raise InputError("not a file of a sweep: choose another folder", file=file) from None
        if was != where:
            reason = f"this folder has a sweep --on {was}: choose another for --on {where}"
            raise InputError(reason, file=folder)
    else:
        publish(folder, {PLACE: json.dumps({"on": where}).encode() + b"\n"}, seal=PLACE)


def frame_of(rows: Sequence[Row]) -> "pd.DataFrame":
    """Return one row per run: replication, options, versions, data and measures.

    Durations are left out, since they depend on the machine.
    """
    import pandas as pd

    frame = pd.DataFrame(list(rows))
    return frame[[name for name in frame if not str(name).startswith("seconds_")]]


def summary_of(rows: Sequence[Row], varied: Sequence[str]) -> "pd.DataFrame":
    """Return one row per combination of the varied options: the means of SUMMARISED, with 95 %
    intervals if there are three runs or more."""
    import pandas as pd

    frame = pd.DataFrame(list(rows))
    groups = frame.groupby(list(varied), sort=False, dropna=False) if varied else [((), frame)]
    measures = [name for name in SUMMARISED if name in frame]
    lines = []
    for key, group in groups:
        line = dict(zip(varied, key if isinstance(key, tuple) else (key,), strict=True))
        line["runs"] = len(group)
        for name in measures:
            values = [float(value) for value in group[name] if math.isfinite(value)]
            if len(values) < FEWEST_SHOWN:
                line[name] = values[0] if values else math.nan
                continue
            found = interval(values)
            line |= {name: found.mean, f"{name}_low": found.low, f"{name}_high": found.high}
        lines.append(line)
    return pd.DataFrame(lines)


def write_tables(folder: Path, rows: Sequence[Row], varied: Sequence[str]) -> None:
    """Write the files of an experiment: sweep.csv and sweep.parquet (the same table), summary.csv,
    and seconds.csv, the only one that differs between machines."""
    import pandas as pd

    frame = frame_of(rows)
    parquet = io.BytesIO()
    frame.to_parquet(parquet, index=False)
    keys = ["replication", *varied]
    seconds = pd.DataFrame(
        [{k: v for k, v in row.items() if k in keys or k.startswith("seconds_")} for row in rows]
    )
    publish(
        folder,
        {
            TABLE_CSV: _csv(frame),
            TABLE_PARQUET: parquet.getvalue(),
            SUMMARY: _csv(summary_of(rows, varied)),
            SECONDS: _csv(seconds),
        },
        seal=TABLE_PARQUET,
    )


def _csv(frame: "pd.DataFrame") -> bytes:
    """Return a frame as CSV in which no cell is a formula to a spreadsheet."""
    text: str = frame.map(safe_cell).to_csv(index=False)
    return text.encode()
