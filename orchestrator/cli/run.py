"""`coflex run`, `simulate`, `orchestrate`: a whole run, on a bus or in one process."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory

import typer

from orchestrator.cli.monitoring_options import watched
from orchestrator.cli.progress import run_progress
from orchestrator.cli.settings_options import with_settings
from orchestrator.coordination.placement import Run
from orchestrator.distributed import launcher
from orchestrator.monitoring.prometheus import Operations
from orchestrator.reporting.terminal_summary import print_summary
from orchestrator.results.command_line import command_line
from orchestrator.results.result_files import write
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation import simulator
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
    scenario = read_scenario(settings)
    with _kept() as kept:
        with run_progress(scenario) as watch:
            named = Run(_announced_id(settings), scenario)
            results = launcher.launch(named, watch, kept=kept, operations=operations)
        _finish(results, settings, kept)


def simulate(settings: RunSettings) -> None:
    """The same run in one process, without a bus: for experiments."""
    scenario = read_scenario(settings, "simulation")
    with _kept() as kept:
        with run_progress(scenario) as watch:
            results = simulator.simulate(Run(run_id(settings.run), scenario), watch, kept=kept)
        _finish(results, settings, kept)


def orchestrate(settings: RunSettings, operations: Operations) -> None:
    """Run with hosts and matchmakers that stand by on the bus, and write the results."""
    scenario = read_scenario(settings, "standby")
    with run_progress(scenario) as watch:
        named = Run(_announced_id(settings), scenario)
        results = launcher.orchestrate(named, watch, operations=operations)
    _finish(results, settings)


def run_id(given: str | None) -> str:
    """Return the name given to the run, or one that no other run on the same bus has."""
    if given is not None:
        return check_name(given, "--run")
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{token_hex(3)}"


def _announced_id(settings: RunSettings) -> str:
    """Return the name of the run, and print it for people who run households of it themselves."""
    run = run_id(settings.run)
    if settings.externals:
        print(f"coflex: run {run} waits for {', '.join(settings.externals)}", file=sys.stderr)
    return run


@contextmanager
def _kept() -> Iterator[Path]:
    """Make the folder where hosts keep journals and schedules until the results are written."""
    with TemporaryDirectory(prefix="coflex-") as folder:
        yield Path(folder)


def _finish(results: RunResults, settings: RunSettings, kept: Path | None = None) -> None:
    ended = datetime.now().astimezone().isoformat(timespec="seconds")
    results = replace(results, ended=ended, command=command_line(sys.argv[1:]))
    write(results, settings.out, kept)
    print_summary(results, settings.out)
