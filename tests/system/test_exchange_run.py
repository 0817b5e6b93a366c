"""Both stages in one run: the guarantees of stage 2, in simulation and on the bus."""

import os
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.results.device_schedules import SCHEDULES_FOLDER
from orchestrator.results.result_files import read, write
from orchestrator.results.run_results import Exchange, Round, RunResults
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation.network import NO_FAULTS, NetworkFaults
from tests.support.exchange_results import kept_and_improved
from tests.support.settings import in_simulation, on_bus
from tests.support.struck_runs import Strikes, held_by_journals
from tests.support.waiting import children_of

SMALL = {"demo": True, "households": 16, "slots": 32, "iterations": 8, "seed": 2}


def settings(**options: object) -> RunSettings:
    return RunSettings.model_validate(
        {
            **SMALL,
            "isolation": "task",
            "hosts": 2,
            "exchange": "mutual",
            "content": "slot",
            **options,
        }
    )


def simulated(faults: NetworkFaults = NO_FAULTS, **options: object) -> RunResults:
    return in_simulation(settings(**options), faults=faults)


def results_of_stage_2(results: RunResults) -> tuple[Exchange, list[Round]]:
    """Return the results of stage 2, without those that depend on the assignment to hosts and on
    time."""
    assert results.exchange is not None
    sent = {"messages": 0, "frames": 0, "bytes": 0}
    exchange = replace(
        results.exchange,
        messages=0,
        frames=0,
        bytes=0,
        messages_per_exchange=None,
        frames_per_exchange=None,
        bytes_per_exchange=None,
    )
    return exchange, [replace(row, answers=0, **sent) for row in results.rounds]


def sums_up(results: RunResults) -> None:
    """Check that the numbers of single rounds and households agree with the totals."""
    exchange, rounds = results.exchange, results.rounds
    assert exchange is not None
    assert [row.round for row in rounds] == list(range(exchange.rounds + 1))
    for name in ("lookups", "matches", "proposals", "accepted", "refused"):
        assert sum(getattr(row, name) for row in rounds) == getattr(exchange, name)
    assert sum(row.requests or 0 for row in results.rows) == exchange.proposals
    assert rounds[0].lookups == rounds[0].accepted == rounds[-1].accepted == 0
    assert rounds[0].mean_discomfort == pytest.approx(results.planned.mean_discomfort)
    assert results.exchanged is not None
    assert rounds[-1].mean_discomfort == pytest.approx(results.exchanged.mean_discomfort)
    assert rounds[-1].pooled_discomfort == pytest.approx(results.exchanged.pooled_discomfort)
    asking = rounds[1:]
    households, hosts = (sum(getattr(r, name) for r in asking) for name in ("messages", "frames"))
    # A proposal and its outcome, a lookup for each answer, and the tree's own messages.
    said = 2 * exchange.proposals + sum(row.answers for row in asking)
    assert said < households < 1.5 * said + 2 * len(results.rows) * exchange.rounds
    # The root tells the orchestrator of each round.
    assert all(row.frames > 0 and row.bytes > row.frames for row in asking)
    assert hosts <= households + len(rounds)
    if results.config["isolation"] != "process":
        assert hosts < 0.8 * households
    assert results.bus is not None
    assert exchange.messages < results.bus.messages
    assert exchange.bytes < results.bus.bytes
    assert exchange.messages_per_exchange == exchange.messages / exchange.accepted
    assert exchange.lookup_success == exchange.matches / exchange.lookups


@pytest.mark.parametrize("rule", ["mutual", "cooperative"])
@pytest.mark.parametrize("isolation", ["process", "task", "subtree"])
def test_an_exchange_in_simulation(rule: str, isolation: str) -> None:
    results = simulated(exchange=rule, isolation=isolation)
    kept_and_improved(results, rule)
    sums_up(results)


@pytest.mark.parametrize("options", [{"isolation": "process"}, {"isolation": "task", "hosts": 3}])
def test_the_sequential_order_gives_the_same_on_any_hosts(options: dict[str, object]) -> None:
    reference = simulated(exchange_order="sequential", hosts=1)
    chosen = settings(exchange_order="sequential", **options)
    other = in_simulation(chosen)
    assert other.rows == reference.rows
    assert results_of_stage_2(other) == results_of_stage_2(reference)
    # A household tells a matchmaker of the end of a lease with its next lookup or alone, whichever
    # comes first; who shares a host decides that now and then, and nothing else.
    said = [sum(row.messages for row in run.rounds) for run in (other, reference)]
    assert abs(said[0] - said[1]) <= said[1] / 100


def test_network_faults_lose_and_double_nothing() -> None:
    for seed in range(5):
        faults = NetworkFaults(dropped=0.1, doubled=0.1, delay=(0.0, 0.05), seed=seed)
        kept_and_improved(simulated(faults, exchange="cooperative", deadline=3600), "cooperative")


@pytest.mark.nats
def test_the_sequential_order_gives_the_same_on_the_bus_as_in_simulation(tmp_path: Path) -> None:
    chosen = settings(exchange_order="sequential", households=8)
    results = on_bus(chosen, run="in-turn")
    reference = in_simulation(chosen)
    assert results.rows == reference.rows
    assert results_of_stage_2(results) == results_of_stage_2(reference)
    assert results.seconds.exchange is not None
    write(results, tmp_path)
    assert read(tmp_path).exchanged == results.exchanged


