"""`coflex paper`: every figure has its data, and every claim has a verdict."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from orchestrator.api import simulate
from orchestrator.cli import app
from orchestrator.replication.figures import labels
from orchestrator.replication.measurements import comfort_after_some, knee, pareto
from orchestrator.replication.study_design import Design
from orchestrator.replication.verdict import TOO_FEW_RUNS, Claim, Criterion
from protocol.errors import InputError

for name in ("matplotlib", "plotly", "scipy", "kneed"):
    pytest.importorskip(name, reason="the evaluation needs the extra `report`")
FIGURES = (3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
CLAIMS, BEYOND, BY_THE_LETTER = 22, 2, 7
VERDICTS = ("holds", "differs", "not settled")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    out = tmp_path_factory.mktemp("paper")
    words = ["paper", "--quick", "--runs", "2", "--workers", "1", "--out", str(out)]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    return out, result.output


@pytest.mark.slow
def test_every_figure_has_its_picture_and_its_data(made: tuple[Path, str]) -> None:
    out, _ = made
    page = (out / "index.html").read_text()
    for number in FIGURES:
        name = f"1-figure-{number}"
        assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert len(list(csv.DictReader((out / f"{name}.csv").read_text().splitlines()))) > 1
        assert f"Figure {number}:" in page
        assert f'href="{name}.png"' in page
    assert page.count("Plotly.newPlot") == len(FIGURES)
    assert (out / "plotly.min.js").stat().st_size > 1_000_000
    assert "https://cdn" not in page
    assert "Table III" in page


@pytest.mark.slow
def test_every_claim_has_a_verdict_and_its_numbers(made: tuple[Path, str]) -> None:
    out, printed = made
    page = (out / "index.html").read_text()
    found = {verdict: len(re.findall(f"<td[^>]*>{verdict}</td>", page)) for verdict in VERDICTS}
    assert sum(found.values()) == CLAIMS + BEYOND + BY_THE_LETTER
    rows = list(csv.DictReader((out / "1-claims.csv").read_text().splitlines()))
    assert len({(row["of"], row["says"]) for row in rows}) == sum(found.values())
    for row in rows:
        assert row["mean"] != "nan" or row["measured"] == "knee, in 0 runs"
    # Two runs are too few for any verdict, and for an interval.
    assert found["not settled"] == sum(found.values())
    assert {row["low"] for row in rows} == {"nan"}
    assert " [" not in printed
    said = " ".join(printed.split())
    assert "22 claims of the paper were measured again: 0 hold, 0 differ and 22 are not " in said
    assert "because a verdict needs at least 3 runs. Page in" in said


@pytest.mark.parametrize(
    ("values", "low", "high", "verdict"),
    [
        ([0.61, 0.62, 0.63], 0.6, 0.65, "holds"),
        ([0.59, 0.61, 0.62, 0.6], 0.6, 0.65, "not settled"),
        ([0.5, 0.51, 0.52], 0.6, 0.65, "differs"),
        ([0.0, 0.0, 0.0], 0, 0, "holds"),
        ([1e-15, -1e-15, 0.0], 0, 0, "holds"),
        ([0.64], 0.6, 0.65, "not settled"),
        ([0.66], 0.6, 0.65, "not settled"),
        ([0.66, 0.67], 0.6, 0.65, "not settled"),
        ([float("nan")], 0.6, 0.65, "not settled"),
    ],
)
def test_a_verdict_depends_on_the_interval(
    values: list[float], low: float, high: float, verdict: str
) -> None:
    assert Criterion(what="share", values=values, low=low, high=high).verdict == verdict


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([0.5, 0.6], "share: 0.550"),
        ([0.0, 0.0, 0.0], "share: 0 in each run"),
        ([0.5, 0.5, 0.5], "share: 0.500 in each run"),
        ([0.0, 0.5, 1.0], "share: 0.500 [0, 1.000]"),
        ([float("nan")], "share: none"),
    ],
)
def test_an_interval_is_shown_only_if_there_is_one(values: list[float], text: str) -> None:
    assert Criterion("share", values).measured == text


def test_a_claim_says_why_it_is_not_settled() -> None:
    def reason(values: list[float]) -> str:
        claim = Claim(where="figure 1", says="it", criteria=[Criterion("a", values, 0)], why="b")
        return claim.reason

    assert reason([1.0, 1.0]) == TOO_FEW_RUNS
    assert reason([-1.0] * 3) == reason([float("nan")]) == "b"
    assert reason([1.0] * 3) == ""


def test_a_claim_is_as_good_as_its_weakest_criterion() -> None:
    good, bad = Criterion("a", [1.0] * 3, 0), Criterion("b", [-1.0] * 3, 0)
    assert Claim(where="figure 1", says="both", criteria=[good, good]).verdict == "holds"
    assert Claim(where="figure 1", says="both", criteria=[good, bad]).verdict == "differs"


@pytest.mark.slow
def test_finished_runs_are_not_repeated(made: tuple[Path, str]) -> None:
    out, _ = made
    before = {path: path.stat().st_mtime_ns for path in out.glob("runs/*/run.json")}
    assert len(before) > 20
    words = ["paper", "--quick", "--runs", "2", "--workers", "1", "--out", str(out)]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in out.glob("runs/*/run.json")} == before


def test_nothing_to_run_is_refused() -> None:
    with pytest.raises(InputError, match="give --dataset, or --households"):
        CliRunner().invoke(app, ["paper", "--households", "0"], catch_exceptions=False)


def test_runs_share_their_seeds_over_all_kinds() -> None:
    design = Design(None, 10, 3, betas=(0.0, 0.5))
    kinds = [design.over_beta(), design.cooperative(), design.over_size()]
    seeds = [{cell.settings.seed for cell in kind} for kind in kinds]
    assert seeds[0] == seeds[1] == seeds[2]
    assert len(seeds[0]) == 3


def test_a_run_does_not_depend_on_the_path_of_its_data() -> None:
    near, far = (
        Design(path, 10, 1, betas=(0.0,)).over_beta()[0].key
        for path in (Path("data"), Path("data").resolve())
    )
    assert near == far
    assert near != Design(Path("other"), 10, 1, betas=(0.0,)).over_beta()[0].key


def test_all_exchanges_together_give_the_comfort_of_the_run() -> None:
    run = simulate(
        demo=True, households=10, slots=36, iterations=5, trace=True, content="slot"
    ).results
    assert run.exchanges is not None
    assert run.exchanged is not None
    everything = len(run.exchanges)
    found = comfort_after_some(run, (0, everything // 2, everything), sets=2)
    assert found[0] == [pytest.approx(run.planned.mean_comfort)] * 2
    assert found[everything] == [pytest.approx(run.exchanged.mean_comfort)] * 2
    assert run.planned.mean_comfort < np.mean(found[everything // 2]) < run.exchanged.mean_comfort


def test_the_front_has_the_points_that_no_other_beats() -> None:
    points = [(1.0, 0.5), (2.0, 0.4), (2.0, 0.7), (3.0, 0.7), (0.5, 0.1)]
    assert [points[i] for i in pareto(points)] == [(0.5, 0.1), (1.0, 0.5), (2.0, 0.7)]


def test_the_knee_is_where_the_curve_bends() -> None:
    points = [(b / 10, 1.0 + b, 0.8 + 0.03 * b) for b in range(6)]
    points += [(b / 10, 6.0 + 20 * (b - 5), 0.95 + 0.001 * (b - 5)) for b in range(6, 11)]
    assert knee(points) == 0.5
    assert knee(points[:2]) is None


def test_points_close_to_one_another_share_a_label() -> None:
    runs = [0.0, 0.5, 0.9, 0.99, 1.0]
    assert labels(runs, [1.0, 1.05, 1.6, 3.0, 100.0]) == ["", "", "0 to 0.9", "0.99", "1"]
