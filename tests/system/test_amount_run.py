"""Both stages in one run whose content is amounts, on the bus, with parts that are killed."""

import os
from pathlib import Path
from random import Random

import pytest

from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.settings import RunSettings
from tests.support.settings import in_simulation, on_bus
from tests.support.struck_runs import Strikes, homes_kept_their_promises
from tests.support.waiting import children_of


def settings(**options: object) -> RunSettings:
    usual = {"homes": 24, "seed": 3, "iterations": 4, "isolation": "task", "hosts": 3}
    return RunSettings.model_validate({**usual, **options})


def kept_and_improved(results: RunResults) -> None:
    """Check that energy only changed hands, and that nobody lost."""
    exchange = results.exchange
    assert exchange is not None
    assert exchange.conserved is True
    assert exchange.accepted > 0
    assert exchange.households_worse == 0
    assert exchange.max_energy_drift == 0.0


@pytest.mark.nats
@pytest.mark.parametrize("isolation", ["task", "process"])
def test_on_the_bus_as_in_simulation(isolation: str, tmp_path: Path) -> None:
    chosen = settings(isolation=isolation, homes=12, hosts=None if isolation == "process" else 2)
    results, reference = on_bus(chosen, run="amounts", kept=tmp_path), in_simulation(chosen)
    kept_and_improved(results)
    homes_kept_their_promises(chosen, tmp_path)
    assert results.rows == reference.rows
    assert children_of(os.getpid()) == []


@pytest.mark.nats
def test_feeders_on_the_bus_as_in_simulation(tmp_path: Path) -> None:
    places = "".join(f"h{number},{'ab'[number % 2]}\n" for number in range(12))
    (tmp_path / "feeders.csv").write_text(places)
    (tmp_path / "limits.csv").write_text("feeder,max_kw\na,12\nb,12\n")
    named = {"feeders": tmp_path / "feeders.csv", "feeder_limits": tmp_path / "limits.csv"}
    chosen = settings(homes=12, **named)
    results, reference = on_bus(chosen, run="feeders", kept=tmp_path), in_simulation(chosen)
    kept_and_improved(results)
    assert results.rows == reference.rows
    assert results.feeders == reference.feeders
    for day in (results.feeder_days or {}).values():
        assert day.exchanged is not None
        assert day.planned.tobytes() == day.exchanged.tobytes()


@pytest.mark.nats
@pytest.mark.parametrize("isolation", ["task", "process"])
def test_whatever_is_killed_every_home_can_follow_what_it_holds(
    isolation: str, tmp_path: Path
) -> None:
    with EmbeddedServer() as server:
        strikes = Strikes(server, ["host", "server", "matchmaker", "host"], Random(5))
        chosen = settings(
            isolation=isolation,
            homes=16,
            hosts=None if isolation == "process" else 3,
            nats=server.url,
        )
        results = on_bus(chosen, strikes.strike, run="struck", kept=tmp_path)
        assert len(strikes.pending) <= 1
    kept_and_improved(results)
    homes_kept_their_promises(chosen, tmp_path)
    assert children_of(os.getpid()) == []
