"""docs/manipulation.md: every command on it works, on small data."""

import re
import shlex
from pathlib import Path

from typer.testing import CliRunner

from orchestrator.cli import app
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "manipulation.md"
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
