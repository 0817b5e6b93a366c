"""The files that a host keeps: its journal, and its households' schedules (`--save-schedules`).

Only the host reads and writes them during a run. Without `--save-schedules`, a schedule never
leaves its household.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from agents.household import Household
from orchestrator.results.csv_tables import csv_text
from orchestrator.results.device_kinds import BASE, SOLAR, kind_of
from orchestrator.results.device_schedules import SCHEDULES_FOLDER, column_name
from orchestrator.results.result_files import JOURNALS_FOLDER
from protocol.errors import InputError, RunError
from protocol.vectors import Array

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
    was a stage 2, the value after it; of a home then the same for each of its devices.

    The file is written under another name and renamed when it is complete.
    """
    planned, exchanged = household.planned_schedule, household.schedule
    columns = [household.plans.preferred, planned] + ([] if exchanged is None else [exchanged])
    names = [*HEADER[: 1 + len(columns)]]
    for name, amounts in _device_columns(household).items():
        names.append(name)
        columns.append(amounts)
    unfinished = file.with_suffix(".writing")
    rows = zip(*(column.tolist() for column in columns), strict=True)
    text = csv_text(names, [(slot, *row) for slot, row in enumerate(rows)])
    unfinished.write_text(text, encoding="utf-8", newline="")
    unfinished.replace(file)


def _device_columns(household: Household) -> dict[str, Array]:
    """Return the schedules of a home's devices in each state by column; empty for what is none."""
    own, exchange = household.plans.home, household.exchange
    held = None if exchange is None else exchange.held
    if own is None:
        return {}
    # After a restart in stage 2 the household knows its plan only by its values.
    same = (household.plans.values == household.planned_schedule).all(axis=1)
    planned = household.selections[-1] if household.selections else int(np.argmax(same))
    preferred = household.plans.preferred_index
    states = {"preferred": own.plans[preferred], "planned": own.plans[planned]}
    if held is not None:
        states["exchanged"] = held.schedules
    columns: dict[str, Array] = {}
    for state, schedules in states.items():
        columns[column_name(state, BASE, BASE)] = own.home.base_kwh
        columns[column_name(state, SOLAR, SOLAR)] = -own.home.solar_kwh
        for device in own.home.devices:
            name = column_name(state, kind_of(device), device.name)
            columns[name] = schedules[device.name]
    return columns
