"""Progress bars, on a terminal alone: of a run, and of anything that can be counted."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from orchestrator.coordination.coordinator import RunCoordinator, RunPhase
from orchestrator.distributed.orchestrator_process import Watch
from orchestrator.scenario.scenario import Scenario


@contextmanager
def counting(what: str, *, threads: bool = True) -> Iterator[Callable[[int, int], None]]:
    """Show how many of how many are done, and the time left; the context's value is called with
    both numbers.

    Without `threads` the bar is only drawn when it changes: hosts must be forked before there is a
    thread.
    """
    left = (TextColumn("left"), TimeRemainingColumn())
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), *left)
    console, disable = Console(stderr=True), not sys.stderr.isatty()
    with Progress(*columns, console=console, auto_refresh=threads, disable=disable) as bars:
        task = bars.add_task(what, total=None)

        def show(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total, refresh=True)

        yield show


@contextmanager
def run_progress(scenario: Scenario) -> Iterator[Watch]:
    """Show iterations while a run is planning, and rounds while it is exchanging."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    # Drawn on demand: a drawing thread of its own must not exist when hosts are forked.
    with Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        auto_refresh=False,
        disable=not sys.stderr.isatty(),
    ) as bars:
        iterations = scenario.settings.iterations
        task = bars.add_task(RunPhase.ENROLLING.value, total=iterations, note="")
        shown: tuple[RunPhase, int] | None = None

        def watch(coordinator: RunCoordinator) -> None:
            nonlocal shown
            total, done, note = _steps(coordinator, scenario)
            if shown == (coordinator.phase, done):
                return
            shown = (coordinator.phase, done)
            description = coordinator.phase.value
            bars.update(task, description=description, total=total, completed=done, note=note)
            bars.refresh()

        yield watch


def _steps(coordinator: RunCoordinator, scenario: Scenario) -> tuple[int, int, str]:
    """Return the largest number of steps, how many are done, and what the last achieved."""
    iterations = scenario.settings.iterations
    if coordinator.round is not None:
        number, count = coordinator.round
        comfort = 1 - count.discomfort_kwh / count.households
        return scenario.rounds, max(number, 0), f"rounds at most, mean comfort {comfort:.3f}"
    if coordinator.latest is not None:
        note = f"inefficiency {coordinator.latest.inefficiency:.4g}"
        return iterations, coordinator.latest.iteration + 1, note
    return iterations, 0, ""
