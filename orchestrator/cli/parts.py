"""The parts of a run as commands of their own, for several machines."""

import asyncio
import time
from typing import Annotated

import typer

from orchestrator.assembly import matchmaker_node
from protocol.bus import Connection
from protocol.exchange_terms import ExchangeTerms, LocksName
from protocol.nats_bus import NatsBus
from protocol.shell import Shell
from protocol.subjects import HOST, check_name

PATIENCE = 60.0
"""Seconds for which the bus is tried."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("matchmaker")(matchmaker)


def matchmaker(
    nats: Annotated[str, typer.Option(help="URL of the NATS server.")],
    run: Annotated[str, typer.Option(help="Id of the run.")],
    slots: Annotated[int, typer.Option(min=1, help="Slots of every plan.")],
    name: Annotated[str, typer.Option(help="Its name on the bus.")] = "matchmaker-1",
    lease: Annotated[float, typer.Option(min=0.01, help="Seconds that a lease lasts.")] = 5.0,
    locks: Annotated[LocksName, typer.Option(help="What a lease marks busy.")] = "household",
) -> None:
    """Serve lookups of one run until it is over: who offers what, and who is busy."""
    node = matchmaker_node(
        check_name(run, "run"),
        check_name(name, "name"),
        slots,
        ExchangeTerms(lease=lease, locks=locks),
        epoch=time.time_ns() // 1000,
    )
    host = node.machines[HOST]

    async def serve() -> None:
        bus = await NatsBus.connect(Connection(nats, name), PATIENCE)
        await Shell(node, bus).run(lambda: bool(getattr(host, "released", False)))
        await bus.close()

    asyncio.run(serve())
