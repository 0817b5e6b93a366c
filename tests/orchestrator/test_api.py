"""coflex from Python."""

import dataclasses
import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orchestrator.api import Outcome, Scenario, load_results, run, simulate
from orchestrator.results.result_files import HOUSEHOLDS, ITERATIONS
from orchestrator.scenario.settings import RunSettings
from protocol.errors import InputError
from tests.support.paths import ROOT

pd = pytest.importorskip("pandas", reason="frames are part of the extra `report`")
SMALL = Scenario(demo=True, households=8, slots=36, iterations=5, beta=0.1)


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return simulate(SMALL, trace=True, content="slot")


def test_frames_have_the_values_of_the_results(outcome: Outcome) -> None:
    results = outcome.results
    measures = outcome.measures
    assert list(measures.index) == ["preferred", "planned", "exchanged", "bound"]
    assert measures.loc["planned", "inefficiency"] == results.planned.inefficiency
    households = outcome.households
    assert list(households.index) == [row.household for row in results.rows]
    gains = households["discomfort_planned"] - households["discomfort_exchanged"]
    np.testing.assert_allclose(households["comfort_gain"], gains, atol=1e-12)
    assert len(outcome.iterations) == 5
    assert outcome.demand["planned"].sum() == pytest.approx(outcome.demand["exchanged"].sum())
    assert results.exchange is not None
    assert outcome.rounds["accepted"].sum() == results.exchange.accepted == len(outcome.exchanges)


def test_saved_results_load_as_they_were(outcome: Outcome, tmp_path: Path) -> None:
    outcome.save(tmp_path / "out")
    again = load_results(str(tmp_path / "out"))
    for name in ("measures", "households", "iterations", "demand", "rounds", "exchanges"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(outcome, name))
    assert again.results.rows == outcome.results.rows


def test_a_run_without_stage_2_has_no_columns_for_it() -> None:
    alone = simulate(SMALL, exchange="off")
    assert "comfort_gain" not in alone.households
    assert alone.rounds.empty
    with pytest.raises(ValueError, match="run it with trace=True"):
        _ = alone.exchanges


@pytest.mark.nats
def test_on_the_bus_it_is_the_same_as_in_simulation(outcome: Outcome, tmp_path: Path) -> None:
    live = run(SMALL, trace=True, content="slot", isolation="task", hosts=2)
    live.save(tmp_path / "live")
    outcome.save(tmp_path / "simulated")
    for name in (HOUSEHOLDS, ITERATIONS):
        files = [tmp_path / where / name for where in ("live", "simulated")]
        assert files[0].read_bytes() == files[1].read_bytes()


def test_wrong_options_are_refused() -> None:
    wrong: Any = {"demo": True, "betta": 1}
    with pytest.raises(InputError, match="--betta"):
        simulate(**wrong)
    with pytest.raises(InputError, match=r"nowhere"):
        load_results("nowhere")


def test_everything_public_is_documented() -> None:
    public = [simulate, run, load_results, Outcome]
    public += [value.fget for value in vars(Outcome).values() if isinstance(value, property)]
    assert all(inspect.getdoc(thing) for thing in public)
    assert {field.name for field in dataclasses.fields(Outcome)} == {"results"}
    assert all(field.description for field in RunSettings.model_fields.values())


def test_the_examples_on_the_page_work() -> None:
    page = ROOT / "docs" / "experiments.md"
    pytest.importorskip("matplotlib", reason="drawing is part of the extra `report`")
    code = page.read_text().split("```python\n")[1].split("```")[0]
    shown: dict[str, object] = {}
    exec(compile(code.replace("households=50", "households=6, slots=36"), page, "exec"), shown)
    same = shown["same"]
    assert isinstance(same, Outcome)
    assert same.results.exchange is not None
