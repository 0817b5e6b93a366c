"""The work of a matchmaker process: answers lookups on the bus, and standard NATS tools.

It serves until its run is over. It may be killed at any moment, because everything it knows can be
restored from the households.
"""

import secrets
from importlib.metadata import version

from orchestrator.coordination.nodes import commissioned, endpoint_of, matchmaker_node
from orchestrator.distributed.announcements import give_up_in_silence
from orchestrator.distributed.containment import containing
from orchestrator.monitoring.log_events import RefusalEvents
from orchestrator.monitoring.logs import PartLog
from orchestrator.monitoring.part_status import PartStatus, read_matchmaker
from orchestrator.monitoring.presence import answer_inquiries
from protocol.messages import Address
from protocol.runtime import event_loop
from protocol.runtime.node import Node
from protocol.runtime.shell import Shell
from protocol.subjects import HOST, inbox
from protocol.terms import ExchangeTerms
from protocol.transport.bus import Connection
from protocol.transport.nats_bus import NatsBus
from protocol.transport.nats_service import Service, Work, attend

PATIENCE = 60.0
"""Seconds for which a matchmaker tries to reach the bus."""
SERVICE = "coflex-matchmaker"
ENDPOINT = "lookup"


def run_matchmaker(
    run: str,
    connection: Connection,
    status: PartStatus,
    *,
    slots: int,
    terms: ExchangeTerms,
    standing_by: bool,
) -> None:
    """Run the matchmaker that `connection` names until its run is over.

    A matchmaker that is `standing_by` gives up a run that is no longer announced (UnattendedError).
    Raises InputError if the bus cannot be reached, RunError if the matchmaker cannot continue.
    """
    life = secrets.randbits(63)
    node = matchmaker_node(run, connection.name, slots=slots, terms=terms, life=life)
    log = PartLog(connection.name, run)
    log.info("takes part", slots=slots)
    service = _service(node, life)
    events = RefusalEvents(node, log)
    event_loop.run(
        _take_part(
            node,
            service,
            connection=connection,
            status=status,
            standing_by=standing_by,
            events=events,
        )
    )
    log.info("released")


async def _take_part(
    node: Node,
    service: Service,
    *,
    connection: Connection,
    status: PartStatus,
    standing_by: bool,
    events: RefusalEvents,
) -> None:
    endpoint, matchmaker = endpoint_of(node), commissioned(node)
    async with await NatsBus.connect(connection, PATIENCE) as bus:
        shell = Shell(node, bus)
        node.contain = containing(PartLog(node.name, node.run), shell.clock)

        def work() -> Work:
            errors = node.counters.dropped
            return Work(
                requests=matchmaker.answered + errors,
                errors=errors,
                seconds=shell.seconds,
                data=dict(matchmaker.summary),
            )

        if standing_by:
            await give_up_in_silence(bus, node.run, shell, lambda: True)
        await answer_inquiries(bus, Address(node.name, HOST), status.presence, fail=shell.fail)
        with status.in_run(node.run, lambda: read_matchmaker(node, bus, matchmaker)):
            await shell.run(
                lambda: endpoint.released,
                events.look,
                heard=lambda: attend(bus, service, work),
            )


def _service(node: Node, life: int) -> Service:
    """Return the description of the matchmaker for standard NATS tools."""
    return Service(
        kind=SERVICE,
        id=f"{node.run}-{node.name}-{life}",
        version=version("coflex"),
        description="Finds exchange partners for the households of a coflex run.",
        metadata={"run": node.run, "name": node.name},
        endpoint=ENDPOINT,
        subject=inbox(node.run, node.name),
    )
