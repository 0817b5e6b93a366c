"""`coflex run`, `simulate` and `orchestrate`: a whole run, on a bus or in one process."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from shutil import rmtree
from tempfile import TemporaryDirectory, mkdtemp
from typing import Annotated

import typer

from orchestrator.cli.options.monitoring_options import watched
from orchestrator.cli.options.settings_options import RESULTS_PANEL, with_settings
from orchestrator.cli.progress import run_progress
from orchestrator.coordination.placement import Run
from orchestrator.coordination.unfinished_run import UnfinishedRun, begin
from orchestrator.distributed import launcher
from orchestrator.monitoring.prometheus import Operations
from orchestrator.reporting.terminal_summary import print_summary
from orchestrator.results.audit import require_conserved
from orchestrator.results.command_line import command_line
from orchestrator.results.device_schedules import with_saved_devices
from orchestrator.results.result_files import UNFINISHED_FOLDER, check_output, write
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.option_effects import without_effect
from orchestrator.scenario.scenario import Scenario, read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation import simulator
from protocol.errors import InputError, RunError
from protocol.subjects import ORCHESTRATOR, check_name

Force = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Replace the results of an earlier run in --out; other files there are kept.",
        rich_help_panel=RESULTS_PANEL,
    ),
]


Keep = Annotated[
    bool,
    typer.Option(
        "--keep",
        help="Keep what is needed to go on with the run after this process was killed (--resume).",
        rich_help_panel=RESULTS_PANEL,
    ),
]
Resume = Annotated[
    Path | None,
    typer.Option(
        "--resume",
        metavar="DIR",
        help="Go on with the run that has not ended in this folder, with its own options.",
        rich_help_panel=RESULTS_PANEL,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("run")(watched(with_settings(run, "run"), ORCHESTRATOR, "warning"))
    app.command("simulate")(with_settings(simulate, "simulate"))
    orchestrated = with_settings(orchestrate, "orchestrate")
    app.command("orchestrate")(watched(orchestrated, ORCHESTRATOR, "info"))


def run(
    settings: RunSettings | UnfinishedRun,
    operations: Operations,
    force: Force = False,
    keep: Keep = False,
    resume: Resume = None,
) -> None:
    """Run households as processes on a NATS bus, and write the results."""
    if isinstance(settings, UnfinishedRun):
        _go_on(settings, operations, force=force or keep)
        return
    if settings.external and settings.nats is None:
        raise InputError("name the NATS server that external households use", field="--nats")
    check_output(settings.out, force=force)
    scenario = read_scenario(settings)
    _refuse_idle_hosts(scenario)
    named = _announced_id(settings)
    if keep:
        _run_kept(begin(named, scenario, "run"), scenario, operations)
        return
    with _kept() as kept:
        with run_progress(scenario) as watch:
            results = launcher.launch(Run(named, scenario), watch, kept=kept, operations=operations)
        _finish(results, settings, kept)


def simulate(settings: RunSettings, force: Force = False) -> None:
    """Run households in one process, without a bus and with the same results, for experiments."""
    check_output(settings.out, force=force)
    scenario = read_scenario(settings, "simulation")
    with _kept() as kept:
        with run_progress(scenario) as watch:
            results = simulator.simulate(Run(run_id(settings.run), scenario), watch, kept=kept)
        _finish(results, settings, kept)


def orchestrate(
    settings: RunSettings | UnfinishedRun,
    operations: Operations,
    force: Force = False,
    resume: Resume = None,
) -> None:
    """Run households with hosts and matchmakers that stand by on a bus, and write the results."""
    if isinstance(settings, UnfinishedRun):
        _go_on(settings, operations, force=force)
        return
    check_output(settings.out, force=force)
    scenario = read_scenario(settings, "standby")
    unfinished = begin(_announced_id(settings), scenario, "orchestrate")
    _run_kept(unfinished, scenario, operations)


def _go_on(unfinished: UnfinishedRun, operations: Operations, *, force: bool) -> None:
    """Go on with a run that another process has begun."""
    if force:
        raise InputError("has no effect beside --resume", field="--force or --keep")
    standby = unfinished.command == "orchestrate"
    scenario = read_scenario(unfinished.settings, "standby" if standby else "bus")
    unfinished.check_data(scenario)
    _run_kept(unfinished, scenario, operations)


def _run_kept(unfinished: UnfinishedRun, scenario: Scenario, operations: Operations) -> None:
    """Do a run, or the rest of it, that can go on after this process was killed."""
    named = Run(unfinished.run, scenario, unfinished.instance)
    do = launcher.launch if unfinished.command == "run" else launcher.orchestrate
    with unfinished.locked():
        try:
            with run_progress(scenario) as watch:
                results = do(named, watch, unfinished=unfinished, operations=operations)
        except (InputError, RunError):
            if not unfinished.has_begun:
                unfinished.remove()
            raise
        _finish(results, scenario.settings, unfinished.folder)


def run_id(given: str | None) -> str:
    """Return the id given to the run, or a new one that no other run on the bus has."""
    if given is not None:
        return check_name(given, "--run")
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{token_hex(3)}"


def _announced_id(settings: RunSettings) -> str:
    """Return the id of the run; print it if other people run some of its households."""
    run = run_id(settings.run)
    if settings.externals:
        print(f"coflex: run {run} waits for {', '.join(settings.externals)}", file=sys.stderr)
    return run


@contextmanager
def _kept() -> Iterator[Path]:
    """Provide the folder where hosts keep journals and schedules until the results are written."""
    with TemporaryDirectory(prefix="coflex-") as folder:
        yield Path(folder)


def _finish(results: RunResults, settings: RunSettings, kept: Path | None = None) -> None:
    ended = datetime.now().astimezone().isoformat(timespec="seconds")
    results = with_saved_devices(results, kept)
    results = replace(results, ended=ended, command=command_line(sys.argv[1:]))
    try:
        write(results, settings.out, kept)
    except InputError as error:  # the folder could be written when the run began
        raise RunError(_rescue(results, kept, error)) from error
    rmtree(settings.out / UNFINISHED_FOLDER, ignore_errors=True)  # this run's, or one given up
    print_summary(results, settings.out)
    require_conserved(results.audit, f" in {settings.out}")


def _rescue(results: RunResults, kept: Path | None, error: InputError) -> str:
    """Write the results into a temporary folder instead; return a message that says where."""
    place = Path(mkdtemp(prefix="coflex-results-"))
    try:
        write(results, place, kept)
    except InputError as second:
        place.rmdir()
        return f"{error}; a temporary folder failed too ({second.reason}): the results are lost"
    return f"{error}. The complete results are in {place}: move them from there"


def _refuse_idle_hosts(scenario: Scenario) -> None:
    """Refuse --hosts if `auto` has resolved to one process per household."""
    resolved = scenario.settings.model_copy(update={"isolation": scenario.isolation})
    if "hosts" in (found := without_effect(resolved, "run")):
        raise InputError(f"has no effect: {found['hosts']}", field="--hosts")
