"""One host process: its households, their journal, and the bus, until all have left.

What starts a host and what becomes of it is decided elsewhere: forked by a run (live.py), or as a
command of its own (`coflex host`).
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from agents.exchange.journal.sqlite import SqliteJournal
from agents.household import Household
from agents.member import Phase
from agents.saved import save_schedule
from orchestrator.coordination.nodes import host_node, households_of
from orchestrator.distributed.announcements import give_up_in_silence
from orchestrator.garbage import collected_rarely
from orchestrator.monitoring.log_events import HostMilestones
from orchestrator.monitoring.logs import PartLog
from orchestrator.monitoring.part_status import PartStatus, read_host
from orchestrator.monitoring.presence import answer_inquiries
from orchestrator.results.result_files import JOURNALS_FOLDER, SCHEDULES_FOLDER
from orchestrator.scenario.scenario import Scenario
from orchestrator.scenario.settings import RunSettings
from protocol.errors import InputError
from protocol.messages import Address
from protocol.runtime.node import Node
from protocol.runtime.shell import Shell
from protocol.subjects import HOST
from protocol.transport.bus import Connection
from protocol.transport.nats_bus import NatsBus

PATIENCE = 60.0
"""Seconds for which a host tries to reach the bus: many start at once."""


def journal_file(kept: Path, host: str) -> Path:
    """Where a host keeps its journal, in the folder for all that hosts keep."""
    return _folder(kept, JOURNALS_FOLDER) / f"{host}.sqlite"


def save_schedules(households: Iterable[Household], kept: Path) -> None:
    """Write the schedules of these households, once stage 2 is over."""
    folder = _folder(kept, SCHEDULES_FOLDER)
    for household in households:
        save_schedule(household, folder)


def _folder(kept: Path, name: str) -> Path:
    folder = kept / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot be made: {error.strerror}", file=folder) from error
    return folder


def run_host(
    run: str,
    households: Sequence[str],
    inputs: Scenario,
    settings: RunSettings,
    *,
    kept: Path,
    connection: Connection,
    once_running: Callable[[], None] = lambda: None,
    standing: bool = False,
    duty: PartStatus | None = None,
) -> None:
    """Be the host of that name until all its households have left; go on where its journal ends.
    `standing`: a run that is not announced any more is given up (UnattendedError)."""
    host = connection.name
    duty = PartStatus(host, "host") if duty is None else duty
    plans = {name: inputs.population.households[name] for name in households}
    journal = SqliteJournal(journal_file(kept, host))
    isolation = settings.resolved_isolation(len(inputs.members))
    PartLog(host, run).info("takes part", households=len(plans), isolation=isolation)
    node = host_node(
        run,
        host,
        plans,
        isolation=isolation,
        journal=journal,
        mandates=inputs.mandates,
        session=time.time_ns() // 1000,
    )
    with collected_rarely(len(plans)):
        asyncio.run(take_part(node, connection, duty, once_running, standing=standing))
    journal.close()
    members = households_of(node)
    if settings.save_schedules and all(member.phase is Phase.RELEASED for member in members):
        save_schedules(members, kept)


async def take_part(
    node: Node,
    connection: Connection,
    duty: PartStatus,
    once_running: Callable[[], None] = lambda: None,
    *,
    standing: bool = False,
) -> None:
    """Be this host on the bus until all its households have left."""
    once_running()
    households = households_of(node)
    milestones = HostMilestones(node, households)
    bus = await NatsBus.connect(connection, PATIENCE)
    shell = Shell(node, bus)
    try:
        if standing:
            await give_up_in_silence(bus, node.run, shell)
        await answer_inquiries(bus, Address(node.name, HOST), duty.presence, shell.fail)
        with duty.in_run(node.run, lambda: read_host(node, bus, households)):
            await shell.run(
                lambda: all(household.finished for household in households), milestones.look
            )
    finally:
        await bus.close()
