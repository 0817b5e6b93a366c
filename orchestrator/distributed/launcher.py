"""The launcher of a run on the bus: starts server, hosts, matchmakers and orchestrator, watches
them and ends them. When the other parts stand by, it runs only the orchestrator.
"""

import contextlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from secrets import token_bytes
from tempfile import TemporaryDirectory

from orchestrator.coordination.commissions import SECRET_BYTES
from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.coordination.nodes import orchestrator_of
from orchestrator.coordination.outcome import collect, seconds_of, traffic_of
from orchestrator.coordination.placement import Run
from orchestrator.coordination.run_journal import RunJournal
from orchestrator.coordination.run_phase import RunPhase
from orchestrator.coordination.unfinished_run import UnfinishedRun
from orchestrator.distributed.child_processes import Command, CommandProcesses, HostProcesses
from orchestrator.distributed.connection import as_options, reach
from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.distributed.host_process import run_host
from orchestrator.distributed.machine_limits import check_open_files, lacks_named
from orchestrator.distributed.orchestrator_process import Watch, run_orchestrator
from orchestrator.distributed.trial_run import try_bus
from orchestrator.monitoring.logs import LogSettings, PartLog
from orchestrator.monitoring.prometheus import UNWATCHED, Operations
from orchestrator.results.run_results import RunResults
from protocol.errors import INTERRUPTED, InputError, RunError
from protocol.runtime import event_loop
from protocol.runtime.shell import Shell
from protocol.subjects import ORCHESTRATOR
from protocol.transport.bus import Connection

FAREWELL = 5.0
"""Seconds that hosts have to end by themselves."""
_COFLEX = (sys.executable, "-c", "from orchestrator.cli import main; main()")


def ignore(coordinator: RunCoordinator) -> None:
    """Do nothing: the `watch` of a run whose progress is not shown."""


def launch(
    run: Run,
    watch: Watch = ignore,
    *,
    kept: Path | None = None,
    unfinished: UnfinishedRun | None = None,
    operations: Operations = UNWATCHED,
) -> RunResults:
    """Run on the bus, with one process per host, and return the results.

    Hosts keep journals and schedules in the folder `kept`, by default a temporary one; with
    `unfinished`, in its folder, so that the run can go on after this process was killed, and does
    so if it has begun. Raises RunError with the reason if the run fails.
    """
    try:
        with lacks_named(), contextlib.ExitStack() as stack:
            if unfinished is not None:
                kept = unfinished.folder
            if kept is None:
                kept = Path(stack.enter_context(TemporaryDirectory(prefix="coflex-")))
            return _launch(run, watch, kept=kept, unfinished=unfinished, operations=operations)
    except KeyboardInterrupt:  # before or after the loop that handles it
        raise RunError(INTERRUPTED) from None


def orchestrate(
    run: Run,
    watch: Watch = ignore,
    *,
    unfinished: UnfinishedRun | None = None,
    operations: Operations = UNWATCHED,
) -> RunResults:
    """Run with hosts and matchmakers that stand by at the URL of the settings, and return the
    results.

    The hosts keep their own journals. With `unfinished` the run can go on after this process was
    killed, and does so if it has begun. Raises RunError with the reason if the run fails.
    """
    settings, journal = run.scenario.settings, _journal(unfinished)
    connection = reach(settings.nats, ORCHESTRATOR, settings.keys, insecure=settings.insecure)
    node, coordinator = orchestrator_of(run, _secret(unfinished), journal)
    _resume(coordinator)
    try:
        run_orchestrator(
            run,
            node,
            coordinator,
            connection=connection,
            watch=watch,
            endpoint=operations.endpoint,
        )
    except KeyboardInterrupt:
        raise RunError(INTERRUPTED) from None
    finally:
        _close(unfinished, coordinator)
    seconds = seconds_of(coordinator, journal.began)
    return collect(run, coordinator, own=traffic_of(node), seconds=seconds)


def _journal(unfinished: UnfinishedRun | None) -> RunJournal:
    """Return the journal of the orchestrator of a run that begins now, or goes on."""
    journal = RunJournal(None if unfinished is None else unfinished.journal)
    journal.began = time.monotonic()
    return journal


def _secret(unfinished: UnfinishedRun | None) -> bytes:
    """Return the secret from which the keys of the run's matchmakers follow."""
    return token_bytes(SECRET_BYTES) if unfinished is None else unfinished.secret


def _resume(coordinator: RunCoordinator) -> None:
    """Go on with the run if another process has begun it."""
    told = coordinator.journal.told(coordinator.address)
    if told:
        coordinator.resume(told, time.monotonic())


def _close(unfinished: UnfinishedRun | None, coordinator: RunCoordinator) -> None:
    """Close the orchestrator's journal; remove all files of a run that has failed."""
    coordinator.journal.close()
    if unfinished is not None and coordinator.phase is RunPhase.FAILED:
        unfinished.remove()  # nobody goes on with it


