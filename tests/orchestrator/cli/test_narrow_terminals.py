"""Help and tables on terminals of 40 columns: nothing is cut."""

import re
from io import StringIO

import pytest
from rich.console import Console
from typer.testing import CliRunner

from orchestrator.cli import app
from orchestrator.cli.application import MODULES
from orchestrator.reporting.narrow_tables import fitting_columns, print_table
from orchestrator.reporting.wrapped_lines import print_line, wrapped

COMMANDS = [
    "run",
    "compare",
    "simulate",
    "generate",
    "sweep",
    "explain",
    "keys",
    "doctor",
    "status",
]


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


def test_columns_are_left_out_before_rows_become_records() -> None:
    heads, rows = ["measure", "mean", "d"], [["peak demand", "12.34", "0.5"], ["", "12.5", ""]]
    shown = {}
    for width in (30, 23, 15):
        console = Console(width=width, file=StringIO())
        print_table(console, heads, rows, least_needed=["d"])
        assert isinstance(console.file, StringIO)
        shown[width] = console.file.getvalue()
    assert "0.5" in shown[30]
    assert "0.5" not in shown[23]
    assert "peak demand │ 12.34" in shown[23]
    assert "measure  peak" in shown[15]
    assert "d        0.5" in shown[15]


def test_the_help_of_the_program_names_every_command_and_option_in_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    shown = CliRunner().invoke(app, ["--help"]).output
    assert all(f"\n{name}\n    " in shown for name in (*MODULES, "--install-completion"))
    assert "…" not in shown


def test_a_command_is_described_in_lines_of_full_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    shown = CliRunner().invoke(app, ["--help"]).output
    assert "differences between runs with the same seed." in shown


@pytest.mark.parametrize("width", [20, 40, 80])
def test_a_line_is_wrapped_between_words(width: int) -> None:
    line = "  MISSING host host-1, 8,388,608 bytes in run 20261126-203038"
    shown = wrapped(line, width)
    assert shown.split() == line.split()
    assert all(len(each) <= width for each in shown.splitlines())
    assert all(each.startswith("  ") for each in shown.splitlines())


def test_files_get_a_line_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    print_line("word " * 50)
    assert capsys.readouterr().out == "word " * 50 + "\n"


def printed(width: int) -> list[str]:
    console = Console(width=width, file=StringIO())
    print_table(console, HEADS, ROWS, texts=["planner"])
    assert isinstance(console.file, StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]
