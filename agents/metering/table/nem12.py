"""NEM12, the interval data files of the Australian market, as one table of readings.

A record 200 names meter, register and unit; each record 300 after it holds a day of readings from
midnight on. Times are those of the market, UTC+10 all year. Source: AEMO, Meter Data File Format.
"""

import csv
from pathlib import Path

from agents.metering.table.source_table import SourceTable
from protocol.errors import InputError

_MINUTES_A_DAY = 24 * 60
NMI, SUFFIX, UNIT, TIME, READING = "nmi", "suffix", "uom", "interval start", "reading"


def is_nem12(text: str) -> bool:
    """Return True if the text begins as a NEM12 file does, with or without its header record."""
    if text.lstrip().startswith("100,NEM12"):
        return True
    records = [line.split(",")[0] for line in text.lstrip().split("\n", 2)[:2]]
    return records == ["200", "300"]


def table_of_nem12(text: str, path: Path) -> SourceTable:
    """Read the readings of consumption: registers E; others are left out with a note."""
    import numpy as np
    import pandas as pd

    rows: list[tuple[str, str, str, str, str]] = []
    lines: list[int] = []
    left: dict[str, None] = {}
    block: list[str] = []
    step = 0
    for number, row in enumerate(csv.reader(text.split("\n")), start=1):
        cells = [cell.strip() for cell in row]
        if not cells or cells[0] not in ("200", "300"):
            continue
        if cells[0] == "200":
            block, step = cells, _interval(cells, path, number)
            continue
        if not block:
            raise InputError("record 300 before any record 200", file=path, line=number)
        suffix = block[4]
        if not suffix.upper().startswith("E"):
            left[suffix] = None
            continue
        count = _MINUTES_A_DAY // step
        if len(cells) < 2 + count:
            raise InputError(
                f"holds {max(0, len(cells) - 2)} readings, {count} of {step} minutes make a day",
                file=path,
                line=number,
            )
        for index, value in enumerate(cells[2 : 2 + count]):
            minute = index * step
            time = f"{cells[1]} {minute // 60:02}:{minute % 60:02}+10:00"
            rows.append((block[1], suffix, block[7], time, value))
        lines += [number] * count
    if not rows:
        raise InputError("holds no readings of consumption (registers E1, E2, ...)", file=path)
    notes = ["NEM12: times are those of the market, UTC+10"]
    if left:
        notes.append(f"left out: registers {', '.join(left)} (no consumption)")
    frame = pd.DataFrame(rows, columns=[NMI, SUFFIX, UNIT, TIME, READING])
    return SourceTable(frame=frame, lines=np.array(lines), header_line=1, notes=notes)


def _interval(cells: list[str], path: Path, number: int) -> int:
    """Return minutes of an interval that a record 200 says."""
    step = int(cells[8]) if len(cells) > 8 and cells[8].isdigit() else 0
    if step not in (1, 5, 15, 30, 60):
        raise InputError(
            "record 200 says no interval of 5, 15 or 30 minutes in its 9th field",
            file=path,
            line=number,
        )
    return step
