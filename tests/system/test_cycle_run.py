"""Both stages in one run under the rule `ttc`, in simulation and on the bus."""

import os
from pathlib import Path
from random import Random

import numpy as np
import pytest

from agents.exchange.journal.explanation import explain, negotiation_sentence, sentences
from agents.exchange.journal.sqlite import SqliteJournal
from agents.exchange.stage import remembered
from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.reporting.wording import exchange_facts
from orchestrator.results.result_files import JOURNALS_FOLDER, read, write
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation.network import NetworkFaults
from protocol.errors import InputError
from tests.support.settings import in_simulation, on_bus
from tests.support.struck_runs import Strikes, held_by_journals
from tests.support.waiting import children_of

SMALL = {"demo": True, "households": 16, "slots": 32, "iterations": 8, "seed": 2}


def settings(**options: object) -> RunSettings:
    return RunSettings.model_validate(
        {**SMALL, "isolation": "task", "hosts": 2, "exchange": "ttc", **options}
    )


def kept_and_improved(results: RunResults) -> None:
    """Check that there were trades, that values only changed hands, and that nobody lost."""
    exchange = results.exchange
    assert exchange is not None
    assert exchange.conserved is True
    assert exchange.households_worse == 0
    assert 0 < exchange.accepted == exchange.proposals == exchange.matches < exchange.lookups
    assert results.exchanged is not None
    assert results.exchanged.mean_discomfort < results.planned.mean_discomfort


def test_hosts_matchmakers_and_faults_change_nothing() -> None:
    reference = in_simulation(settings())
    kept_and_improved(reference)
    faults = NetworkFaults(dropped=0.1, doubled=0.1, delay=(0.0, 0.05), seed=3)
    others: list[dict[str, object]] = [
        {"isolation": "process"},
        {"isolation": "subtree", "hosts": 3},
        {"matchmakers": 3},
    ]
    for options in others:
        other = in_simulation(settings(deadline=3600, **options), faults=faults)
        assert other.rows == reference.rows


@pytest.mark.nats
def test_on_the_bus_as_in_simulation(tmp_path: Path) -> None:
    chosen = settings(households=12)
    results, reference = on_bus(chosen, run="cycles"), in_simulation(chosen)
    kept_and_improved(results)
    assert results.rows == reference.rows
    write(results, tmp_path)
    assert read(tmp_path).exchange == results.exchange
    assert dict(exchange_facts(results))["rule"] == "ttc, top trading cycles by slot"
    assert children_of(os.getpid()) == []


@pytest.mark.nats
def test_whatever_is_killed_all_trades_are_made(tmp_path: Path) -> None:
    with EmbeddedServer() as server:
        strikes = Strikes(server, ["matchmaker", "host", "server"], Random(1))
        chosen = settings(households=20, hosts=3, nats=server.url)
        results = on_bus(chosen, strikes.strike, run="struck", kept=tmp_path)
        assert len(strikes.pending) <= 1
    kept_and_improved(results)
    assert results.rows == in_simulation(settings(households=20, hosts=3)).rows
    assert children_of(os.getpid()) == []
    before, after = held_by_journals(tmp_path)
    assert len(before) == 20
    assert (np.sort(before, axis=0) == np.sort(after, axis=0)).all()


def test_a_household_is_told_of_its_trades(tmp_path: Path) -> None:
    in_simulation(settings(), kept=tmp_path)
    (file,) = (tmp_path / JOURNALS_FOLDER).glob("host-1.sqlite")
    for entries in SqliteJournal(file).entries().values():
        explanation = explain([entry for entry in remembered(entries) if entry.kind != "planned"])
        trades = explanation.exchanges
        assert any(
            f"traded in cycles at {len(trades)} slot" in said for said in sentences(explanation)
        )
        assert {record.slot for record in trades} == {change.slot for change in explanation.changes}
        for record in trades:
            assert "traded in a cycle" in negotiation_sentence(record, explanation.household)


@pytest.mark.parametrize(
    ("mandate", "message"),
    [
        ('rule = "mutual"', "for all households"),
        ("tolerance = 0.1", "no tolerance"),
        ("energy_drift = 1.0", "cannot keep it"),
    ],
)
def test_a_mandate_that_cycles_cannot_keep_is_refused(
    tmp_path: Path, mandate: str, message: str
) -> None:
    file = tmp_path / "mandates.toml"
    file.write_text(f"[h3]\n{mandate}\n")
    with pytest.raises(InputError, match=message) as refused:
        read_scenario(settings(mandates=file))
    assert str(file) in str(refused.value)
    read_scenario(settings(mandates=file, exchange="cooperative", content="slot"))


def test_no_household_trades_in_cycles_alone(tmp_path: Path) -> None:
    file = tmp_path / "mandates.toml"
    file.write_text('[h3]\nrule = "ttc"\n')
    with pytest.raises(InputError, match="all households or none"):
        read_scenario(settings(mandates=file, exchange="mutual"))


def test_bundles_are_not_traded_in_cycles() -> None:
    with pytest.raises(InputError, match="single slots"):
        read_scenario(settings(content="bundle"))
