"""Progress on a terminal: of a run, and of anything that can be counted. Files get none."""

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
    """Show one line for each stage of a run, each with a clock of its own: households enrolled,
    iterations planned, exchanges so far."""
    columns = (
        TextColumn("{task.description}"),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
    )
    # Drawn on demand: a drawing thread of its own must not exist when hosts are forked.
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
    """Return how far a run is in its present stage, in the units of that stage."""
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
