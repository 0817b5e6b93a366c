"""Sealed leases in simulation: the same exchanges as without seals, whatever is exchanged."""

import pytest

from orchestrator.coordination.placement import Run
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation.simulator import simulate

FEW = {"demo": True, "households": 12, "slots": 24, "iterations": 4, "seed": 5, "trace": True}
HOMES = {"homes": 8, "iterations": 3, "seed": 3, "trace": True}


def simulated(options: dict[str, object], secret: bytes | None) -> RunResults:
    settings = RunSettings.model_validate(options)
    return simulate(Run("r", read_scenario(settings, "simulation")), secret=secret)


@pytest.mark.parametrize(
    "options",
    [
        {**FEW, "content": "slot", "exchange_order": "waves"},
        {**FEW, "content": "slot", "exchange_order": "concurrent", "matchmakers": 2},
        {**FEW, "content": "bundle", "matchmakers": 2},
        {**FEW, "content": "bundle", "matchmakers": 0},
        {**FEW, "content": "bundle", "exchange_every": 2},
        HOMES,
    ],
    ids=["waves", "concurrent", "bundles", "no matchmaker", "loops", "amounts"],
)
def test_sealed_leases_change_no_exchange(options: dict[str, object]) -> None:
    plain, sealed = (simulated(options, secret) for secret in (None, bytes(range(32))))
    assert plain.exchanges
    assert sealed.exchanges == plain.exchanges
    assert sealed.rows == plain.rows
    assert sealed.bus is not None
    assert sealed.bus.dropped == 0
