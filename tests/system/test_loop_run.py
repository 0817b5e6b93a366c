"""Exchanges between iterations, in simulation and on the bus."""

import os
from pathlib import Path
from random import Random

import numpy as np
import pytest

from agents.exchange.journal.sqlite import SqliteJournal
from agents.own_functions import OwnFunctions
from matchmaker.pairing_matchmaker import PairingMatchmaker
from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.reporting.highlights import highlights
from orchestrator.reporting.household_explanation import find_explanation
from orchestrator.reporting.terminal_summary import print_summary
from orchestrator.results.result_files import JOURNALS_FOLDER, read, write
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.option_effects import without_effect
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation.network import NetworkFaults
from protocol.errors import InputError
from tests.support.exchange_schedules import schedules_around_exchanges
from tests.support.settings import in_simulation, on_bus
from tests.support.struck_runs import LoopStrikes
from tests.support.waiting import children_of

EVERY, LOOPS = 4, 3
SMALL = {"demo": True, "households": 16, "slots": 32, "iterations": EVERY * LOOPS, "seed": 2}
DRIFT = 0.05


def settings(**options: object) -> RunSettings:
    chosen = {**SMALL, "isolation": "task", "hosts": 2, "content": "bundle", **options}
    return RunSettings.model_validate({"exchange_every": EVERY, **chosen})


def conserved_and_planned_again(results: RunResults) -> None:
    """Check that no exchange moved a sum or too much energy, and that planning went on."""
    exchange, loops = results.exchange, results.loops
    assert exchange is not None
    assert loops is not None
    assert results.exchanged is not None
    assert exchange.conserved is True
    assert exchange.max_energy_drift <= DRIFT
    assert [loop.iterations for loop in loops] == [EVERY * (n + 1) for n in range(LOOPS)]
    assert all(loop.conserved for loop in loops)
    assert sum(loop.exchanges for loop in loops) == exchange.accepted > 0
    assert sum(loop.from_exchange for loop in loops) > 0
    assert [row.iteration for row in results.planning_history] == list(range(EVERY * LOOPS))
    costs = [row.inefficiency for row in results.planning_history]
    for loop in loops[:-1]:
        first = loop.iterations  # all keep their schedules in it
        assert costs[first] == pytest.approx(costs[first - 1], rel=1e-9)
        found = results.planning_history[first].mean_discomfort
        assert found == pytest.approx(loop.exchanged_discomfort, rel=1e-9)
    assert results.exchanged.inefficiency < loops[0].inefficiency


def told(results: RunResults) -> list[tuple[object, ...]]:
    """Return the rounds without what depends on the bus."""
    return [
        (row.loop, row.round, row.lookups, row.matches, row.accepted, row.mean_discomfort)
        for row in results.rounds
    ]


