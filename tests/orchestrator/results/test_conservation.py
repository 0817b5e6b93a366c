"""A run whose exchange has lost or doubled a value fails."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from orchestrator.cli import run as run_command
from orchestrator.results.conservation import conserved, require_conserved
from orchestrator.results.result_files import read
from orchestrator.results.run_results import Demand, RunResults
from orchestrator.scenario.settings import RunSettings
from protocol.errors import RunError
from tests.support.sample_results import sample_results


def broken() -> RunResults:
    """Return results in which 0.5 kWh were lost at slot 3."""
    results = sample_results(exchange=True)
    assert results.exchange is not None
    after = results.demand.planned.copy()
    after[3] -= 0.5
    return replace(
        results,
        exchange=replace(results.exchange, conserved=False),
        demand=replace(results.demand, exchanged=after),
    )


def test_rounding_is_no_loss() -> None:
    before = np.array([100.0, 0.0])
    assert conserved(before, before + np.array([1e-10, -1e-10]))
    assert not conserved(before, before + np.array([0.0, 1e-6]))
    assert conserved(np.zeros(2), np.zeros(2))


def test_a_lost_value_is_named_with_its_slot() -> None:
    with pytest.raises(RunError, match=r"slot 3 add up to .* kWh, 0.5 kWh less than before"):
        require_conserved(broken())


def test_what_one_feeder_gave_to_another_is_named_with_its_feeder() -> None:
    results = broken()
    planned = results.demand.planned
    gave = planned.copy()
    gave[5] -= 2.0
    days = {
        "north": Demand(planned=planned, exchanged=planned),
        "south": Demand(planned=planned, exchanged=gave),
    }
    with pytest.raises(RunError, match=r"slot 5 and feeder south add up to .* 2 kWh less"):
        require_conserved(replace(results, feeder_days=days))


def test_other_runs_pass() -> None:
    require_conserved(sample_results(exchange=True))
    require_conserved(sample_results(exchange=False))


def test_the_command_writes_the_results_and_fails(tmp_path: Path) -> None:
    settings = RunSettings.model_validate({"demo": True, "out": tmp_path / "out"})
    with pytest.raises(RunError, match=f"not use these results in {tmp_path / 'out'}"):
        run_command._finish(broken(), settings)
    exchange = read(tmp_path / "out").exchange
    assert exchange is not None
    assert exchange.conserved is False
