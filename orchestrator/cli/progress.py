"""Progress on a terminal, of a run or of anything that can be counted; files get none."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from orchestrator.coordination.coordinator import RunCoordinator, RunPhase
from orchestrator.distributed.orchestrator_process import Watch
from orchestrator.scenario.scenario import Scenario


@contextmanager
def counting(what: str, *, threads: bool = True) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar; the context's value is a function that takes `done` and `total`.

    Without `threads`, the bar is drawn only when it changes, because hosts must be forked before
    the first thread starts.
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
    """Show one line with a clock for each phase of a run: households enrolled, iterations done,
    exchanges made."""
    columns = (
        TextColumn("{task.description}"),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
    )
    # Drawn on demand, because no drawing thread may exist when hosts are forked.
    with Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        auto_refresh=False,
        disable=not sys.stderr.isatty(),
    ) as bars:
        task: TaskID | None = None
        shown: tuple[RunPhase, str] | None = None

        def watch(coordinator: RunCoordinator) -> None:
            nonlocal task, shown
            phase, note = coordinator.phase, progress_note(coordinator, scenario)
            if shown == (phase, note):
                return
            if task is None or shown is None or shown[0] is not phase:
                if task is not None:
                    bars.stop_task(task)
                task = bars.add_task(phase.value, total=None, note=note)
            shown = phase, note
            bars.update(task, note=note)
            bars.refresh()

        yield watch


def progress_note(coordinator: RunCoordinator, scenario: Scenario) -> str:
    """Return how far a run has come in its present phase."""
    if coordinator.phase is RunPhase.ENROLLING:
        return f"{len(coordinator.enrolled)} of {len(scenario.members)} households"
    if coordinator.round is not None:
        number, count = coordinator.round
        comfort = 1 - count.discomfort_kwh / count.households
        return f"{coordinator.exchanges:,} exchanges, round {number}, mean comfort {comfort:.3f}"
    if coordinator.latest is not None:
        done, latest = coordinator.latest.iteration + 1, coordinator.latest
        total = scenario.settings.iterations
        return f"{done} of {total} iterations, inefficiency {latest.inefficiency:.4g}"
    return ""
