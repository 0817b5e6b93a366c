"""Progress on a terminal, of a run or of anything that can be counted; files get none."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from shutil import get_terminal_size
from typing import TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.coordination.run_phase import RunPhase
from orchestrator.distributed.orchestrator_process import Watch
from orchestrator.monitoring.logs import CLEARED_LINE
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
    """Show one line for each stage of a run, each with a clock of its own: households enrolled,
    iterations planned, exchanges so far."""
    lines = StageLines(sys.stderr, scenario.common_terms.iterations, len(scenario.members))
    if not sys.stderr.isatty():
        yield lambda coordinator: None
        return
    try:
        yield lambda coordinator: lines.show(coordinator, time.monotonic())
    finally:
        lines.end()


class StageLines:
    """The lines of a run's stages on a terminal: finished ones stay, the last is redrawn.

    Only the line on which the cursor stands is ever redrawn, so that log lines of any process,
    which clear that line first (monitoring/logs.py), leave nothing broken behind.
    """

    def __init__(self, terminal: TextIO, iterations: int, households: int) -> None:
        self._terminal, self._iterations, self._households = terminal, iterations, households
        self._phase: RunPhase | None = None
        self._began = 0.0
        self._shown = ""

    def show(self, coordinator: RunCoordinator, now: float) -> None:
        """Redraw the line of the present stage if it has changed; `now` is in seconds."""
        phase = coordinator.phase
        if phase is not self._phase:
            if self._phase is not None:
                self._shown = ""  # a log line may have cleared it
                self._draw(self._phase, coordinator, now)
                self.end()
            self._phase, self._began = phase, now
        if phase not in (RunPhase.DONE, RunPhase.FAILED):
            self._draw(phase, coordinator, now)

    def end(self) -> None:
        """Leave the line that was drawn last as it is."""
        if self._shown:
            print(file=self._terminal, flush=True)
        self._shown = ""

    def _draw(self, phase: RunPhase, coordinator: RunCoordinator, now: float) -> None:
        facts = stage_facts(phase, coordinator, self._iterations, households=self._households)
        width = get_terminal_size((80, 24)).columns
        clock = timedelta(seconds=int(now - self._began))
        line = stage_line(phase.value.split()[0], facts, str(clock), width=width)
        if line != self._shown:
            print(f"{CLEARED_LINE}{line}", end="", file=self._terminal, flush=True)
            self._shown = line


def stage_line(name: str, facts: list[str], clock: str, width: int) -> str:
    """Return the name of a stage, as many facts as fit into a line of the terminal, and a clock."""
    room = width - 1 - len(f"{name:<10}  {clock}")
    said = ""
    for fact in facts:
        longer = f"{said}, {fact}" if said else fact
        if len(longer) > room:
            break
        said = longer
    return f"{name:<10} {said} {clock}" if said else f"{name:<10} {clock}"


def stage_facts(
    phase: RunPhase, coordinator: RunCoordinator, iterations: int, households: int
) -> list[str]:
    """Return how far a run is in a stage, in the units of that stage, the most important first."""
    if phase is RunPhase.ENROLLING:
        return [f"{len(coordinator.enrolled)} of {households} households"]
    if phase is RunPhase.EXCHANGING and coordinator.round is not None:
        number, count = coordinator.round
        comfort = 1 - count.discomfort_kwh / count.households
        facts = [f"{coordinator.exchanges:,} exchanges", f"mean comfort {comfort:.3f}"]
        return [facts[0], f"round {number}", facts[1]] if number > 0 else facts
    if phase is RunPhase.PLANNING and coordinator.latest is not None:
        latest = coordinator.latest
        done = f"{latest.iteration + 1} of {iterations} iterations"
        return [done, f"inefficiency {latest.inefficiency:.4g}"]
    return []
