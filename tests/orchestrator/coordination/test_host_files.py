"""The files that a host keeps: a disk failure during a run fails the run."""

from pathlib import Path

import pytest

from orchestrator.coordination.host_files import journal_file, save_schedules
from orchestrator.results.device_schedules import SCHEDULES_FOLDER
from protocol.errors import InputError, RunError
from tests.support.settings import in_simulation, settings_of


def test_a_folder_that_cannot_be_created_is_bad_input(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(InputError, match="cannot be created"):
        journal_file(file, "host-1")


def test_schedules_that_cannot_be_written_fail_the_run(tmp_path: Path) -> None:
    (tmp_path / SCHEDULES_FOLDER).write_text("")
    with pytest.raises(RunError, match="schedules cannot be written"):
        save_schedules([], tmp_path)
    with pytest.raises(RunError, match="schedules cannot be written"):
        in_simulation(
            settings_of({"demo": True, "households": 2, "slots": 32}, save_schedules=True),
            kept=tmp_path,
        )
