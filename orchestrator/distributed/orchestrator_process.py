"""The orchestrator's part in a run on the bus, from the first announcement to the last release."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable

from orchestrator.coordination.coordinator import RunCoordinator, Stage
from orchestrator.distributed.announcements import announce
from orchestrator.monitoring.log_events import RunMilestones
from orchestrator.monitoring.part_status import PartStatus, read_orchestrator
from orchestrator.monitoring.presence import answer_inquiries
from orchestrator.results.run_results import Seconds
from protocol.messages import Announce, HostTraffic, RunState
from protocol.runtime.node import Node
from protocol.runtime.shell import Shell
from protocol.transport.bus import Connection
from protocol.transport.nats_bus import NatsBus

INTERRUPTED = "interrupted"
Watch = Callable[[RunCoordinator], None]
ChildEnded = Callable[[Shell], None]
"""Called whenever a child process may have ended, and once in the beginning."""


async def run_orchestrator(
    node: Node,
    course: RunCoordinator,
    connection: Connection,
    announced: Announce,
    watch: Watch,
    duty: PartStatus,
    state: Callable[[], RunState],
    child_ended: ChildEnded | None = None,
) -> str:
    """Until the run is over; says what was wrong with the bus then. Ctrl-C and SIGTERM abort it.
    An operator that asks is answered with `state`."""
    loop = asyncio.get_running_loop()
    bus = await NatsBus.connect(connection)
    shell = Shell(node, bus)

    def interrupted() -> None:
        shell.post(course.fail(INTERRUPTED, shell.clock()))

    handled = [signal.SIGINT, signal.SIGTERM]
    before = {number: signal.getsignal(number) for number in handled}
    for number in handled:
        loop.add_signal_handler(number, interrupted)
    if child_ended is not None:
        handled.append(signal.SIGCHLD)
        loop.add_signal_handler(signal.SIGCHLD, child_ended, shell)
        child_ended(shell)  # for those that ended before there was a handler
    telling = asyncio.create_task(announce(bus, node.run, announced))
    telling.add_done_callback(lambda task: _pass_on(task, shell))
    milestones = RunMilestones(node, course, state().iterations)

    def look() -> None:
        milestones.look()
        watch(course)

    try:
        await answer_inquiries(bus, course.address, state, shell.fail)
        with duty.in_run(node.run, lambda: read_orchestrator(node, bus, course)):
            await shell.run(lambda: course.finished, look)
        return bus.trouble
    finally:
        telling.cancel()
        for number in handled:
            loop.remove_signal_handler(number)
        for number, handler in before.items():
            signal.signal(number, handler)  # of a sweep, say, of which this is one run
        await bus.close()


def _pass_on(task: "asyncio.Task[None]", shell: Shell) -> None:
    """An announcement that could not be made ends the run."""
    with contextlib.suppress(asyncio.CancelledError):
        error = task.exception()
        if isinstance(error, Exception):
            shell.fail(error)


def seconds_of(course: RunCoordinator, began: float) -> Seconds:
    """How long the parts of a run took that has ended now; `began` is of time.monotonic."""
    marks = course.marks
    planned = marks.get(Stage.EXCHANGING, marks[Stage.RELEASING])
    return Seconds(
        start=marks[Stage.PLANNING] - began,
        planning=planned - marks[Stage.PLANNING],
        exchange=marks[Stage.RELEASING] - planned if Stage.EXCHANGING in marks else None,
        total=time.monotonic() - began,
    )


def own_tally(node: Node) -> HostTraffic:
    """What the orchestrator's own node sent and refused."""
    counted = node.counters
    return HostTraffic(
        counted.messages, counted.frames, counted.bytes, counted.resent, counted.dropped
    )
