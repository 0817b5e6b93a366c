"""The progress of runs and sweeps, reported to a function of the caller's."""

import asyncio
from pathlib import Path
from typing import Literal

import psutil
import pytest

import coflex
from coflex import RunProgress

SMALL = coflex.Scenario(demo=True, households=7, slots=36, iterations=6, seed=3)


class CallerError(Exception):
    """An error that only the caller knows."""


def complain(progress: RunProgress) -> None:
    if (progress.stage, progress.done) == ("planning", 3):
        raise CallerError("enough")


def check(reports: list[RunProgress], outcome: coflex.Outcome) -> None:
    results = outcome.results
    assert results.exchange is not None
    stages = [progress.stage for progress in reports]
    assert stages == sorted(stages, key=["enrolling", "planning", "exchanging"].index)
    planning = [progress for progress in reports if progress.stage == "planning"]
    assert [(p.done, p.of, p.exchanges) for p in planning] == [(n, 6, 0) for n in range(1, 7)]
    history = [row.inefficiency for row in results.planning_history]
    assert [progress.inefficiency for progress in planning] == history
    last = reports[-1]
    assert last.stage == "exchanging"
    assert (last.done, last.of) == (results.exchange.rounds, 50)
    assert (last.exchanges, last.inefficiency) == (results.exchange.accepted, history[-1])


@pytest.mark.parametrize("isolation", ["subtree", "task"])
def test_a_simulation_reports_every_iteration_and_round(
    isolation: Literal["subtree", "task"],
) -> None:
    reports: list[RunProgress] = []
    scenario = SMALL.changed(isolation=isolation)
    outcome = coflex.simulate(scenario, progress=reports.append)
    check(reports, outcome)
    assert outcome.results.rows == coflex.simulate(scenario).results.rows


def test_an_error_of_the_caller_ends_a_simulation() -> None:
    with pytest.raises(CallerError, match="enough"):
        coflex.simulate(SMALL, progress=complain)


@pytest.mark.nats
def test_a_run_reports_too() -> None:
    reports: list[RunProgress] = []
    check(reports, coflex.run(SMALL, progress=reports.append, isolation="task", hosts=2))


@pytest.mark.nats
async def test_a_run_in_a_fresh_interpreter_reports_too() -> None:
    reports: list[RunProgress] = []
    check(reports, coflex.run(SMALL, progress=reports.append, isolation="task", hosts=2))


@pytest.mark.nats
@pytest.mark.parametrize("fresh", [True, False])
def test_an_error_of_the_caller_ends_a_run_and_leaves_nothing(
    fresh: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)

    def attempt() -> None:
        with pytest.raises(CallerError, match="enough"):
            coflex.run(SMALL, progress=complain, isolation="task", hosts=2)

    async def inside_a_loop() -> None:
        attempt()

    asyncio.run(inside_a_loop()) if fresh else attempt()
    assert psutil.Process().children(recursive=True) == []
    assert list(tmp_path.iterdir()) == []


def test_a_sweep_reports_and_ends(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    reports: list[RunProgress] = []
    tiny = SMALL.changed(households=3, iterations=2)
    coflex.sweep(tiny, over={"beta": [0, 0.5]}, replications=2, progress=reports.append)
    assert reports == [RunProgress("sweep", done, 4) for done in range(5)]

    def enough(progress: RunProgress) -> None:
        if progress.done == 1:
            raise CallerError("enough")

    with pytest.raises(CallerError):
        coflex.sweep(tiny, over={"beta": [0, 0.5]}, folder=tmp_path, progress=enough)
    frame = coflex.sweep(tiny, over={"beta": [0, 0.5]}, folder=tmp_path, progress=reports.append)
    assert reports[5].done == 1  # the run that was over before the error is kept
    assert len(frame) == 2
