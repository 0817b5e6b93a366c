"""The progress that is reported to a program, however the news arrives."""

from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.coordination.placement import Run
from orchestrator.coordination.run_progress import ProgressTeller, RunProgress
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation.simulator import simulate


def test_news_that_arrive_together_are_reported_one_by_one() -> None:
    """One frame may bring several iterations, and then all rounds, at once."""
    small = {"demo": True, "households": 6, "slots": 24, "iterations": 5, "isolation": "task"}
    run = Run("together", read_scenario(RunSettings.model_validate(small), "simulation"))
    seen: list[RunCoordinator] = []
    each: list[RunProgress] = []
    teller = ProgressTeller(run.scenario, each.append)

    def watch(coordinator: RunCoordinator) -> None:
        seen.append(coordinator)
        teller.watch(coordinator)

    simulate(run, watch, iterated=teller.iterated)
    together: list[RunProgress] = []
    ProgressTeller(run.scenario, together.append).watch(seen[-1])
    later = [progress for progress in each if progress.stage != "enrolling"]
    assert [progress.done for progress in later if progress.stage == "planning"] == [1, 2, 3, 4, 5]
    assert later[-1].exchanges > 0
    assert together[1:] == later
