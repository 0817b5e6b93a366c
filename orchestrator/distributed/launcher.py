"""A run on the bus: server, host processes, orchestrator. Starts them, watches them, ends them."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from orchestrator.coordination.coordinator import RunCoordinator, Stage
from orchestrator.coordination.nodes import (
    host_node,
    layout,
    matchmaker_addresses,
    matchmaker_node,
    orchestrator_node,
)
from orchestrator.coordination.outcome import collect
from orchestrator.distributed.announcements import announcement
from orchestrator.distributed.child_processes import HostProcesses
from orchestrator.distributed.connection import reach
from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.distributed.host_process import run_host, take_part
from orchestrator.distributed.orchestrator_process import (
    INTERRUPTED,
    Watch,
    own_tally,
    run_orchestrator,
    seconds_of,
)
from orchestrator.monitoring.logs import PartLog
from orchestrator.monitoring.part_status import PartStatus
from orchestrator.monitoring.presence import state_of
from orchestrator.monitoring.prometheus import exposed
from orchestrator.operations import UNWATCHED, Operations
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.scenario import Scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.services import Services, host_command, matchmaker_command
from protocol.errors import InputError, RunError
from protocol.messages import Address, RunState
from protocol.runtime.host_endpoint import host_endpoint
from protocol.runtime.node import Node
from protocol.runtime.shell import Shell
from protocol.subjects import ORCHESTRATOR
from protocol.terms import ExchangeTerms, Terms
from protocol.transport.bus import Connection
from protocol.transport.nats_bus import NatsBus

FAREWELL = 5.0
"""Seconds for hosts to end by themselves."""

TRIED, TRIED_ITERATIONS, TRIED_ROUNDS, TRIAL_DEADLINE = 7, 20, 2, 30.0
"""Households, iterations, rounds and seconds of the trial before a run."""


def run(
    run_id: str,
    inputs: Scenario,
    settings: RunSettings,
    watch: Watch,
    kept: Path | None = None,
    operations: Operations = UNWATCHED,
) -> RunResults:
    """Run on the bus, each host a process of its own, which keeps its journal and schedules in the
    folder `kept` (or one that is gone afterwards). RunError says why it could not end well."""
    try:
        with contextlib.ExitStack() as stack:
            if kept is None:
                kept = Path(stack.enter_context(TemporaryDirectory(prefix="coflex-")))
            return _run(run_id, inputs, settings, watch, kept, operations)
    except KeyboardInterrupt:  # before or after the loop that handles it
        raise RunError(INTERRUPTED) from None


def _run(
    run_id: str,
    inputs: Scenario,
    settings: RunSettings,
    watch: Watch,
    kept: Path,
    operations: Operations,
) -> RunResults:
    began, log, logs = time.monotonic(), PartLog(ORCHESTRATOR, run_id), operations.logs
    members = inputs.members
    hosts = layout(members, settings)
    makers = matchmaker_addresses(settings)
    node, course = orchestrator_node(
        run_id, members, inputs.terms, settings.deadline, matchmakers=makers
    )
    with contextlib.ExitStack() as stack:
        bus = _way(settings, [*hosts, *(maker.host for maker in makers)], stack)
        if settings.nats is None:
            log.info("embedded server", url=bus.url)

        def host(name: str) -> None:
            run_host(
                run_id,
                hosts[name],
                inputs,
                settings,
                kept=kept,
                connection=bus.named(name),
                once_running=processes.end_with_parent,
            )

        def child_ended(shell: Shell) -> None:
            # A part ends by itself once it has been released; one killed before is started again.
            for ended in (*processes.reap(), *services.reap()):
                if course.stage is Stage.RELEASING or course.finished:
                    continue
                reason = str(ended) if not ended.status else services.restart(ended)
                log.warning("part ended", reason=str(ended), again=not reason)
                if reason:
                    shell.post(course.fail(reason, shell.clock()))

        if hosts:
            asyncio.run(_try(run_id, inputs, bus, next(iter(hosts))))
        processes = stack.enter_context(HostProcesses())
        processes.start(list(hosts), host)
        commands = {
            **{m.host: matchmaker_command(run_id, bus.named(m.host), logs) for m in makers},
            **{name: host_command(run_id, bus.named(name), kept, logs) for name in hosts},
        }
        services = stack.enter_context(Services(commands))
        for maker in makers:
            services.start(maker.host)
        announced = announcement(inputs, settings, makers)
        duty, state = _seen(run_id, course, settings, hosts)
        with exposed(duty, operations.endpoint):
            trouble = asyncio.run(
                run_orchestrator(node, course, bus, announced, watch, duty, state, child_ended)
            )
        if course.reason:
            raise RunError("; ".join(filter(None, (course.reason, trouble))))
        processes.join(FAREWELL)
    seconds = seconds_of(course, began)
    return collect(run_id, inputs, settings, course, own_tally(node), seconds, "bus")


def run_standing(
    run_id: str,
    inputs: Scenario,
    settings: RunSettings,
    watch: Watch,
    operations: Operations = UNWATCHED,
) -> RunResults:
    """Run with hosts and matchmakers that stand by at the URL of the settings; they keep their
    journals themselves. RunError says why it could not end well."""
    connection = reach(settings.nats, ORCHESTRATOR, settings.keys, settings.insecure)
    began, makers = time.monotonic(), matchmaker_addresses(settings)
    node, course = orchestrator_node(
        run_id, inputs.members, inputs.terms, settings.deadline, matchmakers=makers
    )
    announced = announcement(inputs, settings, makers)
    duty, state = _seen(run_id, course, settings, layout(inputs.members, settings))
    try:
        with exposed(duty, operations.endpoint):
            trouble = asyncio.run(
                run_orchestrator(node, course, connection, announced, watch, duty, state)
            )
    except KeyboardInterrupt:
        raise RunError(INTERRUPTED) from None
    if course.reason:
        raise RunError("; ".join(filter(None, (course.reason, trouble))))
    seconds = seconds_of(course, began)
    return collect(run_id, inputs, settings, course, own_tally(node), seconds, "bus")


def _seen(
    run_id: str, course: RunCoordinator, settings: RunSettings, hosts: Mapping[str, Sequence[str]]
) -> tuple[PartStatus, Callable[[], RunState]]:
    """What the orchestrator shows of itself to metrics, and to an operator."""
    sizes = {host: len(households) for host, households in hosts.items()}
    return PartStatus(ORCHESTRATOR, "orchestrator"), state_of(run_id, course, settings, sizes)


def _way(settings: RunSettings, names: Iterable[str], stack: contextlib.ExitStack) -> Connection:
    """The orchestrator's connection, to a server that `stack` ends unless it is somebody's. There,
    the parts of these names can connect as well."""
    if settings.nats is not None:
        for name in names:
            reach(settings.nats, name, settings.keys, settings.insecure)
        return reach(settings.nats, ORCHESTRATOR, settings.keys, settings.insecure)
    if settings.keys is not None:
        raise InputError(
            "the embedded server has no use for keys: name a server with --nats", field="--keys"
        )
    return Connection(stack.enter_context(EmbeddedServer()).url, ORCHESTRATOR)


async def _try(run_id: str, inputs: Scenario, connection: Connection, name: str) -> None:
    """A short run of a few households in this process, over the bus, as the host `name`: it must
    carry a run at all.

    What has run once here, forked hosts need not warm up again each in memory of its own.
    """
    members, slots = inputs.members[:TRIED], inputs.population.slots
    exchange = None
    if inputs.terms(members[0]).exchange is not None:
        exchange = ExchangeTerms(rounds=TRIED_ROUNDS)
    terms = Terms(iterations=TRIED_ITERATIONS, patience_seconds=TRIAL_DEADLINE, exchange=exchange)
    trial, maker = f"{run_id}-trial", Address("matchmaker-1", "matchmaker-1")
    host = host_node(trial, name, {m: inputs.population.households[m] for m in members})
    node, course = orchestrator_node(
        trial, members, lambda _: terms, TRIAL_DEADLINE, matchmakers=[maker] if exchange else []
    )

    async def drive(own: Node, done: Callable[[], bool]) -> None:
        bus = await NatsBus.connect(connection.named(own.name))
        try:
            await Shell(own, bus).run(done)
        finally:
            await bus.close()

    driven = [
        drive(node, lambda: course.finished),
        take_part(host, connection.named(name), PartStatus(name, "host")),
    ]
    if exchange is not None:
        matchmaker = matchmaker_node(trial, maker.name, slots, exchange, epoch=1)
        endpoint = host_endpoint(matchmaker)
        driven.append(drive(matchmaker, lambda: endpoint.released))
    await asyncio.gather(*driven)
    if course.reason:
        raise RunError(f"the bus does not carry a run: {course.reason}")
