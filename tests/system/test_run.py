"""Whole runs: the same results on the bus as in simulation, and the ways in which runs end."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.results.result_files import read
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.settings import RunSettings
from protocol.errors import InputError, RunError
from tests.support.settings import in_simulation, on_bus
from tests.support.waiting import alive, children_of, command_of, wait_until

COFLEX = [sys.executable, "-c", "from orchestrator.cli import main; main()"]
SMALL = {"demo": True, "households": 24, "slots": 36, "iterations": 12, "seed": 5, "beta": 0.2}


def settings(**options: object) -> RunSettings:
    return RunSettings.model_validate({**SMALL, **options})


def essence(results: RunResults) -> object:
    """Return the results that must not depend on how a run was executed."""
    return (
        results.rows,
        results.planning_history,
        results.planned,
        results.demand.planned.tolist(),
        results.data_sha256,
    )


@pytest.fixture(scope="module")
def simulated() -> RunResults:
    return in_simulation(settings(isolation="task", hosts=1))


@pytest.mark.parametrize(
    "options",
    [
        {"isolation": "process"},
        {"isolation": "task", "hosts": 2},
        {"isolation": "task", "hosts": 5},
        {"isolation": "subtree", "hosts": 1},
        {"isolation": "subtree", "hosts": 3},
        {"isolation": "auto"},
    ],
)
def test_simulations_give_the_same_on_any_hosts(
    simulated: RunResults, options: dict[str, object]
) -> None:
    chosen = settings(**options)
    assert essence(in_simulation(chosen)) == essence(simulated)


@pytest.mark.nats
@pytest.mark.parametrize(
    "options",
    [
        {"isolation": "process"},
        {"isolation": "task", "hosts": 1},
        {"isolation": "task", "hosts": 3},
        {"isolation": "subtree", "hosts": 2},
        {"isolation": "auto"},
    ],
)
def test_the_bus_gives_the_same_as_the_simulation(
    simulated: RunResults, options: dict[str, object]
) -> None:
    chosen = settings(**options)
    results = on_bus(chosen, run="live")
    assert essence(results) == essence(simulated)
    assert children_of(os.getpid()) == []


def test_a_subtree_in_one_process_sends_messages_only_at_its_edges() -> None:
    sent = {}
    for isolation in ("task", "subtree"):
        chosen = settings(isolation=isolation, hosts=2, exchange="off")
        bus = in_simulation(chosen).bus
        assert bus is not None
        sent[isolation] = bus.messages
    # Up and down, for all but the root, in every iteration; and joining and leaving.
    assert sent["task"] >= 2 * 23 * 12 + 24 * 6 > sent["subtree"]


@pytest.mark.nats
@pytest.mark.parametrize("kills", [1, 3])
def test_a_server_killed_and_restarted_changes_nothing(simulated: RunResults, kills: int) -> None:
    with EmbeddedServer() as server:
        chosen = settings(isolation="task", hosts=2, nats=server.url)
        pending = {2 + 3 * number for number in range(kills)}

        def strike(coordinator: RunCoordinator) -> None:
            done = coordinator.latest.iteration if coordinator.latest else -1
            for moment in [m for m in pending if m <= done]:
                pending.discard(moment)
                server.kill()
                server.start()

        results = on_bus(chosen, strike, run="stricken")
        assert not pending
        assert essence(results) == essence(simulated)


@pytest.mark.nats
def test_two_runs_on_one_server_do_not_disturb_each_other(
    simulated: RunResults, tmp_path: Path
) -> None:
    options = ["--demo", "--households", "24", "--slots", "36", "--iterations", "12"]
    options += ["--seed", "5", "--beta", "0.2", "--isolation", "task", "--hosts", "2"]
    with EmbeddedServer() as server:
        started = [
            subprocess.Popen(
                [*COFLEX, "run", *options, "--nats", server.url, "--out", str(tmp_path / name)],
                stdout=subprocess.DEVNULL,
            )
            for name in ("one", "two")
        ]
        assert [process.wait(120) for process in started] == [0, 0]
    for name in ("one", "two"):
        assert essence(read(tmp_path / name)) == essence(simulated)


def hosts_of(run: int) -> list[int]:
    """Return the process ids of the hosts of a run in this process, in the order in which they
    started."""
    others = ("nats-server", "main() matchmaker")
    return sorted(
        pid for pid in children_of(run) if not any(word in command_of(pid) for word in others)
    )


@pytest.mark.nats
@pytest.mark.parametrize("isolation", ["process", "task", "subtree"])
def test_a_host_that_is_killed_while_planning_changes_nothing(
    simulated: RunResults, isolation: str
) -> None:
    chosen = settings(isolation=isolation, hosts=3)
    struck: list[int] = []

    def strike(coordinator: RunCoordinator) -> None:
        done = coordinator.latest.iteration if coordinator.latest else -1
        if (coordinator.attempt, len(struck)) in ((1, 0), (2, 1)) and done >= 2:
            struck.append(hosts_of(os.getpid())[1])
            os.kill(struck[-1], signal.SIGKILL)

    results = on_bus(chosen, strike, run="struck")
    assert len(struck) == 2
    assert essence(results) == essence(simulated)
    assert children_of(os.getpid()) == []


@pytest.mark.nats
def test_a_host_that_is_killed_too_often_ends_the_run_and_is_named() -> None:
    chosen = settings(isolation="process", iterations=100_000, deadline=600)

    struck: list[int] = []

    def strike(coordinator: RunCoordinator) -> None:
        # The first one is a fork like the others, those after it say what they are.
        hosts = [pid for pid in hosts_of(os.getpid()) if "host h7" in command_of(pid)]
        if coordinator.latest and not struck:
            hosts = [hosts_of(os.getpid())[7]]
        for pid in hosts:
            struck.append(pid)
            os.kill(pid, signal.SIGKILL)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("orchestrator.distributed.child_processes.RESTARTS_MAX", 2)
        with pytest.raises(RunError, match=r"h7 was ended by SIGKILL after 2 restarts"):
            on_bus(chosen, strike, run="struck")
    assert children_of(os.getpid()) == []


@pytest.mark.nats
def test_a_household_that_hangs_is_named_after_the_deadline() -> None:
    chosen = settings(isolation="process", iterations=100_000, deadline=3)
    stopped: list[int] = []

    def strike(coordinator: RunCoordinator) -> None:
        if coordinator.latest and not stopped:
            hosts = [p for p in children_of(os.getpid()) if "nats-server" not in command_of(p)]
            stopped.append(sorted(hosts)[9])
            os.kill(stopped[0], signal.SIGSTOP)

    with pytest.raises(RunError, match=r"no progress for 3 s while planning: no answer from h9"):
        on_bus(chosen, strike, run="hanging")
    assert not alive(stopped[0])


@contextlib.contextmanager
def endless(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a run that does not end by itself, and wait for its hosts; end it on exit."""
    with subprocess.Popen(
        [
            *(*COFLEX, "run", "--demo", "--households", "6", "--iterations", "10000000"),
            *("--isolation", "process", "--out", str(tmp_path / "out")),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            found = "six hosts, a matchmaker and a server"
            wait_until(lambda: len(children_of(process.pid)) == 8, found)
            yield process
        finally:
            process.kill()  # which ends all others


@pytest.mark.nats
def test_ctrl_c_ends_everything(tmp_path: Path) -> None:
    with endless(tmp_path) as process:
        family = children_of(process.pid)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in said
    assert "Traceback" not in said
    wait_until(lambda: not any(map(alive, family)), "hosts and server to end")
    assert not (tmp_path / "out").exists()


@pytest.mark.nats
def test_nothing_outlives_a_killed_parent(tmp_path: Path) -> None:
    with endless(tmp_path) as process:
        family = children_of(process.pid)
        process.kill()
    wait_until(lambda: not any(map(alive, family)), "hosts and server to end")


@pytest.mark.nats
def test_a_missing_server_at_the_url_is_reported_at_once() -> None:
    chosen = settings(isolation="task", hosts=2, nats="nats://127.0.0.1:9")
    with pytest.raises(InputError, match=r"no NATS server answers at nats://127.0.0.1:9"):
        on_bus(chosen, run="nobody")
    assert children_of(os.getpid()) == []
