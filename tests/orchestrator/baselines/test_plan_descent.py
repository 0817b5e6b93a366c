"""Baselines for stage 1, compared with exhaustive search."""

import csv
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from agents.planning.costs import EXACT, cost_function
from agents.planning.tie_breaking import combined_cost
from orchestrator.api import simulate
from orchestrator.baselines.baseline_table import EQUAL_SHIFT, KEPT_KWH, VALUES
from orchestrator.baselines.plan_descent import (
    Choices,
    best_descent,
    descend,
    least_variance,
    objective,
    random_selection,
)
from orchestrator.cli import app
from orchestrator.results.run_results import RunResults
from protocol.vectors import Array

pytest.importorskip("clarabel", reason="the bound needs the extra `report`")
pytest.importorskip("scipy", reason="the bound needs the extra `report`")
COST = cost_function("var", None, "std", arithmetic=EXACT)


def small(seed: int, households: int = 5, plans: int = 3, slots: int = 12) -> Choices:
    chance = np.random.default_rng(seed)
    own = [chance.exponential(1.0, (plans, slots)) for _ in range(households)]
    return Choices(own, [np.abs(p - p[0]).mean(1) for p in own])


def everything(choices: Choices) -> list[float]:
    ranges = (range(len(plans)) for plans in choices.plans)
    return [float(COST(choices.demand(np.array(s)))) for s in product(*ranges)]


def relaxed(choices: Choices) -> float:
    """Return the optimum of the same relaxation by another method: shares as squares over their
    sum, and descent by BFGS."""
    from scipy.optimize import minimize

    plans = np.array(choices.plans)

    def variance(x: Array) -> float:
        weights = x.reshape(plans.shape[:2]) ** 2
        weights /= weights.sum(1, keepdims=True)
        return float(COST((weights[:, :, None] * plans).sum((0, 1))))

    start = np.ones(plans.shape[0] * plans.shape[1])
    return float(minimize(variance, start, tol=1e-12, options={"maxiter": 5000}).fun)


@pytest.mark.parametrize("seed", range(5))
def test_no_selection_is_below_the_bound_and_descent_is_near_the_best(seed: int) -> None:
    choices = small(seed)
    best = min(everything(choices))
    bound = least_variance(choices)
    assert 0 < bound <= best
    assert bound == pytest.approx(relaxed(choices), rel=1e-4)
    starts = [random_selection(choices, np.random.default_rng(n)) for n in range(20)]
    found = best_descent(choices, COST, 0.0, starts=starts, seed=seed)
    assert found.inefficiency == pytest.approx(best)
    assert found.inefficiency == float(COST(choices.demand(found.selection)))


def test_the_bound_is_reached_without_a_choice() -> None:
    choices = small(1, plans=1)
    assert least_variance(choices) == pytest.approx(everything(choices)[0], rel=1e-6)


def test_no_single_change_improves_the_end_of_a_descent() -> None:
    choices, chance = small(2, households=8), np.random.default_rng(2)
    ended = descend(choices, COST, 0.3, start=random_selection(choices, chance), chance=chance)
    total = choices.demand(ended.selection)
    for plans, own, now in zip(choices.plans, choices.discomforts, ended.selection, strict=True):
        costs = 0.7 * COST(total - plans[now] + plans) + 0.3 / 8 * own
        assert costs[now] <= costs.min() * (1 + 1e-9)


def test_the_objective_is_the_cost_of_stage_1() -> None:
    choices, chance = small(4), np.random.default_rng(4)
    selection = random_selection(choices, chance)
    own = np.array([each[s] for each, s in zip(choices.discomforts, selection, strict=True)])
    spread, total, squares = COST(choices.demand(selection)), own.sum(), (own**2).sum()
    cost = combined_cost(spread, total, squares, 5, (0.0, 0.3), EXACT)
    assert objective(choices, COST, 0.3, selection=selection) == pytest.approx(float(cost))


def test_selfish_households_take_their_preferred_plan() -> None:
    choices, chance = small(3), np.random.default_rng(3)
    ended = descend(choices, COST, 1.0, start=random_selection(choices, chance), chance=chance)
    assert (ended.selection == 0).all()


def summed_squares(run: RunResults) -> float:
    """Return the summed squared deviation after stage 2, kWh^2."""
    return run.slots * sum((row.discomfort_exchanged or 0.0) ** 2 for row in run.rows)


def test_the_command_compares_a_run_with_baselines(tmp_path: Path) -> None:
    words = ["--demo", "--households", "12", "--slots", "36", "--iterations", "8"]
    result = CliRunner().invoke(
        app, ["baselines", *words, "--exact-seconds", "1", "--out", str(tmp_path)]
    )
    assert result.exit_code == 0, result.output
    lines = list(csv.DictReader((tmp_path / "baselines.csv").read_text().splitlines()))
    rows = {line["name"]: line for line in lines}
    run = simulate(demo=True, households=12, slots=36, iterations=8).results
    assert run.exchanged is not None
    assert run.bound is not None
    assert float(rows["coflex (I-EPOS)"]["inefficiency"]) == run.planned.inefficiency
    assert float(rows["coflex, mutual"]["comfort"]) == run.exchanged.mean_comfort
    bound = float(rows[VALUES]["comfort"])
    assert bound == pytest.approx(run.bound.mean_comfort)
    best = float(rows["best assignment, nobody loses at any slot"]["comfort"])
    assert run.planned.mean_comfort < min(run.exchanged.mean_comfort, best)
    assert max(run.exchanged.mean_comfort, best) <= bound
    # Each content ends above the bound of what it may do; bundles may lose at a slot.
    kept = rows[f"best assignment, nobody ends worse, own energy within {KEPT_KWH:g} kWh"]
    assert float(kept["bound"]) <= summed_squares(run)
    slots = simulate(demo=True, households=12, slots=36, iterations=8, content="slot").results
    lossless = rows["best assignment, nobody loses at any slot"]
    assert slots.exchanged is not None
    assert slots.planned.mean_comfort < slots.exchanged.mean_comfort <= best
    assert float(lossless["objective"]) <= summed_squares(slots)
    assert run.exchange is not None
    amounts = rows[EQUAL_SHIFT]
    assert float(amounts["comfort"]) == pytest.approx(run.exchange.comfort_bound_of_amounts)
    assert bound < float(amounts["comfort"])
    assert float(amounts["unfairness"]) == pytest.approx(0, abs=1e-12)
    assert float(amounts["max_energy_drift"]) < 1e-4
    day = rows["best assignment, nobody ends worse"]
    assert day["households_worse"] == "0"
    assert float(day["objective"]) >= float(day["bound"]) == float(rows[VALUES]["objective"])
    relaxed = [line for line in lines if line["stage"] == "exchange" and float(line["gap"] or 0)]
    assert len(relaxed) == 2
    for line in relaxed:
        assert f"{line['name']}: summed squared deviation" in result.output
    least = float(rows["no selection below"]["inefficiency"])
    for line in lines:
        if line["stage"] == "planning":
            assert least <= float(line["inefficiency"])
    preferred = rows["everyone's preferred plan"]
    assert float(preferred["comfort"]) == 1
    assert float(preferred["unfairness"]) == 0
