"""Hosts and matchmakers that stand by as separate processes, and an orchestrator."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.coordination.placement import Run
from orchestrator.coordination.run_phase import RunPhase
from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.distributed.launcher import orchestrate
from orchestrator.distributed.standby import claimed_name
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from protocol.errors import InputError, RunError
from tests.support.settings import in_simulation, with_standing_parts

pytestmark = pytest.mark.nats
COFLEX = (sys.executable, "-c", "from orchestrator.cli import main; main()")


class Parts:
    """A server, hosts that claim their names, and a matchmaker."""

    def __init__(self, server: EmbeddedServer, folder: Path, hosts: int) -> None:
        self.server, self.folder = server, folder
        self.processes: list[subprocess.Popen[bytes]] = []
        for _ in range(hosts):
            self.start_host()
        self._start("matchmaker")

    def start_host(self) -> None:
        claim, keep = self.folder / "claims", self.folder / "kept"
        self._start("host", "--claim", str(claim), "--keep", str(keep))

    def _start(self, *command: str) -> None:
        self.processes.append(subprocess.Popen([*COFLEX, *command, "--nats", self.server.url]))

    def stop(self) -> list[int]:
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        return [process.wait(30) for process in self.processes]


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    with EmbeddedServer() as server:
        made = Parts(server, tmp_path, hosts=3)
        yield made
        for process in made.processes:
            process.kill()
            process.wait()


def settings(parts: Parts, **options: object) -> RunSettings:
    return RunSettings.model_validate(
        {
            **{"demo": True, "households": 20, "slots": 32, "iterations": 8, "beta": 0.1},
            **{"isolation": "task", "hosts": 3},
            **{"nats": parts.server.url, **options},
        }
    )


def same(results: RunResults, chosen: RunSettings) -> bool:
    reference = in_simulation(chosen)
    return results.rows == reference.rows and results.planning_history == reference.planning_history


def test_they_take_part_in_one_run_after_another(parts: Parts) -> None:
    for number, seed in enumerate((1, 2)):
        chosen = settings(parts, seed=seed)
        results = with_standing_parts(chosen, run=f"run-{number}")
        assert same(results, chosen)
    assert parts.stop() == [0, 0, 0, 0]
    journals = sorted(
        str(file.relative_to(parts.folder / "kept"))
        for file in (parts.folder / "kept").rglob("*.sqlite")
    )
    assert journals == [
        f"run-{run}/journals/host-{host}.sqlite" for run in (0, 1) for host in (1, 2, 3)
    ]


@pytest.mark.parametrize("stage", [RunPhase.PLANNING, RunPhase.EXCHANGING])
def test_a_part_that_is_killed_and_restarted_continues(parts: Parts, stage: RunPhase) -> None:
    chosen = settings(parts, households=30, exchange="cooperative")
    struck: list[int] = []

    def strike(coordinator: RunCoordinator) -> None:
        if coordinator.phase is stage and coordinator.latest and not struck:
            process = parts.processes[len(struck)]
            struck.append(process.pid)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            parts.start_host()

    results = with_standing_parts(chosen, strike, run="struck")
    assert len(struck) == 1
    reference = in_simulation(chosen)
    planned = [(row.household, row.selected_plan) for row in results.rows]
    assert planned == [(row.household, row.selected_plan) for row in reference.rows]
    made, undisturbed = results.exchange, reference.exchange
    assert made is not None
    assert undisturbed is not None
    assert made.conserved is True
    assert made.households_worse == 0
    assert made.max_energy_drift <= 0.05
    assert made.share_of_bound is not None
    assert undisturbed.share_of_bound is not None
    assert made.share_of_bound > 0.97 * undisturbed.share_of_bound
    if stage is RunPhase.PLANNING:
        assert results.rows == reference.rows


def test_a_host_without_the_data_ends_the_run_and_says_why(parts: Parts, tmp_path: Path) -> None:
    chosen = settings(parts)
    scenario = read_scenario(chosen, "standby")
    elsewhere = chosen.model_copy(update={"demo": False, "dataset": tmp_path / "nowhere"})
    with pytest.raises(RunError, match=r"host-\d: .*nowhere"):
        orchestrate(Run("nothing", replace(scenario, settings=elsewhere)))
    # They continue to stand by.
    assert same(with_standing_parts(chosen, run="further"), chosen)


def test_names_are_claimed_in_turn_and_freed(tmp_path: Path) -> None:
    with claimed_name(tmp_path) as first, claimed_name(tmp_path) as second:
        assert (first, second) == ("host-1", "host-2")
    with claimed_name(tmp_path) as again:
        assert again == "host-1"
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(InputError, match="cannot claim a host there"), claimed_name(file):
        pass
