"""`coflex compare`: how runs are grouped, how they differ, and what may be concluded."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from orchestrator.api import Scenario, simulate
from orchestrator.cli import app
from orchestrator.experiments.compared_configurations import read_configurations
from orchestrator.experiments.comparison import compare, conclusion
from orchestrator.experiments.comparison_page import cells_of, write_comparison
from orchestrator.reporting.figures.interactive import INKS
from orchestrator.scenario.settings import ExchangeName
from protocol.errors import InputError

pd = pytest.importorskip("pandas", reason="sweeps need the extra `report`")
pytest.importorskip("plotly", reason="the page needs the extra `report`")
pytest.importorskip("scipy", reason="comparisons need the extra `report`")
pytest.importorskip("matplotlib", reason="figures need the extra `report`")
SMALL = Scenario(demo=True, households=10, slots=36, iterations=4)
RULES: tuple[ExchangeName, ...] = ("mutual", "cooperative", "off")
INEFFICIENCY, COMFORT = "inefficiency, planned", "comfort, exchanged"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], Path]:
    folder = tmp_path_factory.mktemp("runs")
    made: dict[tuple[str, int], Path] = {}
    for rule in RULES:
        for seed in (1, 2, 3):
            made[rule, seed] = folder / f"{rule}-{seed}"
            simulate(SMALL, exchange=rule, seed=seed).save(made[rule, seed])
    return made


def test_runs_of_one_configuration_are_grouped(runs: dict[tuple[str, int], Path]) -> None:
    mutual, cooperative = read_configurations([p for (rule, _), p in runs.items() if rule != "off"])
    assert (mutual.name, cooperative.name) == ("exchange mutual", "exchange cooperative")
    assert [run.seed for run in mutual.runs] == [1, 2, 3]
    by_measure = {
        (line.measure, line.configuration): line for line in compare([mutual, cooperative])
    }
    same = by_measure[INEFFICIENCY, cooperative.name]
    assert same.difference is not None
    assert (same.difference.mean, same.difference.low, same.difference.high) == (
        0,
        0,
        0,
    )  # stage 1 is the same
    better = by_measure[COMFORT, cooperative.name]
    assert better.difference is not None
    assert better.difference.low > 0
    assert better.difference.runs == 3
    assert better.difference.mean == pytest.approx(
        better.mean - by_measure[COMFORT, mutual.name].mean
    )
    assert by_measure[COMFORT, mutual.name].difference is None
    assert better.verdict == "better"
    assert same.verdict == "the same"
    first, *others = conclusion([mutual, cooperative], compare([mutual, cooperative]))
    assert first.startswith(
        "exchange cooperative, compared with exchange mutual (3 pairs of runs). Better:"
    )
    assert f"comfort, exchanged {better.difference.mean:+.3g}" in first
    assert "The same: inefficiency, planned;" in first
    assert "95 %" in others[0]
    assert "Fewer than 6 pairs" in others[1]


def test_single_runs_allow_no_conclusion(runs: dict[tuple[str, int], Path]) -> None:
    configurations = read_configurations([runs["mutual", 1], runs["off", 1]])
    lines = compare(configurations)
    assert all(line.interval is None and line.difference is None for line in lines)
    (sentences,) = conclusion(configurations, lines)
    assert "nothing is concluded" in sentences
    assert {line.configuration for line in lines if line.measure == COMFORT} == {"exchange mutual"}
    ends = {
        line.configuration: line.mean for line in lines if line.measure == "comfort, in the end"
    }
    planned = {
        line.configuration: line.mean for line in lines if line.measure == "comfort, planned"
    }
    assert ends["exchange off"] == planned["exchange off"] < ends["exchange mutual"]


def test_two_runs_a_side_conclude_nothing(runs: dict[tuple[str, int], Path]) -> None:
    """The interval of two runs is the two runs."""
    sides = read_configurations(
        [runs[rule, seed] for rule in ("mutual", "cooperative") for seed in (1, 2)]
    )
    lines = compare(sides)
    assert all(line.interval is None and line.difference is None for line in lines)
    assert all("[" not in cell for cells in cells_of(lines) for cell in cells)
    (said,) = conclusion(sides, lines)
    assert said.startswith("There are fewer than three runs per configuration")


def test_pairs_are_runs_with_the_same_seed(runs: dict[tuple[str, int], Path]) -> None:
    named = [runs["mutual", 1], runs["mutual", 2], runs["mutual", 3], runs["cooperative", 3]]
    configurations = read_configurations(named)
    lines = compare(configurations)
    assert all(line.difference is None for line in lines)
    assert "fewer than three seeds in common" in conclusion(configurations, lines)[0]


def test_the_command_writes_page_figures_and_table(
    runs: dict[tuple[str, int], Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    folders = [str(path) for path in runs.values()]
    result = CliRunner().invoke(app, ["compare", *folders, "--out", str(out)])
    assert result.exit_code == 0, result.output
    names = {path.name for path in out.iterdir()}
    figures = {f"{figure}.{end}" for figure in ("measures", "households") for end in ("png", "csv")}
    assert names == {"index.html", "compare.csv", "plotly.min.js"} | figures
    rows = list(csv.DictReader((out / "compare.csv").read_text().splitlines()))
    (row,) = (
        r for r in rows if (r["measure"], r["configuration"]) == (COMFORT, "exchange cooperative")
    )
    assert float(row["low"]) < float(row["mean"]) < float(row["high"])
    assert float(row["difference_low"]) > 0
    assert row["verdict"] == "better"
    assert "Better: comfort, exchanged" in result.output


def test_the_page_is_interactive_without_a_network(
    runs: dict[tuple[str, int], Path], tmp_path: Path
) -> None:
    """Its only script is in a file next to it; points have intervals, axes have units, and names
    have colours that colour-blind readers can distinguish."""
    configurations = read_configurations(list(runs.values()))
    lines = compare(configurations)
    page = write_comparison(configurations, lines, tmp_path).read_text()
    assert re.findall(r'src="([^"]*)"', page) == ["plotly.min.js", "measures.png", "households.png"]
    assert not re.findall(r'(?:href|src)="(?:https?:)?//', page)
    assert (tmp_path / "plotly.min.js").stat().st_size > 1_000_000
    measures, households = figures_of(page)
    comfort = [trace for trace in measures[0] if trace["xaxis"] == "x2"]
    exchanged = next(trace for trace in comfort if trace["name"] == "exchanged")
    by_measure = [line for line in lines if line.measure == COMFORT]
    assert exchanged["x"] == [line.mean for line in by_measure]
    reach = exchanged["error_x"]
    for line, down, up in zip(by_measure, reach["arrayminus"], reach["array"], strict=True):
        assert line.interval is not None
        assert line.interval.low == pytest.approx(line.mean - down)
        assert line.interval.high == pytest.approx(line.mean + up)
        assert f"{line.interval.low:.4g} to {line.interval.high:.4g}" in "".join(exchanged["text"])
    labels = [measures[1][f"xaxis{n}"]["title"]["text"] for n in ("", "2", "3")]
    assert ["(kWh²)" in labels[0], "(1: " in labels[1], "(kWh)" in labels[2]] == [True] * 3
    assert measures[1]["yaxis"]["ticktext"] == [own.name for own in configurations]
    assert [trace["line"]["color"] for trace in households[0]] == list(INKS[:3])
    assert "(%)" in households[1]["xaxis"]["title"]["text"]
    assert [len(trace["x"]) for trace in households[0]] == [30, 30, 30]


def figures_of(page: str) -> list[tuple[list[dict[str, Any]], dict[str, Any]]]:
    """Return the traces and the layout of each figure of a page."""
    found, decoder = [], json.JSONDecoder()
    for call in re.finditer(r"Plotly\.newPlot\(\s*\"[a-z]+\",\s*", page):
        traces, end = decoder.raw_decode(page, call.end())
        layout, _ = decoder.raw_decode(page, page.index("{", end))
        found.append((traces, layout))
    return found


def test_costs_of_different_kinds_are_not_compared(
    runs: dict[tuple[str, int], Path], tmp_path: Path
) -> None:
    simulate(SMALL, exchange="off", cost="std", seed=1).save(tmp_path / "std")
    configurations = read_configurations([tmp_path / "std", runs["off", 1]])
    lines = compare(configurations)
    assert [own.name for own in configurations] == ["cost std", "cost var"]
    assert not [line for line in lines if line.measure == INEFFICIENCY]
    page = write_comparison(configurations, lines, tmp_path / "out").read_text()
    assert "inefficiency of" not in page


def test_sweeps_are_compared_where_their_options_agree(tmp_path: Path) -> None:
    small = ["--demo", "true", "--households", "8", "--slots", "36", "--iterations", "3"]
    for rule, betas in (("mutual", "0,0.5"), ("cooperative", "0,0.5,1")):
        words = ["sweep", *small, "--beta", betas, "--exchange", rule, "--replications", "3"]
        words += ["--workers", "1", "--out", str(tmp_path / rule)]
        assert CliRunner().invoke(app, words).exit_code == 0
    folders = [tmp_path / "mutual", tmp_path / "cooperative"]
    configurations = read_configurations(folders)
    assert {own.name: own.reference for own in configurations} == {
        "beta 0, exchange mutual": None,
        "beta 0.5, exchange mutual": None,
        "beta 0, exchange cooperative": "beta 0, exchange mutual",
        "beta 0.5, exchange cooperative": "beta 0.5, exchange mutual",
        "beta 1, exchange cooperative": None,
    }
    by_measure = {(line.measure, line.configuration): line for line in compare(configurations)}
    for beta in ("0", "0.5"):
        assert by_measure[INEFFICIENCY, f"beta {beta}, exchange cooperative"].verdict == "the same"
        line = by_measure[COMFORT, f"beta {beta}, exchange cooperative"]
        assert line.difference is not None
        assert line.difference.runs == line.runs == 3
    table = pd.read_csv(folders[0] / "sweep.csv")
    alone = table[table["beta"] == 0.5]
    mean = by_measure[COMFORT, "beta 0.5, exchange mutual"].mean
    assert mean == pytest.approx(alone["exchanged_mean_comfort"].mean())
    shown = configurations[1].comfort()
    assert list(shown.share) == [5, 25, 50, 75, 95]
    assert shown.comfort[2] == pytest.approx(alone["exchanged_comfort_p50"].mean())
    words = ["compare", *map(str, folders), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    sentences = " ".join(result.output.split())
    assert (
        "beta 0.5, exchange cooperative, compared with beta 0.5, exchange mutual (3 pairs"
        in sentences
    )


def test_wrong_folders_are_refused(runs: dict[tuple[str, int], Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two or more different folders"):
        read_configurations([runs["off", 1], runs["off", 1]])
    simulate(SMALL, exchange="off", seed=1).save(tmp_path / "again")
    with pytest.raises(InputError, match="again: two runs of one configuration have the seed 1"):
        read_configurations([runs["off", 1], tmp_path / "again"])
    with pytest.raises(InputError, match="nowhere"):
        read_configurations([runs["off", 1], Path("nowhere")])
    words = ["sweep", "--demo", "true", "--households", "5", "--slots", "36", "--iterations", "2"]
    made = CliRunner().invoke(app, [*words, "--workers", "1", "--out", str(tmp_path / "sweep")])
    assert made.exit_code == 0, made.output
    with pytest.raises(InputError, match="off-1: this is the folder of a run, others are of sweep"):
        read_configurations([tmp_path / "sweep", runs["off", 1]])