@pytest.mark.nats
def test_the_concurrent_order_on_the_bus() -> None:
    chosen = settings(exchange="cooperative", matchmakers=2)
    kept_and_improved(on_bus(chosen, run="at-once"), "cooperative")
    assert children_of(os.getpid()) == []


@pytest.mark.nats
@pytest.mark.parametrize("isolation", ["process", "task", "subtree"])
@pytest.mark.parametrize("rule", ["mutual", "cooperative"])
def test_values_are_only_swapped_whatever_is_killed_in_stage_2(
    rule: str, isolation: str, tmp_path: Path
) -> None:
    """Hosts, matchmakers and the server are killed one after another, at different moments."""
    with EmbeddedServer() as server:
        chosen = settings(
            exchange=rule, isolation=isolation, households=24, slots=48, nats=server.url
        )
        parts = ["host", "matchmaker", "server", "host", "host"]
        strikes = Strikes(server, parts, Random(rule + isolation))
        results = on_bus(chosen, strikes.strike, run="struck", kept=tmp_path)
        assert len(strikes.pending) <= 2  # how many moments there are differs a little
    kept_and_improved(results, rule)
    assert children_of(os.getpid()) == []
    before, after = held_by_journals(tmp_path)
    assert len(before) == 24
    assert (np.sort(before, axis=0) == np.sort(after, axis=0)).all()


def test_mandates_narrow_what_a_household_does(tmp_path: Path) -> None:
    path = tmp_path / "mandates.toml"
    path.write_text(
        "[h3]\nexchange = false\n[h5]\ntake_part = false\n[h6]\nbeta = 1.0\n"
        "[h7]\nenergy_drift = 0.0\n"
    )
    rows = {row.household: row for row in simulated(mandates=path).rows}
    assert "h5" not in rows
    assert rows["h3"].requests == 0
    assert rows["h3"].discomfort_exchanged == pytest.approx(rows["h3"].discomfort_planned)
    assert rows["h6"].beta == 1.0
    assert rows["h6"].discomfort_planned == 0.0
    assert rows["h7"].energy_drift == pytest.approx(0.0, abs=1e-12)
    others = [row.comfort_gain for name, row in rows.items() if name not in ("h3", "h6", "h7")]
    assert np.mean(np.array(others, dtype=float)) > 0


def test_the_rule_paper_leaves_some_households_worse_off() -> None:
    results = simulated(exchange="paper", tolerance=0.05, rounds=3)
    assert results.exchange is not None
    assert results.exchange.rounds <= 3
    assert results.exchange.households_worse > 0


@pytest.mark.parametrize("options", [{"isolation": "subtree"}, {"matchmakers": 3}])
def test_a_trace_has_every_exchange(tmp_path: Path, options: dict[str, object]) -> None:
    chosen = settings(exchange="cooperative", trace=True, save_schedules=True, **options)
    scenario = read_scenario(chosen)
    results = in_simulation(chosen, kept=tmp_path / "kept")
    write(results, tmp_path / "out", tmp_path / "kept")
    exchanges = read(tmp_path / "out").exchanges
    assert exchanges == results.exchanges
    assert exchanges is not None
    assert results.exchange is not None
    assert len(exchanges) == results.exchange.accepted > 0
    saved = {
        name: np.loadtxt(
            tmp_path / "out" / SCHEDULES_FOLDER / f"{name}.csv", delimiter=",", skiprows=1
        )
        for name in scenario.members
    }
    held = {name: columns[:, 2].copy() for name, columns in saved.items()}
    gains = dict.fromkeys(scenario.members, 0.0)
    for row in exchanges:
        assert held[row.requester][row.slot] == row.given
        assert held[row.responder][row.slot] == row.taken
        held[row.requester][row.slot], held[row.responder][row.slot] = row.taken, row.given
        gains[row.requester] += row.requester_gain
        gains[row.responder] += row.responder_gain
    assert results.demand.exchanged is not None
    assert sum(saved[name][:, 3] for name in saved) == pytest.approx(results.demand.exchanged)
    for household in results.rows:
        columns = saved[household.household]
        assert (columns[:, 3] == held[household.household]).all()
        before = household.discomfort_planned**2 * results.slots
        assert household.discomfort_exchanged is not None
        after = household.discomfort_exchanged**2 * results.slots
        assert before - after == pytest.approx(gains[household.household])
        preferred = scenario.population.households[household.household].preferred
        assert (columns[:, 1] == preferred).all()


def test_without_trace_no_exchange_is_reported(tmp_path: Path) -> None:
    chosen = settings()
    results = in_simulation(chosen, kept=tmp_path / "kept")
    write(results, tmp_path / "out", tmp_path / "kept")
    assert results.exchanges is None
    assert not (tmp_path / "out" / "exchanges.csv").exists()
    assert not (tmp_path / "out" / SCHEDULES_FOLDER).exists()


@pytest.mark.nats
def test_on_the_bus_each_host_saves_its_schedules(tmp_path: Path) -> None:
    chosen = settings(exchange_order="sequential", households=8, trace=True, save_schedules=True)
    results = on_bus(chosen, run="saved", kept=tmp_path / "kept")
    reference = in_simulation(chosen, kept=tmp_path / "reference")
    assert results.exchanges == reference.exchanges
    for name in read_scenario(chosen).members:
        files = [
            tmp_path / part / SCHEDULES_FOLDER / f"{name}.csv" for part in ("kept", "reference")
        ]
        assert files[0].read_text() == files[1].read_text()
