"""A run on the bus: server, host processes, orchestrator. Starts them, watches them, ends them."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from orchestrator.assembly import (
    host_node,
    households_of,
    layout,
    matchmaker_addresses,
    orchestrator_node,
)
from orchestrator.collect import collect
from orchestrator.course import RunCourse, Stage
from orchestrator.embedded import EmbeddedServer
from orchestrator.hosting import serve
from orchestrator.inputs import Inputs
from orchestrator.processes import HostProcesses
from orchestrator.results import RunResults, Seconds
from orchestrator.services import Services, host_command, matchmaker_commands
from orchestrator.settings import RunSettings
from protocol.bus import Connection
from protocol.errors import RunError
from protocol.messages import Tally
from protocol.nats_bus import NatsBus
from protocol.node import Node
from protocol.shell import Shell
from protocol.subjects import ORCHESTRATOR
from protocol.terms import Terms

FAREWELL = 5.0
"""Seconds for hosts to end by themselves."""

TRIED, TRIED_ITERATIONS, TRIAL_DEADLINE = 7, 20, 30.0
"""Households, iterations and seconds of the trial before a run."""
INTERRUPTED = "interrupted"

Watch = Callable[[RunCourse], None]


def run(
    run_id: str,
    inputs: Inputs,
    settings: RunSettings,
    watch: Watch,
    kept: Path | None = None,
) -> RunResults:
    """Run on the bus, each host a process of its own, which keeps its journal and schedules in the
    folder `kept` (or one that is gone afterwards). RunError says why it could not end well."""
    try:
        with contextlib.ExitStack() as stack:
            if kept is None:
                kept = Path(stack.enter_context(TemporaryDirectory(prefix="coflex-")))
            return _run(run_id, inputs, settings, watch, kept)
    except KeyboardInterrupt:  # before or after the loop that handles it
        raise RunError(INTERRUPTED) from None


def _run(
    run_id: str, inputs: Inputs, settings: RunSettings, watch: Watch, kept: Path
) -> RunResults:
    began = time.monotonic()
    members = inputs.members
    hosts = layout(members, settings)
    makers = matchmaker_addresses(settings)
    node, course = orchestrator_node(
        run_id, members, inputs.terms, settings.deadline, matchmakers=makers
    )
    with contextlib.ExitStack() as stack:
        url = settings.nats or stack.enter_context(EmbeddedServer()).url

        def host(name: str) -> None:
            serve(
                run_id,
                name,
                hosts[name],
                inputs,
                settings,
                kept=kept,
                url=url,
                once_running=processes.end_with_parent,
            )

        asyncio.run(_try(run_id, inputs, url))
        processes = stack.enter_context(HostProcesses())
        processes.start(list(hosts), host)
        exchange = inputs.terms(inputs.members[0]).exchange
        commands = matchmaker_commands(run_id, url, makers, inputs.population.slots, exchange)
        again = {name: host_command(run_id, url, name, kept, settings) for name in hosts}
        services = stack.enter_context(Services({**commands, **again}))
        for maker in commands:
            services.start(maker)
        trouble = asyncio.run(_orchestrate(node, course, processes, services, url, watch))
        if course.reason:
            raise RunError("; ".join(filter(None, (course.reason, trouble))))
        processes.join(FAREWELL)
    marks, ended = course.marks, time.monotonic()
    planned = marks.get(Stage.EXCHANGING, marks[Stage.RELEASING])
    seconds = Seconds(
        start=marks[Stage.PLANNING] - began,
        planning=planned - marks[Stage.PLANNING],
        exchange=marks[Stage.RELEASING] - planned if Stage.EXCHANGING in marks else None,
        total=ended - began,
    )
    return collect(run_id, inputs, settings, course, own_tally(node), seconds, "bus")


def own_tally(node: Node) -> Tally:
    """What the orchestrator's own node sent and refused."""
    counted = node.counters
    return Tally(counted.messages, counted.frames, counted.bytes, counted.resent, counted.dropped)


async def _try(run_id: str, inputs: Inputs, url: str) -> None:
    """A short run of a few households in this process, over the bus: it must carry a run at all.

    What has run once here, forked hosts need not warm up again each in memory of its own.
    """
    members = inputs.members[:TRIED]
    terms = Terms(iterations=TRIED_ITERATIONS, patience=TRIAL_DEADLINE)
    trial = f"{run_id}-trial"
    host = host_node(trial, "host", {m: inputs.population.households[m] for m in members})
    node, course = orchestrator_node(trial, members, lambda _: terms, TRIAL_DEADLINE)
    households = households_of(host)

    async def drive(own: Node, done: Callable[[], bool]) -> None:
        bus = await NatsBus.connect(Connection(url, own.name))
        try:
            await Shell(own, bus).run(done)
        finally:
            await bus.close()

    await asyncio.gather(
        drive(node, lambda: course.finished),
        drive(host, lambda: all(household.finished for household in households)),
    )
    if course.reason:
        raise RunError(f"the bus at {url} does not carry a run: {course.reason}")


async def _orchestrate(
    node: Node,
    course: RunCourse,
    processes: HostProcesses,
    services: Services,
    url: str,
    watch: Watch,
) -> str:
    """The orchestrator's part, until the run is over; says what was wrong with the bus then."""
    loop = asyncio.get_running_loop()
    bus = await NatsBus.connect(Connection(url, ORCHESTRATOR))
    shell = Shell(node, bus)

    def interrupted() -> None:
        shell.post(course.fail(INTERRUPTED, shell.clock()))

    def child_ended() -> None:
        # A part ends by itself once it has been released. What was killed before is started again.
        for ended in (*processes.reap(), *services.reap()):
            if course.stage is Stage.RELEASING or course.finished:
                continue
            reason = str(ended) if not ended.status else services.restart(ended)
            if reason:
                shell.post(course.fail(reason, shell.clock()))

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted)
    loop.add_signal_handler(signal.SIGCHLD, child_ended)
    child_ended()  # those that ended before there was a handler
    try:
        await shell.run(lambda: course.finished, lambda: watch(course))
        return bus.trouble
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
            loop.remove_signal_handler(number)
        await bus.close()
