"""Help and tables on terminals of 40 columns: nothing is cut."""

import re
from io import StringIO

import pytest
from rich.console import Console
from typer.testing import CliRunner

from orchestrator.cli import app
from orchestrator.reporting.narrow_tables import fitting_columns, print_table

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


HEADS = ["stage", "planner", "inefficiency"]
ROWS = [["planning", "everyone's preferred plan", "1.234e-05"], ["", "random", "2.345e-05"]]


@pytest.mark.parametrize("width", [80, 60, 45])
def test_texts_wrap_between_words_and_numbers_stay_whole(width: int) -> None:
    shown = printed(width)
    assert "stage" in shown[0]
    assert all(len(line) <= width for line in shown)
    words = " ".join(shown).split()
    assert {"1.234e-05", "2.345e-05", "preferred", "planning", "inefficiency"} <= set(words)


def test_on_a_narrow_terminal_each_row_is_a_record() -> None:
    assert printed(34) == [
        *("stage         planning", "planner       everyone's preferred", "              plan"),
        *("inefficiency  1.234e-05", "", "stage         planning"),
        *("planner       random", "inefficiency  2.345e-05"),
    ]


def test_a_wide_column_takes_nothing_from_the_others() -> None:
    console = Console(width=80, file=StringIO())
    row = ["The-Greens-at-Number-Seventeen", "The Greens at Number Seventeen", "9.450", "2"]
    heads = ["household", "name", "kWh a day", "days"]
    print_table(console, heads, [row], texts=["name"], numbers=heads[2:])
    assert isinstance(console.file, StringIO)
    lines = console.file.getvalue().splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert lines[2].split()[-2:] == ["│", "2"]


def printed(width: int) -> list[str]:
    console = Console(width=width, file=StringIO())
    print_table(console, HEADS, ROWS, texts=["planner"])
    assert isinstance(console.file, StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]
