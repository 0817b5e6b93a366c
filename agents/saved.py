"""A household's schedule as a file of its own, written by its own host (`--save-schedules`).

Nobody else ever writes or reads it during a run: without the option a schedule stays with its
household.
"""

import csv
from pathlib import Path

from agents.household import Household
from protocol.errors import InputError

HEADER = ("slot", "preferred", "planned", "exchanged")


def save_schedule(member: Household, folder: Path) -> None:
    """Write `folder`/<household>.csv: by slot, kWh, what is preferred, what stage 1 chose, and what
    stage 2 made of it (no such column without a stage 2). Under a temporary name first; InputError
    where that is impossible."""
    planned, exchanged = member.planned_schedule, member.schedule
    columns = [member.plans.preferred, planned] + ([] if exchanged is None else [exchanged])
    file = folder / f"{member.address.name}.csv"
    unfinished = file.with_suffix(".writing")
    try:
        with unfinished.open("w", newline="", encoding="utf-8") as text:
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(HEADER[: 1 + len(columns)])
            rows = zip(*(column.tolist() for column in columns), strict=True)
            writer.writerows((slot, *row) for slot, row in enumerate(rows))
        unfinished.replace(file)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", file=file) from error
