"""One matchmaker process: the bus, its lookups, and what it answers to standard NATS tools.

It serves until its run is over or somebody tells it to end (SIGTERM, Ctrl-C): what it knows is
soft, so it may end at any moment.
"""

import asyncio
import contextlib
import signal
import time
from importlib.metadata import version

from matchmaker.machine import Matchmaker
from orchestrator.assembly import matchmaker_node
from protocol.bus import Connection
from protocol.exchange_terms import ExchangeTerms
from protocol.nats_bus import NatsBus
from protocol.nats_service import Service, Work, attend
from protocol.node import Node
from protocol.shell import Shell
from protocol.subjects import HOST, inbox

PATIENCE = 60.0
"""Seconds for which the bus is tried."""
SERVICE = "coflex-matchmaker"
ENDPOINT = "lookup"


def serve_lookups(run: str, name: str, slots: int, terms: ExchangeTerms, url: str) -> None:
    """Be a matchmaker; InputError if there is no bus, RunError if it cannot go on."""
    epoch = time.time_ns() // 1000
    node = matchmaker_node(run, name, slots, terms, epoch=epoch)
    with contextlib.suppress(asyncio.CancelledError):  # told to end
        asyncio.run(_serve(node, epoch, url))


async def _serve(node: Node, epoch: int, url: str) -> None:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    host, machine = node.machines[HOST], node.machines[node.name]
    assert isinstance(machine, Matchmaker)
    bus = await NatsBus.connect(Connection(url, node.name), PATIENCE)
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
        await shell.run(
            lambda: bool(getattr(host, "released", False)),
            heard=lambda: attend(bus, service, work),
        )
    finally:
        await bus.close()
