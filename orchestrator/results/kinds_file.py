"""The file kinds.csv: the energy of all homes by state and kind of device, a column for each."""

import csv
import io
from pathlib import Path

import numpy as np

from orchestrator.results.csv_tables import csv_text
from orchestrator.results.device_kinds import DayByKind
from orchestrator.results.run_results import RunResults
from orchestrator.results.slot_clock import iso_times
from protocol.errors import InputError
from protocol.vectors import Array


def kinds_text(results: RunResults) -> str:
    """Return the content of the file: one line per slot, kWh."""
    known = results.slot_times
    columns: dict[str, list[object]] = {"slot": list(range(results.slots))}
    if known is not None:
        columns["time"] = list(iso_times(known, results.slots))
    for state, day in (results.kinds or {}).items():
        columns |= {f"{state} {kind}": amounts.tolist() for kind, amounts in day.items()}
    return csv_text(columns, list(zip(*columns.values(), strict=True)))


def read_kinds(path: Path, text: str) -> dict[str, DayByKind]:
    """Return the energy by state and kind. Raises InputError if the file is broken."""
    heads, *rows = csv.reader(io.StringIO(text))
    found: dict[str, dict[str, Array]] = {}
    try:
        for place, head in enumerate(heads):
            state, _, kind = head.partition(" ")
            if kind:
                column = np.array([float(row[place]) for row in rows])
                found.setdefault(state, {})[kind] = column
    except (ValueError, IndexError) as error:
        raise InputError(f"cannot be read: {error}", file=path) from error
    return dict(found)
