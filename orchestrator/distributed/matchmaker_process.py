"""One matchmaker process: the bus, its lookups, and what it answers to standard NATS tools.

It serves until its run is over. What it knows is soft, so it may end at any moment.
"""

import asyncio
import time
from importlib.metadata import version

from matchmaker.matchmaker import Matchmaker
from orchestrator.coordination.nodes import matchmaker_node
from orchestrator.distributed.announcements import give_up_in_silence
from orchestrator.monitoring.log_events import Refusals
from orchestrator.monitoring.logs import PartLog
from orchestrator.monitoring.part_status import PartStatus, read_matchmaker
from orchestrator.monitoring.presence import answer_inquiries
from protocol.messages import Address
from protocol.runtime.host_endpoint import host_endpoint
from protocol.runtime.node import Node
from protocol.runtime.shell import Shell
from protocol.subjects import HOST, inbox
from protocol.terms import ExchangeTerms
from protocol.transport.bus import Connection
from protocol.transport.nats_bus import NatsBus
from protocol.transport.nats_service import Service, Work, attend

PATIENCE = 60.0
"""Seconds for which the bus is tried."""
SERVICE = "coflex-matchmaker"
ENDPOINT = "lookup"


def run_matchmaker(
    run: str,
    slots: int,
    terms: ExchangeTerms,
    connection: Connection,
    standing: bool,
    duty: PartStatus,
) -> None:
    """Be the matchmaker of that name; InputError if there is no bus, RunError if it cannot go on.
    `standing`: a run that is not announced any more is given up (UnattendedError)."""
    epoch = time.time_ns() // 1000
    node = matchmaker_node(run, connection.name, slots, terms, epoch=epoch)
    log = PartLog(connection.name, run)
    log.info("takes part", slots=slots)
    asyncio.run(_serve(node, epoch, connection, standing, duty, log))
    log.info("released")


async def _serve(
    node: Node, epoch: int, connection: Connection, standing: bool, duty: PartStatus, log: PartLog
) -> None:
    endpoint, machine = host_endpoint(node), node.machines[node.name]
    assert isinstance(machine, Matchmaker)
    bus = await NatsBus.connect(connection, PATIENCE)
    shell = Shell(node, bus)
    service = Service(
        kind=SERVICE,
        id=f"{node.run}-{node.name}-{epoch}",
        version=version("coflex"),
        description="Tells households of a coflex run who holds a slot value, and who is busy.",
        metadata={"run": node.run, "name": node.name, "epoch": str(epoch)},
        endpoint=ENDPOINT,
        subject=inbox(node.run, node.name),
    )

    def work() -> Work:
        errors = node.counters.dropped
        return Work(machine.answered + errors, errors, shell.seconds, machine.ledger.summary())

    try:
        if standing:
            await give_up_in_silence(bus, node.run, shell)
        await answer_inquiries(bus, Address(node.name, HOST), duty.presence, shell.fail)
        with duty.in_run(node.run, lambda: read_matchmaker(node, bus, machine)):
            await shell.run(
                lambda: endpoint.released,
                Refusals(node, log).look,
                heard=lambda: attend(bus, service, work),
            )
    finally:
        await bus.close()
