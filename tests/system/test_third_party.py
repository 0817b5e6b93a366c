"""Households that others have written take part: docs/protocol.md is enough to write one.

tests/system/third_party is such a household. It runs as a separate process among ours, at any
position in the tree, and the results are the same as without it.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from agents.population.epos_folder import write
from orchestrator.cli import app
from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.coordination.placement import layout
from orchestrator.coordination.run_phase import RunPhase
from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from protocol.errors import InputError, RunError
from tests.support.exchange_results import kept_and_improved
from tests.support.imports import imports
from tests.support.settings import in_simulation, on_bus
from tests.support.tank_homes import write_tank_home
from tests.support.waiting import children_of

FOLDER = Path(__file__).parent / "third_party"
SMALL = {
    **{"demo": True, "households": 9, "slots": 30, "iterations": 8, "seed": 3, "beta": 0.2},
    **{"isolation": "task", "hosts": 2, "content": "slot", "exchange_order": "sequential"},
}
PAIRS = ("content", "exchange_order")
"""Options that only exchanges between pairs have."""
RUN = "third-party"


def settings(**options: object) -> RunSettings:
    return RunSettings.model_validate({**SMALL, **options})


@contextmanager
def third_parties(
    names: tuple[str, ...], chosen: RunSettings, folder: Path, kept: bool = False
) -> Iterator[dict[str, "subprocess.Popen[bytes]"]]:
    """Start third-party households with these names, and end them in the end."""
    population = read_scenario(chosen).population
    write(population, folder / "plans")
    processes = {name: start(name, chosen, folder, kept) for name in names}
    try:
        yield processes
    finally:
        for process in processes.values():
            process.kill()
            process.wait()


def start(
    name: str, chosen: RunSettings, folder: Path, kept: bool = False
) -> "subprocess.Popen[bytes]":
    assert chosen.nats is not None
    plans = folder / "plans" / f"agent_{name[1:]}.plans"
    where = ["--household", name, "--run", RUN, "--nats", chosen.nats, "--plans", str(plans)]
    keep = ["--keep", str(folder / f"{name}.state")] if kept else []
    return subprocess.Popen([sys.executable, "-m", "tests.system.third_party", *where, *keep])


def same(results: RunResults, reference: RunResults) -> None:
    """Check that two results are the same to the last digit."""
    assert results.planning_history == reference.planning_history
    assert results.rows == reference.rows
    assert results.demand.planned.tolist() == reference.demand.planned.tolist()
    if reference.exchange is not None:
        assert results.exchange is not None
        assert results.exchange.accepted > 0
        said = ("lookups", "matches", "proposals", "accepted", "refused")
        counts = [[getattr(row, name) for name in said] for row in results.rounds]
        assert counts == [[getattr(row, name) for name in said] for row in reference.rounds]


def test_the_third_party_imports_nothing_of_coflex() -> None:
    allowed = {"cryptography", "msgpack", "nats", "numpy", "tests"} | set(sys.stdlib_module_names)
    for file in FOLDER.glob("*.py"):
        assert imports(file) <= allowed
        named = [line for line in file.read_text().splitlines() if "tests." in line]
        assert all("tests.system.third_party" in line for line in named), file


@pytest.mark.nats
@pytest.mark.parametrize(
    ("names", "options"),
    [
        (("h8",), {}),
        (("h1",), {"disclose": "direction", "locks": "household"}),
        (("h0",), {"trace": True}),
        (("h0", "h3", "h5"), {"matchmakers": 2, "alpha": 0.1, "isolation": "subtree"}),
        (("h4",), {"disclose": "value", "tolerance": 0.3}),
        (("h0", "h8"), {"exchange_order": "waves"}),
        (("h2", "h6"), {"exchange": "off", "isolation": "process", "children": 3}),
    ],
    ids=["leaf", "inner", "root", "three", "value", "waves", "planning"],
)
def test_the_results_are_the_same_with_a_third_party(
    names: tuple[str, ...], options: dict[str, object], tmp_path: Path
) -> None:
    with EmbeddedServer() as server:
        chosen = settings(nats=server.url, external=",".join(names), **options)
        with third_parties(names, chosen, tmp_path) as processes:
            results = on_bus(chosen, run=RUN)
            assert [process.wait(30) for process in processes.values()] == [0] * len(names)
    reference = in_simulation(chosen)
    same(results, reference)
    assert results.exchanges == reference.exchanges
    assert children_of(os.getpid()) == []


@pytest.mark.nats
@pytest.mark.parametrize("matchmakers", [0, 1, 2])
@pytest.mark.parametrize("names", [("h0",), ("h1", "h4", "h8")])
def test_third_parties_exchange_bundles(
    names: tuple[str, ...], matchmakers: int, tmp_path: Path
) -> None:
    """They search for bundles in their own way, so results are others; the promises are not."""
    with EmbeddedServer() as server:
        options: dict[str, object] = {"content": "bundle", "matchmakers": matchmakers}
        options |= {"trace": True, "external": ",".join(names), "nats": server.url}
        chosen = settings(**options)
        with third_parties(names, chosen, tmp_path) as processes:
            results = on_bus(chosen, run=RUN)
            assert [process.wait(30) for process in processes.values()] == [0] * len(names)
    exchange = results.exchange
    assert exchange is not None
    assert exchange.conserved is True
    assert exchange.households_worse == 0
    assert 0 < exchange.max_energy_drift <= 0.05
    assert results.exchanges is not None
    made = [row for row in results.exchanges if {row.requester, row.responder} & set(names)]
    assert made, "they have exchanged nothing"
    assert all(np.isfinite([row.requester_gain, row.responder_gain]).all() for row in made)
    assert results.planning_history == in_simulation(chosen).planning_history


@contextmanager
def home_owners(names: tuple[str, ...], nats: str, folder: Path) -> Iterator[dict[str, Any]]:
    """Start third-party homes with these names, whose state is kept; `start` starts one again."""
    processes: dict[str, Any] = {}

    def start(name: str) -> None:
        words = ["--household", name, "--run", RUN, "--nats", nats]
        words += ["--home", str(folder / f"{name}.json"), "--keep", str(folder / f"{name}.state")]
        command = [sys.executable, "-m", "tests.system.third_party", *words]
        processes[name] = subprocess.Popen(command)

    for number, name in enumerate(names):
        write_tank_home(folder / f"{name}.json", slots=96, seed=number)
        start(name)
    try:
        yield {"processes": processes, "start": start}
    finally:
        for process in processes.values():
            process.kill()
            process.wait()


@pytest.mark.nats
@pytest.mark.parametrize("struck", [(), ("h1",)], ids=["undisturbed", "killed"])
def test_third_party_homes_exchange_amounts(struck: tuple[str, ...], tmp_path: Path) -> None:
    """Two among coflex homes: nobody loses, and the sum moves in no slot, even after a kill."""
    names, left = ("h0", "h1"), list(struck)
    with EmbeddedServer() as server:
        options: dict[str, object] = {"homes": 12, "iterations": 6, "isolation": "task", "hosts": 2}
        options |= {"seed": 3, "trace": True, "external": ",".join(names), "nats": server.url}
        chosen = RunSettings.model_validate(options)
        with home_owners(names, server.url, tmp_path) as owners:

            def strike(coordinator: RunCoordinator) -> None:
                # The root has reported round 0, so round 1 is on its way.
                if left and coordinator.round is not None and coordinator.round[0] >= 0:
                    name = left.pop()
                    owners["processes"][name].kill()
                    owners["processes"][name].wait()
                    owners["start"](name)

            results = on_bus(chosen, strike, run=RUN)
            assert [owners["processes"][name].wait(30) for name in names] == [0, 0]
    assert not left
    exchange = results.exchange
    assert exchange is not None
    assert exchange.conserved is True
    assert exchange.max_energy_drift == 0.0
    assert results.exchanges is not None
    made = {(row.requester, row.responder) for row in results.exchanges}
    assert {requester for requester, _ in made} & set(names), "they have asked for nothing"
    assert {responder for _, responder in made} & set(names), "they have served nobody"


@pytest.mark.nats
def test_a_third_party_without_devices_exchanges_no_amounts(tmp_path: Path) -> None:
    with EmbeddedServer() as server:
        options = {"homes": 5, "iterations": 2, "external": "h4", "nats": server.url}
        chosen = RunSettings.model_validate({**options, "discomfort": "rmse"})
        with (
            third_parties(("h4",), chosen, tmp_path),
            pytest.raises(RunError, match="h4: this household has no devices"),
        ):
            on_bus(chosen, run=RUN)


@pytest.mark.nats
@pytest.mark.parametrize("names", [("h0",), ("h1", "h4", "h8")])
def test_an_equal_shift_with_third_parties(names: tuple[str, ...], tmp_path: Path) -> None:
    """Amounts are whole numbers of units, so the results are the same to the last digit."""
    with EmbeddedServer() as server:
        chosen = RunSettings.model_validate(
            {
                **{name: value for name, value in SMALL.items() if name not in PAIRS},
                **{"exchange": "equal", "external": ",".join(names), "nats": server.url},
            }
        )
        with third_parties(names, chosen, tmp_path) as processes:
            results = on_bus(chosen, run=RUN)
            assert [process.wait(30) for process in processes.values()] == [0] * len(names)
    reference = in_simulation(chosen)
    assert results.rows == reference.rows
    assert results.planning_history == reference.planning_history
    assert results.exchange is not None
    assert results.exchange.conserved is True


@pytest.mark.nats
@pytest.mark.parametrize("when", [RunPhase.PLANNING, RunPhase.EXCHANGING])
def test_a_killed_third_party_continues_after_a_restart(when: RunPhase, tmp_path: Path) -> None:
    """In stage 2, it continues from its stored state; in stage 1, all households start again."""
    name = "h1"
    with EmbeddedServer() as server:
        chosen = settings(nats=server.url, external=name, iterations=40)
        with third_parties((name,), chosen, tmp_path, kept=True) as processes:
            struck: list[int] = []

            def strike(coordinator: RunCoordinator) -> None:
                begun = coordinator.latest is not None and coordinator.latest.iteration >= 2
                if coordinator.phase is when and begun and not struck:
                    struck.append(coordinator.attempt)
                    processes[name].send_signal(signal.SIGKILL)
                    processes[name].wait()
                    processes[name] = start(name, chosen, tmp_path, kept=True)

            results = on_bus(chosen, strike, run=RUN)
            assert processes[name].wait(30) == 0
        assert struck == [1]
    reference = in_simulation(chosen)
    if when is RunPhase.PLANNING:
        same(results, reference)
    kept_and_improved(results, "mutual")
    assert results.planning_history == reference.planning_history


@pytest.mark.nats
def test_a_third_party_in_concurrent_order(tmp_path: Path) -> None:
    names = ("h0", "h4", "h7")
    with EmbeddedServer() as server:
        chosen = settings(nats=server.url, external=",".join(names), exchange_order="concurrent")
        with third_parties(names, chosen, tmp_path):
            results = on_bus(chosen, run=RUN)
    kept_and_improved(results, "mutual")


@pytest.mark.nats
def test_a_missing_third_party_is_named() -> None:
    with EmbeddedServer() as server:
        chosen = settings(nats=server.url, external="h4", deadline=2)
        with pytest.raises(RunError, match="while enrolling households: h4 did not enrol"):
            on_bus(chosen, run=RUN)
    assert children_of(os.getpid()) == []


@pytest.mark.nats
def test_a_third_party_refuses_unsupported_terms(tmp_path: Path) -> None:
    with EmbeddedServer() as server:
        chosen = settings(nats=server.url, external="h4", exchange="cooperative")
        with (
            third_parties(("h4",), chosen, tmp_path),
            pytest.raises(RunError, match="h4: this household knows the rule mutual"),
        ):
            on_bus(chosen, run=RUN)


@pytest.mark.nats
def test_the_command_prints_what_third_parties_need(tmp_path: Path) -> None:
    options = ["run", "--demo", "--households", "5", "--slots", "30", "--iterations", "2"]
    with EmbeddedServer() as server:
        chosen = settings(nats=server.url, households=5)
        with third_parties(("h3",), chosen, tmp_path):
            options += ["--nats", server.url, "--external", "h3", "--run", RUN]
            options += ["--content", "slot", "--seed", "3", "--out", str(tmp_path / "out")]
            said = CliRunner().invoke(app, options)
    assert said.exit_code == 0, said.output
    assert f"run {RUN} waits for h3" in said.stderr
    assert (tmp_path / "out" / "run.json").exists()
    assert "--exchange-order waves" in said.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--external", "h3"], "--nats: name the NATS server that"),
        (["--external", "h3,h99", "--nats", "nats://127.0.0.1:9"], "no household 'h99'"),
        (["--run", "two words"], "'two words' is not a name"),
    ],
)
def test_missing_options_are_reported_at_once(options: list[str], message: str) -> None:
    said = CliRunner().invoke(app, ["run", "--demo", "--households", "5", *options])
    assert isinstance(said.exception, InputError)
    assert message in str(said.exception)


def test_external_households_live_on_no_host_of_ours() -> None:
    members = [f"h{number}" for number in range(9)]
    everybody = layout(members, isolation="task", hosts=4, arity=2)
    names = [name for share in everybody.values() for name in share]
    assert sorted(names) == members
    gone = [*everybody["host-2"], "h0"]
    others = {
        host: tuple(name for name in share if name != "h0")
        for host, share in everybody.items()
        if host != "host-2"
    }
    found = layout(members, isolation="task", hosts=4, arity=2, externals=gone)
    assert found == {host: share for host, share in others.items() if share}
