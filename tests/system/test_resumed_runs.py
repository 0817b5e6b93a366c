"""Orchestrators that are killed in the middle of a run, and others that go on with it."""

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestrator.cli import main
from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.coordination.placement import Run
from orchestrator.coordination.run_phase import RunPhase
from orchestrator.coordination.unfinished_run import (
    CommandName,
    UnfinishedRun,
    begin,
    read,
)
from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.distributed.launcher import launch, orchestrate
from orchestrator.results import result_files
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from protocol.errors import InputError, RunError
from tests.support.settings import in_simulation, settings_of
from tests.support.standing_bus import Bus

SMALL: dict[str, object] = {
    **{"demo": True, "households": 12, "slots": 36, "iterations": 8, "seed": 3},
    **{"isolation": "task", "hosts": 2},
}
Moment = Callable[[RunCoordinator], bool]
MOMENTS: dict[str, Moment] = {
    "enrolment": lambda course: bool(course.enrolled),
    "stage 1": lambda course: course.latest is not None,
    "stage 2": lambda course: course.round is not None and course.round[0] > 0,
    "collection": lambda course: len(course.results) > 0,
    "release": lambda course: course.phase is RunPhase.RELEASING,
}


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bus]:
    with EmbeddedServer() as server:
        made = Bus(server, tmp_path_factory.mktemp("parts"))
        yield made
        for process in made.processes.values():
            process.kill()
            process.wait()


def do(unfinished: UnfinishedRun, moment: Moment = lambda course: False) -> RunResults:
    """Do the run, or go on with it; this process is killed at the moment."""
    standby = unfinished.command == "orchestrate"
    scenario = read_scenario(unfinished.settings, "standby" if standby else "bus")
    unfinished.check_data(scenario)
    run = Run(unfinished.run, scenario, unfinished.instance)

    def strike(course: RunCoordinator) -> None:
        if moment(course):
            os.kill(os.getpid(), signal.SIGKILL)

    with unfinished.locked():
        return (orchestrate if standby else launch)(run, strike, unfinished=unfinished)


def killed(settings: RunSettings, run: str, command: CommandName, moment: Moment) -> None:
    """Begin a run in another process, which is killed at the moment."""
    scenario = read_scenario(settings, "standby" if command == "orchestrate" else "bus")
    unfinished = begin(run, scenario, command)
    child = os.fork()
    if not child:
        try:
            do(unfinished, moment)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the run was over before"
    assert os.WTERMSIG(status) == signal.SIGKILL


@pytest.mark.nats
@pytest.mark.parametrize("moment", MOMENTS)
def test_hosts_that_stand_by_lose_nothing(moment: str, bus: Bus, tmp_path: Path) -> None:
    settings = settings_of(SMALL, nats=bus.url, out=tmp_path / "out")
    run = f"killed-{list(MOMENTS).index(moment)}"
    killed(settings, run, "orchestrate", MOMENTS[moment])
    results, reference = do(read(tmp_path / "out", {}, "orchestrate")), in_simulation(settings)
    assert results.rows == reference.rows
    assert results.demand.exchanged is not None
    assert reference.demand.exchanged is not None
    assert (results.demand.exchanged == reference.demand.exchanged).all()
    assert results.planning_history == reference.planning_history
    assert results.status == "done"
    assert results.seconds.total >= results.seconds.planning > 0.0


@pytest.mark.nats
@pytest.mark.parametrize("moment", ["stage 1", "stage 2", "release"])
def test_a_run_with_its_own_hosts_goes_on_from_their_journals(
    moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In turn, nobody waits for a lookup that was answered before.
    settings = settings_of(SMALL, content="slot", exchange_order="sequential", out=tmp_path / "out")
    killed(settings, "killed", "run", MOMENTS[moment])
    monkeypatch.setattr(sys, "argv", ["coflex", "run", "--resume", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    results, reference = result_files.read(tmp_path / "out"), in_simulation(settings)
    assert not (tmp_path / "out" / "unfinished").exists()
    assert sorted(file.name for file in (tmp_path / "out" / "journals").glob("*.sqlite"))
    planned = [(row.household, row.selected_plan) for row in results.rows]
    assert planned == [(row.household, row.selected_plan) for row in reference.rows]
    assert results.status == "done"
    assert results.exchange is not None
    assert results.exchange.households_worse == 0
    assert results.exchanged is not None
    assert results.exchanged.mean_comfort > results.planned.mean_comfort
    if moment == "stage 1":
        assert results.rows == reference.rows


@pytest.mark.nats
def test_an_id_that_was_used_is_refused_by_hosts(bus: Bus, tmp_path: Path) -> None:
    settings = settings_of(SMALL, nats=bus.url, out=tmp_path / "out")
    for number in range(2):
        unfinished = begin("used", read_scenario(settings, "standby"), "orchestrate")
        if number:
            with pytest.raises(RunError, match="the run id 'used' was used before: choose another"):
                do(unfinished)
        else:
            do(unfinished)
    assert not (tmp_path / "out" / "unfinished").exists()  # nothing can go on with it


def test_what_is_kept_is_for_its_owner_and_has_no_login(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.coordination.unfinished_run.END_SECONDS", 0.0)
    settings = settings_of(SMALL, nats="nats://me:password@127.0.0.1:9", out=tmp_path / "out")
    unfinished = begin("private", read_scenario(settings, "standby"), "orchestrate")
    with unfinished.locked():
        modes = {file.name: file.stat().st_mode & 0o777 for file in unfinished.folder.iterdir()}
        assert modes == {"run.json": 0o600, "lock": 0o600}
        assert unfinished.folder.stat().st_mode & 0o777 == 0o700
        assert "password" not in (unfinished.folder / "run.json").read_text()
        again = read(tmp_path / "out", {"nats": "nats://127.0.0.1:9"}, "orchestrate")
        assert (again.run, again.instance) == ("private", unfinished.instance)
        with pytest.raises(InputError, match="another process is busy with run private"):
            do(again)


def test_a_run_that_could_not_begin_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = "--demo --households 3 --slots 36 --hosts 1 --nats nats://127.0.0.1:9 --out"
    out = tmp_path / "out"
    monkeypatch.setattr(sys, "argv", ["coflex", "orchestrate", *options.split(), str(out)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "no NATS server answers" in capsys.readouterr().err
    assert not out.exists()


def test_only_what_was_made_for_a_run_is_removed(tmp_path: Path) -> None:
    for made in (True, False):
        out = tmp_path / "out"
        if not made:
            out.mkdir()
        unfinished = begin("short", read_scenario(settings_of(SMALL, out=out)), "run")
        for _ in range(2):
            unfinished.remove()
        assert out.exists() is not made


def test_other_data_are_refused(tmp_path: Path) -> None:
    settings = settings_of(SMALL, out=tmp_path / "out")
    unfinished = begin("changed", read_scenario(settings), "run")
    other = read_scenario(settings_of(SMALL, seed=4))
    with pytest.raises(InputError, match="the data of run changed have changed since it began"):
        unfinished.check_data(other)
