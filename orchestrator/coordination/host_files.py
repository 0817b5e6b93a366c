"""The files that a host keeps: its journal, and its households' schedules (`--save-schedules`).

Only the host reads and writes them during a run. Without `--save-schedules`, a schedule never
leaves its household.
"""

from collections.abc import Iterable
from pathlib import Path

from agents.household import Household
from orchestrator.results.csv_tables import csv_text
from orchestrator.results.result_files import JOURNALS_FOLDER, SCHEDULES_FOLDER
from protocol.errors import InputError, RunError

HEADER = ("slot", "preferred", "planned", "exchanged")


def journal_file(kept: Path, host: str) -> Path:
    """Return the path of a host's journal inside `kept`, the folder for the files of all hosts.

    Creates the folder. Raises InputError if that is impossible, because people choose the folder
    (`--keep`).
    """
    folder = kept / JOURNALS_FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot be created: {error.strerror}", file=folder) from error
    return folder / f"{host}.sqlite"


def save_schedules(households: Iterable[Household], kept: Path) -> None:
    """Write one file of schedules per household inside `kept`, after stage 2.

    Raises RunError if the files cannot be written.
    """
    folder = kept / SCHEDULES_FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for household in households:
            _save_schedule(household, folder / f"{household.address.name}.csv")
    except OSError as error:
        place = error.filename or folder
        raise RunError(f"{place}: schedules cannot be written: {error.strerror}") from error


def _save_schedule(household: Household, file: Path) -> None:
    """Write one line per slot, in kWh: the preferred value, the value after stage 1 and, if there
    was a stage 2, the value after it.

    The file is written under another name and renamed when it is complete.
    """
    planned, exchanged = household.planned_schedule, household.schedule
    columns = [household.plans.preferred, planned] + ([] if exchanged is None else [exchanged])
    unfinished = file.with_suffix(".writing")
    rows = zip(*(column.tolist() for column in columns), strict=True)
    text = csv_text(HEADER[: 1 + len(columns)], [(slot, *row) for slot, row in enumerate(rows)])
    unfinished.write_text(text, encoding="utf-8", newline="")
    unfinished.replace(file)
