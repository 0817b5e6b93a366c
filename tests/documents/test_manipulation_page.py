"""docs/manipulation.md: every command on it works, on small data, and its numbers are those of its
files."""

import json
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator.cli import app
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "manipulation.md"
RECORD = ROOT / "docs" / "figures" / "price_of_truth.json"
SMALL = ["--households", "5", "--sample", "2", "--random", "1", "--workers", "1"]


def commands() -> list[list[str]]:
    """Return the words of all commands in shell blocks of the page, without `coflex`."""
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line]


def test_the_commands_work() -> None:
    make = ["generate", "--households", "5", "--slots", "24", "--out", "DIR"]
    assert CliRunner().invoke(app, make).exit_code == 0
    found = commands()
    assert {words[0] for words in found} == {"manipulate"}
    for words in found:
        result = CliRunner().invoke(app, [*words, *SMALL])
        assert result.exit_code == 0, (words, result.output, result.exception)
        out = Path(words[words.index("--out") + 1])
        assert (out / "manipulation.json").exists()


@pytest.mark.parametrize("case", json.loads(RECORD.read_text())["cases"] if RECORD.exists() else [])
def test_the_table_has_the_numbers_of_the_record(case: dict[str, object]) -> None:
    row = next(
        line
        for line in PAGE.read_text().splitlines()
        if line.startswith(f"| {case['rule']}, {case['content']} |")
    )
    cells = [cell.strip() for cell in row.split("|")[1:-1]]
    assert cells[1] == f"{case['comfort']:.3f}"
    assert cells[2] == f"{case['lies_profitable']} of {case['lies_tried']}"
    assert cells[3] == case["best_lie"]
    assert cells[4].startswith(f"{100 * float(str(case['best_lie_gain_share'])):.1f} ")
    assert cells[6].startswith(f"{100 * float(str(case['best_in_hindsight_share'])):.1f} ")
