"""The work of a host process: runs its households on the bus, with their journal, until all have
left.

The process is started elsewhere: forked for a run (`launcher.py`), or by the command `coflex host`.
"""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from agents.exchange.journal.sqlite import SqliteJournal
from agents.household import Household
from agents.phases import Phase
from orchestrator.coordination.host_files import journal_file, save_schedules
from orchestrator.coordination.nodes import (
    Numerics,
    host_node,
    households_of,
    rare_garbage_collection,
)
from orchestrator.coordination.placement import Run
from orchestrator.distributed.announcements import give_up_in_silence
from orchestrator.distributed.containment import containing
from orchestrator.monitoring.log_events import HostEvents
from orchestrator.monitoring.logs import PartLog
from orchestrator.monitoring.part_status import PartStatus, read_host
from orchestrator.monitoring.presence import answer_inquiries
from protocol.messages import Address
from protocol.runtime import event_loop
from protocol.runtime.node import Node
from protocol.runtime.shell import Shell
from protocol.subjects import HOST
from protocol.transport.bus import Connection
from protocol.transport.nats_bus import NatsBus

PATIENCE = 60.0
"""Seconds for which a host tries to reach the bus; many hosts start at once."""


def run_host(
    run: Run,
    connection: Connection,
    *,
    kept: Path,
    temporary: bool = False,
    once_running: Callable[[], None] = lambda: None,
    standing_by: bool = False,
    status: PartStatus | None = None,
) -> None:
    """Run the host that `connection` names until all its households have left.

    The host continues where its journal in the folder `kept` ends; a `temporary` folder need not
    survive a power failure. A host that is `standing_by`
    gives up a run that is no longer announced (UnattendedError). `once_running` is called in the
    event loop.
    """
    host = connection.name
    status = PartStatus(host, "host") if status is None else status
    scenario, plans = run.scenario, run.plans_of(host)
    journal = SqliteJournal(journal_file(kept, host), temporary=temporary)
    PartLog(host, run.id).info("takes part", households=len(plans), isolation=scenario.isolation)
    node = host_node(
        run.id,
        host,
        plans,
        isolation=scenario.isolation,
        journal=journal,
        mandates=scenario.mandates,
        numerics=Numerics(arithmetic=scenario.arithmetic),
        accepts=scenario.accepts,
        session=time.time_ns() // 1000,
    )
    with rare_garbage_collection(len(plans)):
        event_loop.run(
            take_part(node, connection, status, once_running=once_running, standing_by=standing_by)
        )
    journal.close()
    households = households_of(node)
    released = all(household.phase is Phase.RELEASED for household in households)
    if scenario.settings.save_schedules and released:
        save_schedules(households, kept)


def _has_begun(households: Iterable[Household]) -> bool:
    """Return True if a household has a place, or goes on from its journal."""
    return any(household.phase is not Phase.ENROLLING for household in households)


async def take_part(
    node: Node,
    connection: Connection,
    status: PartStatus,
    *,
    once_running: Callable[[], None] = lambda: None,
    standing_by: bool = False,
) -> None:
    """Run this host on the bus until all its households have left."""
    once_running()
    households = households_of(node)
    events = HostEvents(node, households)
    async with await NatsBus.connect(connection, PATIENCE) as bus:
        shell = Shell(node, bus)
        node.contain = containing(PartLog(node.name, node.run), shell.clock)
        if standing_by:
            await give_up_in_silence(bus, node.run, shell, lambda: _has_begun(households))
        await answer_inquiries(bus, Address(node.name, HOST), status.presence, fail=shell.fail)
        with status.in_run(node.run, lambda: read_host(node, bus, households)):
            await shell.run(
                lambda: all(household.finished for household in households), events.look
            )
