"""`coflex paper`: every figure is there with its data, every claim has a verdict."""

import csv
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from orchestrator.api import simulate
from orchestrator.cli import app
from orchestrator.evaluation.design import Design
from orchestrator.evaluation.evidence import comfort_after_some, knee, pareto

for name in ("matplotlib", "plotly", "scipy", "kneed"):
    pytest.importorskip(name, reason="the evaluation needs the extra `report`")
FIGURES = (3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
CLAIMS = 14


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
def test_every_claim_has_a_verdict(made: tuple[Path, str]) -> None:
    out, told = made
    page = (out / "index.html").read_text()
    hold, differ = page.count("<td>holds</td>"), page.count("<td>differs</td>")
    assert hold + differ == CLAIMS
    assert f"{hold} of {CLAIMS} claims" in " ".join(told.split())


@pytest.mark.slow
def test_what_was_run_is_not_run_again(made: tuple[Path, str]) -> None:
    out, _ = made
    before = {path: path.stat().st_mtime_ns for path in out.glob("runs/*/run.json")}
    assert len(before) > 20
    words = ["paper", "--quick", "--runs", "2", "--workers", "1", "--out", str(out)]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in out.glob("runs/*/run.json")} == before


def test_runs_share_their_seeds_over_all_kinds() -> None:
    design = Design(None, 10, 3, sizes=(10,), betas=(0.0, 0.5))
    kinds = [design.over_beta("mutual"), design.over_beta("cooperative"), design.over_size()]
    seeds = [{cell.settings.seed for cell in kind} for kind in kinds]
    assert seeds[0] == seeds[1] == seeds[2]
    assert len(seeds[0]) == 3


def test_all_exchanges_together_give_the_comfort_of_the_run() -> None:
    run = simulate(
        demo=True, households=10, slots=36, iterations=5, trace=True, exchange_order="sequential"
    ).results
    assert run.exchanges is not None
    assert run.exchanged is not None
    everything = len(run.exchanges)
    found = comfort_after_some(run, (0, everything // 2, everything), sets=2)
    assert found[0] == [pytest.approx(run.planned.mean_comfort)] * 2
    assert found[everything] == [pytest.approx(run.exchanged.mean_comfort)] * 2
    assert run.planned.mean_comfort < np.mean(found[everything // 2]) < run.exchanged.mean_comfort


def test_the_front_keeps_what_nothing_beats() -> None:
    points = [(1.0, 0.5), (2.0, 0.4), (2.0, 0.7), (3.0, 0.7), (0.5, 0.1)]
    assert [points[i] for i in pareto(points)] == [(0.5, 0.1), (1.0, 0.5), (2.0, 0.7)]


def test_the_knee_is_where_the_curve_bends() -> None:
    points = [(b / 10, 10.0 ** (0.1 * b), 0.8 + 0.001 * b) for b in range(6)]
    points += [(b / 10, 10.0 ** (0.1 * b), 0.805 + 0.04 * (b - 5)) for b in range(6, 11)]
    assert knee(points) == 0.5
