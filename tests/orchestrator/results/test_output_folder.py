"""The folder for results is tried before a run; results that cannot be written there are saved
elsewhere."""

import csv
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

import orchestrator.results.atomic_folder
from orchestrator.cli import run as command
from orchestrator.reporting.printable_text import printable
from orchestrator.results.csv_tables import csv_text, text_of
from orchestrator.results.result_files import UNFINISHED_FOLDER, check_output, read, write
from orchestrator.scenario.settings import RunSettings
from protocol.errors import InputError, RunError
from tests.support.sample_results import sample_results

NAMES = ["家", "Zoë Ström", "=cmd()", "'=x", "-1+1", "@a", "\tx", 'a,"b"', "'t Hooft"]


def test_trying_a_folder_leaves_no_file(tmp_path: Path) -> None:
    check_output(tmp_path / "new" / "deep")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "there").mkdir()
    check_output(tmp_path / "there")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    for place in (tmp_path / "out", tmp_path / "out" / "below"):
        with pytest.raises(InputError, match=r"out.*: cannot be written"):
            check_output(place)


def test_a_full_disk_is_found_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(monkeypatch, tmp_path)
    with pytest.raises(InputError, match=r"No space left.*the disk at / is full"):
        check_output(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_existing_files_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"has other files \(notes.txt\): .*--force"):
        check_output(tmp_path)
    check_output(tmp_path, force=True)
    write(sample_results(), tmp_path)
    with pytest.raises(InputError, match=r"has the results of an earlier run: .*--force"):
        check_output(tmp_path)


def test_results_that_cannot_be_written_are_saved_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(monkeypatch, tmp_path / "full")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    settings = RunSettings.model_validate({"demo": True, "out": tmp_path / "full"})
    results = sample_results(exchange=True)
    with pytest.raises(RunError, match=r"full: cannot be .* The complete results are in (\S+):"):
        command._finish(results, settings)
    (place,) = tmp_path.glob("coflex-results-*")
    assert read(place).rows == results.rows


def fill(monkeypatch: pytest.MonkeyPatch, below: Path) -> None:
    """Make every file below this folder fail as on a full disk."""
    really = orchestrator.results.atomic_folder._write

    def full(path: Path, content: bytes) -> None:
        if path.is_relative_to(below):
            raise OSError(28, "No space left on device", str(path))
        really(path, content)

    monkeypatch.setattr(orchestrator.results.atomic_folder, "_write", full)
    monkeypatch.setattr(Path, "is_mount", lambda self: self == Path("/"))


def test_names_are_kept_and_are_not_formulas(tmp_path: Path) -> None:
    results = sample_results(households=len(NAMES))
    pairs = zip(results.rows, NAMES, strict=True)
    named = replace(results, rows=tuple(replace(row, name=name) for row, name in pairs))
    write(named, tmp_path)
    assert [row.name for row in read(tmp_path).rows] == NAMES
    with (tmp_path / "households.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header[-1] == "name"
    assert not [row[-1] for row in rows if row[-1][0] in "=+-@\t\r"]


def test_numbers_are_not_texts() -> None:
    assert csv_text(["a"], [[-1.5], ["-1.5"]]) == "a\n-1.5\n'-1.5\n"
    assert [text_of(cell) for cell in ("-1.5", "'-1.5", "''=", "'a")] == [
        "-1.5",
        "-1.5",
        "'=",
        "'a",
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("家 Zoë", "家 Zoë"),
        ("a\x1b[31mb\n\x9b\x07", "a\\x1b[31mb\\n\\x9b\\x07"),
        ("a\u202eb\u2028", "a\\u202eb\\u2028"),
    ],
)
def test_control_characters_are_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_run_that_has_not_ended_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / UNFINISHED_FOLDER).mkdir()
    with pytest.raises(InputError, match="has a run that has not ended: go on with it"):
        check_output(tmp_path)
    check_output(tmp_path, force=True)