@pytest.mark.parametrize(
    "options", [{}, {"exchange": "cooperative", "beta": 0.3}, {"matchmakers": 0}]
)
def test_hosts_and_bad_weather_change_nothing(
    options: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a matchmaker that waits for everybody, however often a lookup is lost."""
    monkeypatch.setattr(PairingMatchmaker, "next_deadline", lambda self: None)
    reference = in_simulation(settings(**options))
    conserved_and_planned_again(reference)
    faults = NetworkFaults(dropped=0.1, doubled=0.1, delay=(0.0, 0.05), seed=3)
    for hosts in ({"isolation": "process"}, {"isolation": "subtree", "hosts": 3}):
        other = in_simulation(settings(deadline=3600, **hosts, **options), faults=faults)
        assert other.rows == reference.rows
        assert other.planning_history == reference.planning_history
        assert told(other) == told(reference)


@pytest.mark.nats
@pytest.mark.parametrize("matchmakers", [0, 1, 3])
def test_on_the_bus_as_in_simulation(matchmakers: int, tmp_path: Path) -> None:
    target = tmp_path / "target.csv"
    target.write_text(",".join(str(100 + slot % 5) for slot in range(32)))
    chosen = settings(households=12, cost="rmse", target=target, matchmakers=matchmakers)
    results, reference = on_bus(chosen, run="loops"), in_simulation(chosen)
    assert results.rows == reference.rows
    assert results.loops is not None
    assert reference.loops is not None
    assert [loop.inefficiency for loop in results.loops] == [
        loop.inefficiency for loop in reference.loops
    ]
    assert told(results) == told(reference)
    write(results, tmp_path / "out")
    again = read(tmp_path / "out")
    assert (again.loops, again.rounds) == (results.loops, results.rounds)
    assert again.planning_history == results.planning_history
    assert children_of(os.getpid()) == []


@pytest.mark.nats
@pytest.mark.parametrize("matchmakers", [0, 1, 2])
def test_whatever_is_killed_the_run_goes_on_in_its_loop(matchmakers: int, tmp_path: Path) -> None:
    with EmbeddedServer() as server:
        parts = ["host", "matchmaker" if matchmakers else "host", "server", "host", "host"]
        strikes = LoopStrikes(server, parts, Random(matchmakers))
        chosen = settings(hosts=3, nats=server.url, matchmakers=matchmakers)
        results = on_bus(chosen, strikes.strike, run="struck", kept=tmp_path)
        assert len(strikes.pending) <= 1
    conserved_and_planned_again(results)
    around = [
        schedules_around_exchanges(entries)
        for file in (tmp_path / JOURNALS_FOLDER).glob("*.sqlite")
        for entries in SqliteJournal(file).entries().values()
    ]
    assert len(around) == 16
    for loop in range(LOOPS):
        before, after = (np.array([own[loop][side] for own in around]) for side in (0, 1))
        assert (np.sort(before, axis=0) == np.sort(after, axis=0)).all()


def test_summary_and_explanation_speak_of_loops(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = in_simulation(settings(), kept=tmp_path)
    print_summary(results, tmp_path)
    printed = " ".join(capsys.readouterr().out.split())
    assert "3, an exchange after every 4 iterations" in printed
    assert "no exchange changed the sum at any slot" in printed
    assert results.exchanged is not None
    assert results.exchanged.peak != results.planned.peak
    assert f"{results.exchanged.peak:.3g} kWh" == highlights(results)[0].value
    rows = {row.household: row for row in results.rows}
    for household, row in rows.items():
        explanation = find_explanation(tmp_path, household)
        assert explanation.discomfort_exchanged == pytest.approx(row.discomfort_exchanged)
        assert explanation.discomfort_planned == pytest.approx(row.discomfort_planned)
        assert explanation.energy_drift == pytest.approx(row.energy_drift, abs=1e-9)
        assert explanation.loops == LOOPS


def test_without_loops_nothing_is_said_of_them(tmp_path: Path) -> None:
    results = in_simulation(settings(exchange_every=0))
    assert results.loops is None
    write(results, tmp_path)
    assert "loop" not in (tmp_path / "rounds.csv").read_text()
    assert "loops" not in (tmp_path / "run.json").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"content": "slot"}, "use --content bundle"),
        ({"exchange": "paper", "content": None}, "use --exchange mutual"),
        ({"exchange_every": 1}, "at least 2"),
        ({"exchange_every": 12}, "only 12 iterations"),
        ({"reorganise": "periodically"}, "leave out --reorganise"),
        ({"discomfort": "preference"}, "use --discomfort rmse"),
        ({"external": "h1"}, "leave out --external"),
    ],
)
def test_what_does_not_go_with_loops_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_scenario(settings(**options))


def test_an_own_discomfort_does_not_go_with_loops() -> None:
    own = OwnFunctions(discomfort=lambda plans, scores: np.zeros(len(plans)))
    with pytest.raises(InputError, match="a schedule has no score"):
        read_scenario(settings(), own=own)


@pytest.mark.parametrize("rule", ["off", "equal"])
def test_without_pairs_loops_have_no_effect(rule: str) -> None:
    assert "exchange_every" in without_effect(settings(exchange=rule), "run")


def test_hard_constraints_hold_after_every_exchange(tmp_path: Path) -> None:
    free = in_simulation(settings()).demand.exchanged
    assert free is not None
    slot = int(free.argmax())
    limit = 0.97 * float(free[slot])
    modes = ["1" if own == slot else "0" for own in range(len(free))]
    file = tmp_path / "hard.csv"
    file.write_text(f"{','.join([repr(limit)] * len(free))}\n{','.join(modes)}\n")
    results = in_simulation(settings(hard_plans=file))
    assert results.loops is not None
    assert all(loop.conserved for loop in results.loops)
    assert results.demand.exchanged is not None
    assert results.demand.exchanged[slot] <= limit
