"""Both stages in one run whose content is bundles, in simulation and on the bus."""

import os
from pathlib import Path
from random import Random

import numpy as np
import pytest

from agents.exchange.journal.explanation import explain, sentences
from agents.exchange.journal.sqlite import SqliteJournal
from agents.exchange.stage import remembered
from matchmaker.pairing_matchmaker import PairingMatchmaker
from orchestrator.distributed.embedded_server import EmbeddedServer
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
DRIFT = 0.05


def settings(**options: object) -> RunSettings:
    return RunSettings.model_validate(
        {**SMALL, "isolation": "task", "hosts": 2, "content": "bundle", **options}
    )


def kept_and_improved(results: RunResults) -> None:
    """Check that values only changed hands, within the cap, and that nobody lost."""
    exchange = results.exchange
    assert exchange is not None
    assert exchange.conserved is True
    assert exchange.accepted > 0
    assert exchange.households_worse == 0
    assert 0 < exchange.max_energy_drift <= DRIFT
    assert results.exchanged is not None
    assert results.exchanged.mean_discomfort < results.planned.mean_discomfort
    assert exchange.matches == exchange.proposals == exchange.accepted + exchange.refused


def counts_of(results: RunResults) -> list[tuple[object, ...]]:
    """Return the rounds without what depends on the bus."""
    return [
        (row.round, row.lookups, row.matches, row.proposals, row.accepted, row.mean_discomfort)
        for row in results.rounds
    ]


@pytest.mark.parametrize("seed", [3, 4, 5])
@pytest.mark.parametrize("rule", ["mutual", "cooperative"])
def test_hosts_and_network_faults_change_nothing(
    rule: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a matchmaker that waits for everybody: one lookup in a thousand is lost three times, and
    comes later than the 15 s after which it goes on without it."""
    monkeypatch.setattr(PairingMatchmaker, "next_deadline", lambda self: None)
    reference = in_simulation(settings(exchange=rule))
    kept_and_improved(reference)
    faults = NetworkFaults(dropped=0.1, doubled=0.1, delay=(0.0, 0.05), seed=seed)
    for options in ({"isolation": "process"}, {"isolation": "subtree", "hosts": 3}):
        other = in_simulation(settings(exchange=rule, deadline=3600, **options), faults=faults)
        assert other.rows == reference.rows
        assert counts_of(other) == counts_of(reference)


@pytest.mark.nats
@pytest.mark.parametrize("matchmakers", [0, 1, 3])
def test_on_the_bus_as_in_simulation(matchmakers: int, tmp_path: Path) -> None:
    chosen = settings(households=12, trace=True, matchmakers=matchmakers)
    results, reference = on_bus(chosen, run="bundles"), in_simulation(chosen)
    kept_and_improved(results)
    assert results.rows == reference.rows
    assert counts_of(results) == counts_of(reference)
    assert results.exchanges is not None
    assert reference.exchanges is not None
    assert set(results.exchanges) == set(reference.exchanges)
    assert matchmakers > 1 or results.exchanges == reference.exchanges
    write(results, tmp_path)
    assert read(tmp_path).exchange == results.exchange
    assert children_of(os.getpid()) == []


def test_a_trace_has_one_row_for_each_slot_of_a_bundle() -> None:
    results = in_simulation(settings(trace=True))
    rows = results.exchanges
    assert rows is not None
    assert results.exchange is not None
    talks = {(row.round, row.requester, row.responder) for row in rows}
    assert len(talks) == results.exchange.accepted < len(rows)
    energy = dict.fromkeys((row.household for row in results.rows), 0.0)
    for row in rows:
        energy[row.requester] += row.taken - row.given
        energy[row.responder] += row.given - row.taken
    for household in results.rows:
        assert household.energy_drift == pytest.approx(energy[household.household], abs=1e-9)


@pytest.mark.nats
@pytest.mark.parametrize("matchmakers", [0, 1, 2])
def test_whatever_is_killed_the_values_only_change_hands(matchmakers: int, tmp_path: Path) -> None:
    with EmbeddedServer() as server:
        parts = ["host", "server", "matchmaker" if matchmakers else "host", "host"]
        strikes = Strikes(server, parts, Random(matchmakers))
        chosen = settings(
            households=20, hosts=3, nats=server.url, min_gain=0.0, matchmakers=matchmakers
        )
        results = on_bus(chosen, strikes.strike, run="struck", kept=tmp_path)
        assert len(strikes.pending) <= 1
    kept_and_improved(results)
    assert children_of(os.getpid()) == []
    before, after = held_by_journals(tmp_path)
    assert len(before) == 20
    assert (np.sort(before, axis=0) == np.sort(after, axis=0)).all()


def test_bundles_are_explained_to_a_household(tmp_path: Path) -> None:
    in_simulation(settings(), kept=tmp_path)
    (file,) = (tmp_path / JOURNALS_FOLDER).glob("host-1.sqlite")
    explained = 0
    for entries in SqliteJournal(file).entries().values():
        explanation = explain([entry for entry in remembered(entries) if entry.kind != "planned"])
        assert sentences(explanation)
        assert abs(explanation.energy_drift) <= DRIFT
        for record in explanation.exchanges:
            explained += 1
            assert len(record.slots) > 1
            assert record in explanation.at(record.slots[0])
        moved = {slot for record in explanation.exchanges for slot in record.slots}
        assert {change.slot for change in explanation.changes} <= moved
    assert explained > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"exchange": "paper"}, "paper exchanges single slots"),
        ({"disclose": "value"}, "use direction or limit"),
        ({"content": "slot", "matchmakers": 0}, "single slots need a matchmaker"),
        ({"matchmakers": 0, "households": 2001, "slots": 1}, "must know all others: 2,000 at most"),
    ],
)
def test_what_does_not_go_with_bundles_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_scenario(settings(**options))


@pytest.mark.parametrize("mandate", ['rule = "paper"', "tolerance = 0.1"])
def test_mandates_for_single_slots_are_refused(mandate: str, tmp_path: Path) -> None:
    file = tmp_path / "mandates.toml"
    file.write_text(f"[h1]\n{mandate}\n")
    key = mandate.split()[0]
    with pytest.raises(InputError, match=f"h1.{key}: {key} is about single slots"):
        read_scenario(settings(mandates=file))


def test_single_slots_under_a_cap_end_soon_and_come_less_far() -> None:
    capped = in_simulation(settings(content="slot", energy_drift=DRIFT))
    bundles = in_simulation(settings())
    assert capped.exchange is not None
    assert capped.exchanged is not None
    assert bundles.exchanged is not None
    assert capped.exchange.max_energy_drift <= DRIFT
    assert capped.exchange.rounds <= 10
    assert capped.exchange.lookups < 10_000
    assert bundles.exchanged.mean_comfort > capped.exchanged.mean_comfort


def test_few_who_exchange_are_enough_to_go_on() -> None:
    """The stage does not end early because most households take no part in it."""

    def comfort(content: str) -> float:
        results = in_simulation(settings(content=content, households=40, participation=0.4))
        assert results.exchanged is not None
        return results.exchanged.mean_comfort

    assert comfort("bundle") > comfort("slot")
