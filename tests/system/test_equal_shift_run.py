"""A run whose stage 2 is an equal shift: on a bus, in simulation, and with some households out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from orchestrator.coordination.placement import Run
from orchestrator.reporting.wording import exchange_facts
from orchestrator.results.result_files import read, write
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.option_effects import without_effect
from orchestrator.scenario.scenario import read_scenario
from orchestrator.simulation.network import NetworkFaults
from orchestrator.simulation.simulator import simulate
from protocol.errors import InputError
from protocol.messages.equal_shift import UNIT_KWH
from tests.support.settings import in_simulation, on_bus, settings_of

SMALL: dict[str, object] = {
    **{"demo": True, "households": 14, "slots": 24, "iterations": 4, "seed": 5},
    **{"exchange": "equal"},
}


@pytest.fixture(scope="module")
def simulated() -> RunResults:
    return in_simulation(settings_of(SMALL))


def test_everybody_ends_equally_far_from_what_it_prefers(simulated: RunResults) -> None:
    assert simulated.exchanged is not None
    assert simulated.exchange is not None
    assert simulated.exchanged.unfairness < UNIT_KWH
    bound = simulated.exchange.comfort_bound_of_amounts
    assert simulated.exchanged.mean_comfort == pytest.approx(bound, abs=UNIT_KWH)
    assert simulated.exchange.bound_of == "amounts"
    assert simulated.exchange.share_of_bound == pytest.approx(1, abs=1e-5)
    assert simulated.bound is not None
    assert bound is not None
    assert simulated.bound.mean_comfort < bound
    assert simulated.exchange.messages == 2 * 13
    # Generated plans are whole numbers of UNIT_KWH, so the sums are exact.
    exchanged = simulated.demand.exchanged
    assert exchanged is not None
    assert (exchanged == simulated.demand.planned).all()


@pytest.mark.nats
@pytest.mark.parametrize(
    "layout",
    [{"isolation": "process"}, {"isolation": "task", "hosts": 3}, {"isolation": "subtree"}],
    ids=str,
)
def test_on_a_bus_the_result_is_that_of_the_simulation(
    simulated: RunResults, layout: dict[str, object]
) -> None:
    results = on_bus(settings_of(SMALL, layout))
    assert results.rows == simulated.rows
    assert results.exchange == simulated.exchange


def test_a_bad_network_changes_nothing(simulated: RunResults) -> None:
    faults = NetworkFaults(dropped=0.2, doubled=0.2, delay=(0.001, 0.1), seed=3)
    results = in_simulation(settings_of(SMALL, isolation="task", hosts=3), faults=faults)
    assert results.rows == simulated.rows


def test_households_that_do_not_exchange_keep_what_was_planned() -> None:
    results = in_simulation(settings_of(SMALL, participation=0.5))
    gains = np.array([row.comfort_gain for row in results.rows], dtype=np.float64)
    assert (gains == 0).sum() == 7
    away = [row.discomfort_exchanged for row in results.rows if row.comfort_gain != 0]
    assert len(away) == 7
    assert np.ptp(np.array(away, dtype=np.float64)) < UNIT_KWH


def test_the_summary_says_what_it_needs_and_whom_it_costs(
    simulated: RunResults, tmp_path: Path
) -> None:
    write(simulated, tmp_path)
    said = dict(exchange_facts(read(tmp_path)))
    assert "loads that can be divided at will" in said["rule"]
    assert said["below zero"] == "It asks nobody for negative consumption."
    assert "100.0% of what the bound of amounts allows" in said["comfort"]
    assert simulated.exchange is not None
    exchange = replace(simulated.exchange, households_worse=2, clipped_slots=3, clipped_kwh=0.5)
    said = dict(exchange_facts(replace(simulated, exchange=exchange)))
    assert said["worse off"].endswith("An equal shift asks nobody for consent.")
    assert said["below zero"].startswith("At 3 of 336 household-slots")
    assert "the demand would rise by as much" in said["below zero"]


def test_options_of_exchanges_between_pairs_have_no_effect() -> None:
    chosen = settings_of(SMALL, disclose="value", min_gain=0.5, matchmakers=2, trace=True)
    reasons = without_effect(chosen, "simulate")
    assert set(reasons) == {"disclose", "min_gain", "matchmakers", "trace"}
    assert set(reasons.values()) == {"no pairs exchange with --exchange equal"}
    assert without_effect(settings_of(SMALL, participation=0.5), "simulate") == {}


def test_sums_that_could_not_be_exact_are_refused(tmp_path: Path) -> None:
    for household in range(3):
        plan = tmp_path / f"agent_{household}.plans"
        plan.write_text("1:4e9,1\n0.5:1,4e9\n")
    settings = settings_of(dataset=tmp_path, exchange="equal", score="preference")
    with pytest.raises(InputError, match="an equal shift adds up to"):
        simulate(Run("r", read_scenario(settings, "simulation")))
