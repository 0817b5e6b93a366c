"""The exact search for the best selection, compared with exhaustive search."""

import csv
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from agents.planning.costs import EXACT, cost_function
from orchestrator.baselines import plan_exact_search as exact
from orchestrator.baselines.plan_descent import (
    Choices,
    Selection,
    best_descent,
    least_variance,
    objective,
    random_selection,
)
from orchestrator.cli import app

pytest.importorskip("clarabel", reason="the bound needs the extra `report`")
pytest.importorskip("pyscipopt", reason="the search needs the extra `report`")
pytest.importorskip("scipy", reason="the search needs the extra `report`")
COST = cost_function("var", None, "std", arithmetic=EXACT)
STATEMENTS = pytest.mark.parametrize("few", [0.1, 1e99], ids=["squares", "products"])


def small(seed: int, households: int = 5, plans: int = 4, slots: int = 6) -> Choices:
    chance = np.random.default_rng(seed)
    own = [chance.exponential(1.0, (plans, slots)) for _ in range(households)]
    return Choices(own, [np.abs(p - p[0]).mean(1) for p in own])


def everything(choices: Choices) -> list[Selection]:
    return [np.array(s, np.intp) for s in product(*(range(len(own)) for own in choices.plans))]


def descended(choices: Choices, beta: float, starts: int = 1) -> Selection:
    chance = np.random.default_rng(0)
    begins = [random_selection(choices, chance) for _ in range(starts)]
    return best_descent(choices, COST, beta, starts=begins, seed=0).selection


@STATEMENTS
@pytest.mark.parametrize("slots", [6, 24], ids=["plans-many", "plans-few"])
@pytest.mark.parametrize("beta", [0.0, 0.3, 1.0])
def test_no_selection_is_better_than_the_one_found(
    few: float, slots: int, beta: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact, "FEW", few)
    for seed in range(2):
        choices = small(seed, slots=slots)
        values = [objective(choices, COST, beta, selection=s) for s in everything(choices)]
        worst = everything(choices)[int(np.argmax(values))]
        found = exact.best_selection(choices, beta, worst, seconds=60)
        assert found.proven
        assert found.gap == 0
        assert found.objective == pytest.approx(min(values), rel=2e-5)
        assert found.objective == objective(choices, COST, beta, selection=found.selection)


@pytest.mark.parametrize("slots", [6, 24], ids=["plans-many", "plans-few"])
def test_sums_of_squares_are_the_objective_of_every_selection(slots: int) -> None:
    choices = small(7, slots=slots)
    problem = exact.Problem.of(choices, 0.3)
    rows, linear, constant = problem.squares()
    for selection in everything(choices)[::50]:
        x = problem.selected(selection)
        stated = ((rows @ x) ** 2).sum() + linear @ x + constant
        assert stated == pytest.approx(objective(choices, COST, 0.3, selection=selection))


@STATEMENTS
def test_the_time_ends_the_search_with_a_bound_and_a_selection(
    few: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact, "FEW", few)
    choices = small(3, households=12, plans=8, slots=48)
    start = descended(choices, 0.0)
    least = least_variance(choices)
    for seconds in (1e-9, 0.5):
        found = exact.best_selection(choices, 0.0, start, seconds=seconds, least=least)
        assert not found.proven
        assert least <= found.bound < found.objective
        assert 0 < found.gap < 1
        assert found.objective <= objective(choices, COST, 0.0, selection=start)
    assert found.bound <= objective(
        choices, COST, 0.0, selection=descended(choices, 0.0, starts=50)
    )


@STATEMENTS
def test_small_units_and_flat_demand_make_no_difference(
    few: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact, "FEW", few)
    choices = small(4)
    tiny = Choices([own * 1e-4 for own in choices.plans], choices.discomforts)
    values = [objective(tiny, COST, 0.0, selection=s) for s in everything(tiny)]
    found = exact.best_selection(tiny, 0.0, np.zeros(5, np.intp), seconds=60)
    assert found.objective == pytest.approx(min(values), rel=2e-5)
    # The last household can make the demand of one selection flat.
    others = np.sum([own[2] for own in choices.plans[:-1]], axis=0)
    filling = np.concatenate([choices.plans[-1], [others.max() - others]])
    flat = Choices([*choices.plans[:-1], filling], [*choices.discomforts[:-1], np.zeros(5)])
    found = exact.best_selection(flat, 0.0, np.zeros(5, np.intp), seconds=60)
    assert found.proven
    assert found.selection.tolist() == [2, 2, 2, 2, 4]
    assert found.objective < 1e-25
    # No search is needed if nothing can be better.
    assert exact.best_selection(
        flat, 0.0, found.selection, seconds=60, least=found.objective
    ).proven


@STATEMENTS
def test_households_with_one_plan_have_no_choice(
    few: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact, "FEW", few)
    found = exact.best_selection(small(6, plans=1), 0.1, np.zeros(5, np.intp), seconds=60)
    assert found.proven
    assert found.selection.tolist() == [0] * 5


def test_the_search_is_the_same_each_time() -> None:
    choices = small(5, households=6, plans=5)
    first, second = (
        exact.best_selection(choices, 0.2, np.zeros(6, np.intp), seconds=60) for _ in "ab"
    )
    assert first.selection.tolist() == second.selection.tolist()


def test_the_command_reports_the_proven_bound(tmp_path: Path) -> None:
    def lines(*further: str) -> tuple[str, dict[str, dict[str, str]]]:
        words = ["--demo", "--households", "4", "--slots", "36", "--iterations", "4", *further]
        result = CliRunner().invoke(app, ["baselines", *words, "--out", str(tmp_path)])
        assert result.exit_code == 0, result.output
        rows = csv.DictReader((tmp_path / "baselines.csv").read_text().splitlines())
        return result.output, {row["name"]: row for row in rows}

    output, found = lines("--exact-seconds", "60", "--beta", "0.1")
    best = found["exact search (SCIP)"]
    assert best["bound"] == best["objective"]
    assert float(best["gap"]) == 0
    assert f"no selection below {float(best['bound']):.4g} (proven optimal)" in output
    assert float(best["inefficiency"]) >= float(found["no selection below"]["inefficiency"])
    for line in found.values():
        if line["stage"] == "planning" and line["objective"]:
            assert float(line["objective"]) >= float(best["bound"]) * (1 - 2e-5)
    assert float(found["coflex (I-EPOS)"]["objective"]) > 0
    output, found = lines("--exact-seconds", "0")
    assert "exact search (SCIP)" not in found
    assert "proven" not in output
