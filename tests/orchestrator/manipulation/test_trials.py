"""Trials of lies: honest outcomes are those of a simulated run, truth pays under `ttc`, and the
result depends on the seed alone."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from orchestrator.cli import app
from orchestrator.manipulation.lies import CASES, Case, Lie
from orchestrator.manipulation.stage_two import Start, outcome
from orchestrator.manipulation.summary import price_of_truth, summarise
from orchestrator.manipulation.trials import Trial, Tried, run_trials, start_of
from orchestrator.scenario.settings import RunSettings
from protocol.errors import InputError
from tests.support.settings import in_simulation

SETTINGS = RunSettings.model_validate(
    {"demo": True, "households": 6, "slots": 24, "iterations": 4, "seed": 3}
)
TTC = Case("ttc", "slot")


@pytest.fixture(scope="module")
def start() -> Start:
    return start_of(SETTINGS, CASES)


@pytest.mark.parametrize(
    "case", [Case("mutual", "slot"), TTC, Case("mutual", "bundle")], ids=lambda case: case.name
)
def test_honesty_ends_as_a_simulated_run_does(start: Start, case: Case) -> None:
    options = {"exchange": case.rule, "content": case.content}
    rows = in_simulation(SETTINGS.model_copy(update=options)).rows
    found = start.discomforts(outcome(start, case))
    assert [row.household for row in rows] == list(start.households)
    assert found.tolist() == pytest.approx([row.discomfort_exchanged for row in rows], abs=1e-12)


@pytest.mark.parametrize("case", CASES[:-1], ids=lambda case: case.name)
def test_values_only_change_hands_whatever_is_said(start: Start, case: Case) -> None:
    lies = [Lie("wish, own slots", 2.0), Lie("withhold the most wanted")]
    if case.rule != "ttc":
        lies.append(Lie("give nothing"))
    for lie in lies:
        after = outcome(start, case, 1, lie)
        assert (np.sort(after, axis=0) == np.sort(start.schedules, axis=0)).all()


def test_who_withholds_a_slot_keeps_its_value(start: Start) -> None:
    after = outcome(start, TTC, 2, Lie("withhold the most wanted"))
    assert (after[2] == start.schedules[2]).sum() >= 12


def test_the_equal_shift_keeps_the_sum_and_is_beaten_by_who_knows_it(start: Start) -> None:
    case = Case("equal", "amounts")
    honest, lied = (outcome(start, case, 0, lie) for lie in (None, Lie("wish, against the shift")))
    for after in (honest, lied):
        assert after.sum(axis=0) == pytest.approx(start.schedules.sum(axis=0))
    assert start.discomforts(lied)[0] < start.discomforts(honest)[0] / 2


def test_under_ttc_no_lie_pays() -> None:
    (only,) = summarise(tried(2, random_lies=20))[0]
    assert only.tried == 2 * 6 * (10 + 20 + 3)
    assert only.profitable == 0
    assert only.hindsight_share == 0.0
    assert only.best.gain_share <= 0


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_under_ttc_none_of_many_lies_pays() -> None:
    """As many lies as COFLEX_LIES says, by default a few hundred, so that all tests stay short."""
    lies = int(os.environ.get("COFLEX_LIES", "600"))
    settings = RunSettings.model_validate(
        {"demo": True, "households": 10, "slots": 24, "iterations": 5}
    )
    random_lies = lies // 10
    found = run_trials(
        settings, [TTC], sample=10, replications=1, random_lies=random_lies, workers=1
    )
    (only,) = summarise(found)[0]
    assert only.tried >= lies
    assert only.profitable == 0


def tried(replications: int, *, random_lies: int = 2, workers: int = 1) -> list[Tried]:
    return run_trials(
        SETTINGS,
        [TTC],
        sample=6,
        replications=replications,
        random_lies=random_lies,
        workers=workers,
    )


def test_the_result_does_not_depend_on_the_workers() -> None:
    assert tried(1, workers=2) == tried(1)


def trial(household: str, lie: str, gain: float, cost: float) -> Trial:
    return Trial(TTC, 0, household, lie, gain, cost, honest_discomfort_kwh=0.5)


def test_the_summary_names_the_best_lie_and_its_price() -> None:
    found = [
        Tried((trial("a", "one", 0.1, 0.2), trial("a", "two", -0.1, 0.0)), TTC, 0, 0.8),
        Tried((trial("b", "one", 0.1, 0.4), trial("b", "two", 0.2, 0.0)), TTC, 0, 0.8),
        Tried((trial("c", "one", 0.1, 0.6), trial("c", "two", -0.5, 0.0)), TTC, 0, 0.8),
    ]
    (case,), (one, two) = summarise(found)
    assert case.best == one
    assert (case.tried, case.profitable) == (6, 4)
    assert case.comfort == pytest.approx(0.8)
    assert case.comfort_interval is None
    assert one.gain_share == pytest.approx(0.2)
    assert one.cost_kwh == pytest.approx(0.4)
    assert one.cost_kwh_interval is not None
    assert one.cost_kwh_interval.low < 0.4 < one.cost_kwh_interval.high
    assert (two.tried, two.profitable) == (3, 1)
    assert case.hindsight_share == pytest.approx((0.2 + 0.4 + 0.2) / 3)
    chart = price_of_truth([case])
    assert list(chart.table().columns["case"]) == ["ttc, slot"]
    assert chart.picture().svg


def test_the_command_writes_tables_and_a_figure(tmp_path: Path) -> None:
    out = tmp_path / "lies"
    small = ["--households", "4", "--slots", "12", "--iterations", "2", "--sample", "2"]
    command = ["manipulate", "--demo", *small, "--workers", "1", "--out", str(out)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    record = json.loads((out / "manipulation.json").read_text())
    assert [f"{case['rule']}, {case['content']}" for case in record["cases"]] == [
        case.name for case in CASES
    ]
    assert all(case.name in result.output for case in CASES)
    with (out / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(case["lies_tried"] for case in record["cases"])
    for name in ("lies.csv", "price_of_truth.svg", "price_of_truth.png", "price_of_truth.csv"):
        assert (out / name).stat().st_size


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--demo", "--rule", "ttc", "--content", "bundle"], "ttc does not exchange bundle"),
        ([], "either a data set or --demo"),
        (["--demo", "--dataset", "x"], "either a data set or --demo"),
    ],
)
def test_what_makes_no_sense_is_refused(options: list[str], message: str) -> None:
    result = CliRunner().invoke(app, ["manipulate", *options])
    assert isinstance(result.exception, InputError)
    assert message in str(result.exception)
