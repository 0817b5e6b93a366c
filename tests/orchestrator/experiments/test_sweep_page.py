"""The page of a sweep: a figure over the option that varies, and the table of combinations."""

import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator.cli import app
from orchestrator.experiments.sweep_page import write_sweep_page
from protocol.errors import InputError
from tests.support.sweep_summary import write_summary


def points(folder: Path) -> list[dict[str, str]]:
    with (folder / "sweep.csv").open() as lines:
        return list(csv.DictReader(lines))


def test_measures_are_drawn_over_the_number_that_varies(tmp_path: Path) -> None:
    rows = [(beta, rule) for beta in (0.5, 0.0, 1.0) for rule in ("mutual", "off")]
    sweep = write_summary(tmp_path / "sweep", ["beta", "exchange"], rows)
    result = CliRunner().invoke(app, ["report", str(sweep)])
    assert result.exit_code == 0, result.output
    page = (sweep / "report" / "index.html").read_text()
    assert "18 runs of 6 combinations of options" in page
    assert "What varied: beta 0.5, 0, 1; exchange mutual, off." in page
    assert "Measures over beta" in page
    assert "0.5 [0.4, 0.6]" in page
    drawn = [each for each in points(sweep / "report") if each["series"] == "planned, exchange off"]
    assert [float(each["x"]) for each in drawn] == [0.0, 0.5, 1.0] * 2  # comfort, inefficiency
    assert float(drawn[1]["y"]) == pytest.approx(0.6)
    assert float(drawn[1]["low"]) == pytest.approx(0.5)


def test_other_options_have_a_row_for_each_combination(tmp_path: Path) -> None:
    sweep = write_summary(tmp_path / "sweep", ["exchange"], [("off",), ("mutual",)])
    page = write_sweep_page(sweep, tmp_path / "page").read_text()
    assert "Measures by combination" in page
    assert "exchange mutual" in page


def test_a_sweep_without_a_varied_option_has_a_page(tmp_path: Path) -> None:
    page = write_sweep_page(write_summary(tmp_path / "sweep", [], [()]), tmp_path / "page")
    assert "No option varied" in page.read_text()


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "the sweep is not finished"), ("a,b\n1,2\n", "not the summary"), ("", "not the summ")],
)
def test_a_broken_sweep_is_named(tmp_path: Path, content: str | None, message: str) -> None:
    sweep = write_summary(tmp_path / "sweep", ["beta"], [(0,)])
    (sweep / "summary.csv").unlink()
    if content is not None:
        (sweep / "summary.csv").write_text(content)
    with pytest.raises(InputError, match=message):
        write_sweep_page(sweep, tmp_path / "page")
    assert not (tmp_path / "page").exists()


@pytest.mark.parametrize("command", ["show", "explain --household h1"])
def test_commands_for_runs_name_the_command_for_sweeps(tmp_path: Path, command: str) -> None:
    sweep = write_summary(tmp_path / "sweep", ["beta"], [(0,)])
    name, *words = command.split()
    result = CliRunner().invoke(app, [name, str(sweep), *words])
    assert isinstance(result.exception, InputError)
    assert "coflex report" in str(result.exception)
