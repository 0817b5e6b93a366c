"""Targets with times, signals that become targets, and limits by slot, in runs of homes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import coflex
from orchestrator.scenario.supply import target_from_signal
from protocol.errors import InputError

SLOTS = 24
WASHER: dict[str, Any] = {
    **{"name": "washer", "kind": "cycle", "profile": [1.0], "tolerance_min": 60},
    **{"earliest": 0, "preferred": 8, "latest": 23},
}


@pytest.fixture
def homes(tmp_path: Path) -> Path:
    """Four homes with a washer each; a plan for each hour, and 8:00 preferred."""
    hours = [8, *(hour for hour in range(SLOTS) if hour != 8)]
    plans = [{"starts": {"washer": hour}} for hour in hours]
    own = {"base": [0.25] * SLOTS, "devices": [WASHER], "plans": plans}
    path = tmp_path / "homes.json"
    content = {
        "slots": SLOTS,
        "slot_minutes": 60,
        "homes": [{"id": f"h{n}", **own} for n in "0123"],
    }
    path.write_text(json.dumps(content))
    return path


def table(folder: Path, unit: str, amounts: list[Any]) -> Path:
    path = folder / "table.csv"
    lines = [f"{hour:02}:00,{amount}" for hour, amount in enumerate(amounts)]
    path.write_text("\n".join([f"time,{unit}", *lines]))
    return path


def run(homes: Path, **options: Any) -> Any:
    return coflex.simulate(dataset=homes, exchange="off", **options).results


def test_what_a_profile_leaves_is_made_flat(homes: Path, tmp_path: Path) -> None:
    sun = [1.0 if 11 <= hour < 15 else 0.0 for hour in range(SLOTS)]
    results = run(homes, target=table(tmp_path, "kw", sun))
    assert results.config["cost"] == "residual"
    assert results.demand.planned.tolist() == [1.0 + hour for hour in sun]
    assert results.planned.inefficiency == 0.0
    assert results.demand.target.tolist() == sun


def test_a_cost_that_people_choose_stays(homes: Path, tmp_path: Path) -> None:
    results = run(homes, target=table(tmp_path, "kwh", [1.0] * SLOTS), cost="sqr")
    assert results.config["cost"] == "sqr"


@pytest.mark.parametrize("signal", ["price", "co2"])
def test_a_signal_moves_energy_where_it_is_low(homes: Path, tmp_path: Path, signal: str) -> None:
    prices = [-20.0 if 11 <= hour < 15 else 60.0 for hour in range(SLOTS)]
    results = run(homes, target=table(tmp_path, signal, prices))
    assert results.demand.target.sum() == pytest.approx(28.0)
    assert results.demand.target[12] == pytest.approx(2 * results.demand.target[0])
    assert results.demand.planned[11:15].tolist() == [2.0] * 4


def test_the_cost_dot_takes_a_signal_as_it_is(homes: Path, tmp_path: Path) -> None:
    prices = [-20.0 if hour == 5 else 60.0 for hour in range(SLOTS)]
    results = run(homes, target=table(tmp_path, "price", prices), cost="dot")
    assert results.demand.planned[5] == 5.0
    assert results.planned.inefficiency == -20.0 * 5 + 60.0 * 23


def test_a_target_from_a_signal_keeps_the_energy_and_is_twice_as_high_at_the_least() -> None:
    target = target_from_signal(np.array([10.0, 20.0, 30.0]), 9.0)
    assert target.tolist() == [4.0, 3.0, 2.0]
    assert target_from_signal(np.full(3, 7.0), 9.0).tolist() == [3.0, 3.0, 3.0]


def test_only_those_that_take_part_count(homes: Path, tmp_path: Path) -> None:
    mandates = tmp_path / "mandates.toml"
    mandates.write_text("[h0]\ntake_part = false\n")
    results = run(homes, target=table(tmp_path, "price", [1.0] * SLOTS), mandates=mandates)
    assert results.demand.target.sum() == pytest.approx(21.0)


def test_limits_by_slot_come_before_any_cost(homes: Path, tmp_path: Path) -> None:
    most = [1.0 if hour < 22 else "" for hour in range(SLOTS)]
    results = run(homes, hard_plans=table(tmp_path, "max_kw", most))
    assert (results.demand.planned[:22] == 1.0).all()
    assert results.limits["preferred"].slots == 1
    assert results.limits["preferred"].kwh == 4.0
    assert results.limits["planned"].slots == 0
    assert np.isnan(results.demand.limit[22:]).all()
    assert (results.demand.limit[:22] == 1.0).all()


def test_results_with_limits_read_back(homes: Path, tmp_path: Path) -> None:
    most = [1.0 if hour < 22 else "" for hour in range(SLOTS)]
    outcome: Any = coflex.simulate(
        dataset=homes, exchange="off", hard_plans=table(tmp_path, "max_kw", most)
    )
    outcome.save(tmp_path / "out")
    found: Any = coflex.load_results(tmp_path / "out").results
    assert found.limits == outcome.results.limits
    assert np.array_equal(found.demand.limit, outcome.results.demand.limit, equal_nan=True)


def test_least_demands(homes: Path, tmp_path: Path) -> None:
    least = [4.0 if hour == 3 else "" for hour in range(SLOTS)]
    assert run(homes, hard_plans=table(tmp_path, "min_kwh", least)).demand.planned[3] == 4.0


@pytest.mark.parametrize(
    ("option", "header", "row", "reason"),
    [
        ("target", "kwh,price", "1,2", "one column beside time"),
        ("target", "max_kwh", "1", "no unit that is known here"),
        ("target", "kwh", "", "is empty"),
        ("hard_plans", "kwh", "1", "no unit that is known here"),
        ("hard_plans", "max_kwh,min_kw", "1,2", "the least is above the most"),
    ],
)
def test_what_does_not_fit_is_refused(
    homes: Path, tmp_path: Path, option: str, header: str, row: str, reason: str
) -> None:
    options = {option: table(tmp_path, header, [row] * SLOTS)}
    with pytest.raises(InputError, match=reason) as error:
        run(homes, **options)
    assert error.value.file == tmp_path / "table.csv"
