"""`coflex run` and `coflex simulate`: a whole run, on a bus or in one process."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from secrets import token_hex

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from orchestrator.cli.options import with_settings
from orchestrator.course import RunCourse, Stage
from orchestrator.inputs import read_inputs
from orchestrator.live import Watch
from orchestrator.live import run as run_live
from orchestrator.results import RunResults, write
from orchestrator.settings import RunSettings
from orchestrator.simulate import simulate as run_simulated
from orchestrator.summary import print_summary


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("run")(with_settings(run))
    app.command("simulate")(with_settings(simulate))


def run(settings: RunSettings) -> None:
    """Run households as processes on a NATS bus, and write the results."""
    inputs = read_inputs(settings)
    with _progress(settings) as watch:
        results = run_live(_run_id(), inputs, settings, watch)
    _finish(results, settings)


def simulate(settings: RunSettings) -> None:
    """The same run in one process, without a bus: for experiments."""
    inputs = read_inputs(settings)
    with _progress(settings) as watch:
        results = run_simulated(_run_id(), inputs, settings, watch)
    _finish(results, settings)


def _run_id() -> str:
    """A name for the run that no other run on the same bus has."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{token_hex(3)}"


def _finish(results: RunResults, settings: RunSettings) -> None:
    write(results, settings.out)
    print_summary(results, settings.out)


@contextmanager
def _progress(settings: RunSettings) -> Iterator[Watch]:
    """A bar of iterations while the run lasts; only on a terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    console = Console(stderr=True)
    # Drawn on demand: a drawing thread of its own must not exist when hosts are forked.
    with Progress(
        *columns,
        console=console,
        transient=True,
        auto_refresh=False,
        disable=not sys.stderr.isatty(),
    ) as bars:
        task = bars.add_task(Stage.ENROLLING.value, total=settings.iterations, note="")
        shown: tuple[Stage, int] | None = None

        def watch(course: RunCourse) -> None:
            nonlocal shown
            done = course.latest.iteration + 1 if course.latest else 0
            if shown == (course.stage, done):
                return
            shown = (course.stage, done)
            note = f"inefficiency {course.latest.inefficiency:.4g}" if course.latest else ""
            bars.update(task, description=course.stage.value, completed=done, note=note)
            bars.refresh()

        yield watch