def matchmaker_command(run: str, connection: Connection, logs: LogSettings) -> Command:
    """Return the command that starts a matchmaker of a run."""
    options = (*as_options(connection), "--run", run, *logs.as_options())
    return (*_COFLEX, "matchmaker", connection.name, *options)


def host_command(run: str, connection: Connection, *, kept: Path, logs: LogSettings) -> Command:
    """Return the command that starts one host of a run."""
    options = (*as_options(connection), "--run", run, "--keep", str(kept), *logs.as_options())
    return (*_COFLEX, "host", connection.name, *options)


def _launch(
    run: Run,
    watch: Watch,
    *,
    kept: Path,
    unfinished: UnfinishedRun | None,
    operations: Operations,
) -> RunResults:
    log, matchmakers = PartLog(ORCHESTRATOR, run.id), _matchmakers(run)
    journal = _journal(unfinished)
    node, coordinator = orchestrator_of(run, _secret(unfinished), journal)
    with contextlib.ExitStack() as stack:
        stack.callback(_close, unfinished, coordinator)
        connection = _connection(run, stack)
        if run.scenario.settings.nats is None:
            log.info("embedded server", url=connection.url)
        if run.hosts:
            event_loop.run(try_bus(run, connection, next(iter(run.hosts))))
        hosts = stack.enter_context(HostProcesses())

        def host(name: str) -> None:
            run_host(
                run,
                connection.named(name),
                kept=kept,
                # Without `unfinished`, nothing goes on with these journals after this process.
                temporary=unfinished is None,
                once_running=hosts.end_with_parent,
            )

        hosts.start(list(run.hosts), host)
        commands = _commands(run, connection, kept=kept, logs=operations.logs)
        others = stack.enter_context(CommandProcesses(commands))
        for name in matchmakers:
            others.start(name)
        _resume(coordinator)
        run_orchestrator(
            run,
            node,
            coordinator,
            connection=connection,
            watch=watch,
            endpoint=operations.endpoint,
            child_ended=_supervision(run, coordinator, hosts, others=others, log=log),
        )
        hosts.join(FAREWELL)
        if hosts.failed:  # at the very end, with its schedules
            raise RunError(str(hosts.failed[0]))
    seconds = seconds_of(coordinator, journal.began)
    return collect(run, coordinator, own=traffic_of(node), seconds=seconds)


def _supervision(
    run: Run,
    coordinator: RunCoordinator,
    hosts: HostProcesses,
    *,
    others: CommandProcesses,
    log: PartLog,
) -> Callable[[Shell], None]:
    """Return the function to call whenever a process may have ended.

    A part ends by itself once it has been released. The function restarts a part that was killed
    before, and fails the run if it cannot.
    """

    def child_ended(shell: Shell) -> None:
        for ended in (*hosts.reap(), *others.reap()):
            if coordinator.phase is RunPhase.RELEASING or coordinator.finished:
                continue
            if not ended.status:
                reason = str(ended)
            elif ended.status < 0 and ended.name in run.hosts and run.scenario.own.given():
                reason = f"{ended}, and cannot start again with functions of this process"
            else:
                reason = others.restart(ended)
            if reason:
                log.info("part ended", reason=str(ended), again=False)
                shell.post(coordinator.fail(reason, shell.clock()))
            else:
                log.warning("part ended", reason=str(ended), again=True)

    return child_ended


def _matchmakers(run: Run) -> list[str]:
    return [address.host for address in run.scenario.matchmakers]


def _commands(
    run: Run, connection: Connection, *, kept: Path, logs: LogSettings
) -> dict[str, Command]:
    """Return the commands that start single parts of the run, by name of the part."""
    return {
        **{
            name: matchmaker_command(run.id, connection.named(name), logs)
            for name in _matchmakers(run)
        },
        **{
            name: host_command(run.id, connection.named(name), kept=kept, logs=logs)
            for name in run.hosts
        },
    }


def _connection(run: Run, stack: contextlib.ExitStack) -> Connection:
    """Return the orchestrator's connection to the server in the settings, or to an embedded server
    that `stack` ends.

    Raises InputError if a part of the run could not connect to the server in the settings.
    """
    settings = run.scenario.settings
    if settings.nats is not None:
        for name in (*run.hosts, *_matchmakers(run)):
            reach(settings.nats, name, settings.keys, insecure=settings.insecure)
        return reach(settings.nats, ORCHESTRATOR, settings.keys, insecure=settings.insecure)
    if settings.keys is not None:
        raise InputError(
            "the embedded server needs no keys: name a server with --nats", field="--keys"
        )
    # Two more than the parts: the orchestrator's, and one that is still closing.
    check_open_files(2 + len(run.hosts) + len(run.scenario.matchmakers))
    return Connection(stack.enter_context(EmbeddedServer()).url, ORCHESTRATOR, embedded=True)
