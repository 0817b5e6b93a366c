"""`coflex compare`: which runs belong together, what differs, and what may be concluded."""

import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator.api import simulate
from orchestrator.cli import app
from orchestrator.experiments.compare import compare, conclusion, read_sides
from protocol.errors import InputError

pytest.importorskip("scipy", reason="comparisons need the extra `report`")
pytest.importorskip("matplotlib", reason="figures need the extra `report`")
SMALL = {"demo": True, "households": 10, "slots": 36, "iterations": 4}
INEFFICIENCY, COMFORT = "inefficiency, planned", "comfort, exchanged"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], Path]:
    folder = tmp_path_factory.mktemp("runs")
    made = {}
    for rule in ("mutual", "cooperative", "off"):
        for seed in (1, 2, 3):
            made[rule, seed] = folder / f"{rule}-{seed}"
            simulate(**SMALL, exchange=rule, seed=seed).save(made[rule, seed])
    return made


def test_runs_of_one_configuration_are_one_side(runs: dict[tuple[str, int], Path]) -> None:
    mutual, cooperative = read_sides([p for (rule, _), p in runs.items() if rule != "off"])
    assert (mutual.name, cooperative.name) == ("exchange mutual", "exchange cooperative")
    assert [run.seed for run in mutual.runs] == [1, 2, 3]
    told = {(line.measure, line.side): line for line in compare([mutual, cooperative])}
    same = told[INEFFICIENCY, cooperative.name]
    assert same.apart is not None
    assert (same.apart.mean, same.apart.low, same.apart.high) == (0, 0, 0)  # stage 1 is the same
    better = told[COMFORT, cooperative.name]
    assert better.apart is not None
    assert better.apart.low > 0
    assert better.apart.runs == 3
    assert better.apart.mean == pytest.approx(better.mean - told[COMFORT, mutual.name].mean)
    assert told[COMFORT, mutual.name].apart is None
    assert "95 %" in conclusion([mutual, cooperative])


def test_one_run_a_side_concludes_nothing(runs: dict[tuple[str, int], Path]) -> None:
    sides = read_sides([runs["mutual", 1], runs["off", 1]])
    lines = compare(sides)
    assert all(line.spread is None and line.apart is None for line in lines)
    assert "nothing is concluded" in conclusion(sides)
    assert {line.side for line in lines if line.measure == COMFORT} == {"exchange mutual"}


def test_pairs_are_runs_with_the_same_seed(runs: dict[tuple[str, int], Path]) -> None:
    sides = read_sides([runs["mutual", 1], runs["mutual", 2], runs["cooperative", 3]])
    assert all(line.apart is None for line in compare(sides))


def test_the_command_writes_page_figures_and_table(
    runs: dict[tuple[str, int], Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    folders = [str(path) for path in runs.values()]
    result = CliRunner().invoke(app, ["compare", *folders, "--out", str(out)])
    assert result.exit_code == 0, result.output
    names = {path.name for path in out.iterdir()}
    figures = {f"{figure}.{end}" for figure in ("measures", "households") for end in ("png", "csv")}
    assert names == {"index.html", "compare.csv"} | figures
    rows = list(csv.DictReader((out / "compare.csv").read_text().splitlines()))
    (row,) = (r for r in rows if (r["measure"], r["side"]) == (COMFORT, "exchange cooperative"))
    assert float(row["low"]) < float(row["mean"]) < float(row["high"])
    assert float(row["difference_low"]) > 0
    page = (out / "index.html").read_text()
    assert "exchange cooperative" in page
    assert "95 % bootstrap intervals" in page


def test_wrong_folders_are_said(runs: dict[tuple[str, int], Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two or more different folders"):
        read_sides([runs["off", 1], runs["off", 1]])
    simulate(**SMALL, exchange="off", seed=1).save(tmp_path / "again")
    with pytest.raises(InputError, match="two runs of one configuration have the seed 1"):
        read_sides([runs["off", 1], tmp_path / "again"])
    with pytest.raises(InputError, match="nowhere"):
        read_sides([runs["off", 1], Path("nowhere")])
