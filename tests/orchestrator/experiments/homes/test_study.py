"""The study of homes from the command line: a page, a table and a picture for each question."""

import csv
import sys
from pathlib import Path

import pytest

from orchestrator.cli import main

QUESTIONS = ("followable", "contents", "bound", "stores", "beta", "yardstick", "payers")


def coflex(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["coflex", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def test_every_question_has_a_table_and_a_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    homes, out = tmp_path / "homes.json", tmp_path / "out"
    assert coflex(monkeypatch, "generate", "--homes", 6, "--seed", 4, "--out", homes) == 0
    words = ("--swaps", 3, "--seconds", 5, "--rounds", 1, "--out", out)
    assert coflex(monkeypatch, "study", homes, *words) == 0
    for name in QUESTIONS:
        assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    contents = list(csv.DictReader((out / "contents.csv").read_text().splitlines()))
    assert [row["content"] for row in contents] == ["slot", "bundle", "amounts"]
    assert contents[-1]["infeasible homes"] == "0"
    printed = capsys.readouterr().out
    assert "Who pays" in printed
    page = (out / "index.html").read_text()
    assert "get nothing back" in page


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("homes.csv", "x", "expected homes"),
        ("homes.json", "{}", "homes.json"),
    ],
)
def test_what_is_no_home_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    name: str,
    content: str,
    reason: str,
) -> None:
    (tmp_path / name).write_text(content)
    assert coflex(monkeypatch, "study", tmp_path / name, "--out", tmp_path / "out") == 2
    assert reason in capsys.readouterr().err
