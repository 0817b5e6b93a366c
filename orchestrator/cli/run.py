"""`coflex run`, `simulate`, `orchestrate`: a whole run, on a bus or in one process."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from orchestrator.cli.monitoring_options import watched
from orchestrator.cli.settings_options import with_settings
from orchestrator.coordination.coordinator import RunCoordinator, Stage
from orchestrator.distributed.launcher import run as run_live
from orchestrator.distributed.launcher import run_standing
from orchestrator.distributed.orchestrator_process import Watch
from orchestrator.operations import Operations
from orchestrator.reporting.terminal_summary import print_summary
from orchestrator.results.result_files import write
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.scenario import read_inputs
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation.simulator import simulate as run_simulated
from protocol.errors import InputError
from protocol.subjects import ORCHESTRATOR, check_name


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("run")(watched(with_settings(run), ORCHESTRATOR, "warning"))
    app.command("simulate")(with_settings(simulate))
    app.command("orchestrate")(watched(with_settings(orchestrate), ORCHESTRATOR, "info"))


def run(settings: RunSettings, operations: Operations) -> None:
    """Run households as processes on a NATS bus, and write the results."""
    if settings.external and settings.nats is None:
        raise InputError("say where they find the run: a NATS server", field="--nats")
    inputs = read_inputs(settings)
    with _kept() as kept:
        with _progress(settings) as watch:
            results = run_live(_call(settings), inputs, settings, watch, kept, operations)
        _finish(results, settings, kept)


def simulate(settings: RunSettings) -> None:
    """The same run in one process, without a bus: for experiments."""
    inputs = read_inputs(settings)
    with _kept() as kept:
        with _progress(settings) as watch:
            results = run_simulated(run_id(settings.run), inputs, settings, watch, kept)
        _finish(results, settings, kept)


def orchestrate(settings: RunSettings, operations: Operations) -> None:
    """Run with hosts and matchmakers that stand by on the bus, and write the results."""
    if settings.isolation == "auto":
        settings = settings.model_copy(update={"isolation": "subtree"})
    if settings.hosts is None and settings.isolation != "process":
        raise InputError("say how many hosts stand by: host-1, host-2, ...", field="--hosts")
    inputs = read_inputs(settings)
    with _progress(settings) as watch:
        results = run_standing(_call(settings), inputs, settings, watch, operations)
    write(results, settings.out)
    print_summary(results, settings.out)


def run_id(given: str | None) -> str:
    """The name that was given to the run, or one that no other run on the same bus has."""
    if given is not None:
        return check_name(given, "--run")
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{token_hex(3)}"


def _call(settings: RunSettings) -> str:
    """The name of the run; those who run households of it themselves are told what they must
    know."""
    run = run_id(settings.run)
    if settings.externals:
        print(f"coflex: run {run} waits for {', '.join(settings.externals)}", file=sys.stderr)
    return run


@contextmanager
def _kept() -> Iterator[Path]:
    """Where the hosts keep journals and schedules until the results are written."""
    with TemporaryDirectory(prefix="coflex-") as folder:
        yield Path(folder)


def _finish(results: RunResults, settings: RunSettings, kept: Path) -> None:
    write(results, settings.out, kept)
    print_summary(results, settings.out)


@contextmanager
def _progress(settings: RunSettings) -> Iterator[Watch]:
    """A bar of iterations while planning, of rounds while exchanging; only on a terminal."""
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

        def watch(course: RunCoordinator) -> None:
            nonlocal shown
            total, done, note = _state(course, settings)
            if shown == (course.stage, done):
                return
            shown = (course.stage, done)
            bars.update(
                task, description=course.stage.value, total=total, completed=done, note=note
            )
            bars.refresh()

        yield watch


def _state(course: RunCoordinator, settings: RunSettings) -> tuple[int, int, str]:
    """How many steps there are at most, how many are done, and what came of the last."""
    if course.round is not None:
        number, count = course.round
        comfort = 1 - count.discomfort / count.households
        return (
            settings.resolved_rounds(),
            max(number, 0),
            f"rounds at most, mean comfort {comfort:.3f}",
        )
    if course.latest is not None:
        note = f"inefficiency {course.latest.inefficiency:.4g}"
        return settings.iterations, course.latest.iteration + 1, note
    return settings.iterations, 0, ""
