"""Help and tables on terminals of 40 columns: nothing is cut."""

import re

import pytest
from typer.testing import CliRunner

from orchestrator.cli import app
from orchestrator.reporting.narrow_tables import fitting_columns, records

COMMANDS = ["run", "simulate", "generate", "sweep", "explain", "keys", "doctor", "status"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_every_option_in_full(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    narrow = CliRunner().invoke(app, [command, "--help"]).output
    monkeypatch.setenv("COLUMNS", "200")
    wide = CliRunner().invoke(app, [command, "--help"]).output
    options = set(re.findall(r"--[a-z-]+", wide))
    assert options
    assert set(re.findall(r"--[a-z-]+", narrow)) >= options
    assert "…" not in narrow


def test_columns_are_dropped_in_the_order_given_until_the_rest_fits() -> None:
    heads, rows = ["slot", "round", "gain"], [["17", "1", "0.25"]]
    least_needed = ["round", "gain"]
    kept = [
        fitting_columns(heads, rows, width, least_needed=least_needed) for width in (19, 18, 11, 10)
    ]
    assert kept == [[0, 1, 2], [0, 2], [0, 2], [0]]


def test_records_name_each_cell() -> None:
    lines = [line.plain for line in records(["beta", "comfort"], [["0", "0.1"], ["1", "0.2"]])]
    assert lines == ["beta     0", "comfort  0.1", "", "beta     1", "comfort  0.2"]
