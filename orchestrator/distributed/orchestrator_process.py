"""The work of the orchestrator in a run on the bus, from the first announcement to the last
release.

`coordination/coordinator.py` makes the decisions about the run.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable

from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.coordination.placement import Run
from orchestrator.distributed.announcements import announce, announcement
from orchestrator.distributed.containment import containing
from orchestrator.monitoring.log_events import RunEvents
from orchestrator.monitoring.logs import PartLog
from orchestrator.monitoring.part_status import PartStatus, read_orchestrator
from orchestrator.monitoring.presence import answer_inquiries, state_of
from orchestrator.monitoring.prometheus import Endpoint, exposed
from protocol.errors import INTERRUPTED, RunError
from protocol.runtime import event_loop
from protocol.runtime.node import Node
from protocol.runtime.shell import Shell
from protocol.subjects import ORCHESTRATOR
from protocol.transport.bus import Connection
from protocol.transport.nats_bus import NatsBus

Watch = Callable[[RunCoordinator], None]
"""A function that is called after every step of the coordinator."""
ChildEnded = Callable[[Shell], None]
"""A function that is called once at the start and whenever a child process may have ended."""


def run_orchestrator(
    run: Run,
    node: Node,
    coordinator: RunCoordinator,
    *,
    connection: Connection,
    watch: Watch,
    endpoint: Endpoint | None = None,
    child_ended: ChildEnded | None = None,
) -> None:
    """Run the orchestrator on the bus until the run is over; Ctrl-C and SIGTERM abort the run.

    Raises RunError if the run ends without a result; it names the reason and any trouble of the
    bus.
    """
    status = PartStatus(ORCHESTRATOR, "orchestrator")
    with exposed(status, endpoint):
        trouble = event_loop.run(
            _take_part(
                run,
                node,
                coordinator,
                connection=connection,
                watch=watch,
                status=status,
                child_ended=child_ended,
            )
        )
    if coordinator.reason:
        raise RunError("; ".join(filter(None, (coordinator.reason, trouble))))


async def _take_part(
    run: Run,
    node: Node,
    coordinator: RunCoordinator,
    *,
    connection: Connection,
    watch: Watch,
    status: PartStatus,
    child_ended: ChildEnded | None,
) -> str:
    """Run until the run is over; return the trouble of the bus at the end, empty if none."""
    async with await NatsBus.connect(connection) as bus:
        shell = Shell(node, bus)
        node.contain = containing(PartLog(node.name, node.run), shell.clock)
        events = RunEvents(node, coordinator, run.scenario.common_terms.iterations)

        def look() -> None:
            coordinator.journal.commit()
            events.look()
            watch(coordinator)

        async with _handled_signals(shell, coordinator, child_ended):
            announcing = asyncio.create_task(announce(bus, run.id, announcement(run)))
            announcing.add_done_callback(lambda task: _pass_on(task, shell))
            try:
                state = state_of(run, node, coordinator, shell.clock)
                await answer_inquiries(bus, coordinator.address, state, fail=shell.fail)
                with status.in_run(run.id, lambda: read_orchestrator(node, bus, coordinator)):
                    await shell.run(lambda: coordinator.finished, look)
                return bus.trouble
            finally:
                announcing.cancel()


@contextlib.asynccontextmanager
async def _handled_signals(
    shell: Shell, coordinator: RunCoordinator, child_ended: ChildEnded | None
) -> AsyncIterator[None]:
    """Abort the run on Ctrl-C and SIGTERM, and call `child_ended`, while the context lasts."""
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        shell.post(coordinator.fail(INTERRUPTED, shell.clock()))

    handled = [signal.SIGINT, signal.SIGTERM]
    before = {number: signal.getsignal(number) for number in handled}
    for number in handled:
        loop.add_signal_handler(number, interrupt)
    if child_ended is not None:
        handled.append(signal.SIGCHLD)
        loop.add_signal_handler(signal.SIGCHLD, child_ended, shell)
        child_ended(shell)  # for children that ended before the handler was set
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
        for number, handler in before.items():
            signal.signal(number, handler)  # such as that of a sweep, which continues


def _pass_on(task: "asyncio.Task[None]", shell: Shell) -> None:
    """End the run with the error of an announcement that failed."""
    with contextlib.suppress(asyncio.CancelledError):
        error = task.exception()
        if isinstance(error, Exception):
            shell.fail(error)
