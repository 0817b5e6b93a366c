"""A short trial before a run, which shows that the bus works.

It also imports and warms up the code once, for the hosts that are forked later.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from secrets import token_bytes
from typing import Any

from orchestrator.coordination.commissions import SECRET_BYTES
from orchestrator.coordination.nodes import (
    endpoint_of,
    host_node,
    matchmaker_node,
    orchestrator_node,
)
from orchestrator.coordination.placement import Run
from orchestrator.distributed.host_process import take_part
from orchestrator.monitoring.logs import without_info
from orchestrator.monitoring.part_status import PartStatus
from orchestrator.scenario.scenario import matchmaker_addresses
from protocol.errors import RunError
from protocol.runtime.node import Node
from protocol.runtime.shell import Shell
from protocol.terms import ExchangeTerms, Terms
from protocol.transport.bus import Connection
from protocol.transport.nats_bus import NatsBus

Part = Coroutine[Any, Any, None]
"""A part of the trial, from its connection to its end."""
TRIAL_HOUSEHOLDS, TRIAL_ITERATIONS, TRIAL_ROUNDS = 7, 20, 2
TRIAL_DEADLINE = 30.0
"""Seconds without progress that end the trial."""
TRIAL_FAREWELL = 5.0
"""Seconds for the other parts to hear that the trial is over."""


async def try_bus(run: Run, connection: Connection, host: str) -> None:
    """Run a few households in this process over the bus, as the host `host`.

    Raises RunError if the trial fails.
    """
    scenario = run.scenario
    members = scenario.members[:TRIAL_HOUSEHOLDS]
    exchange = ExchangeTerms(rounds=TRIAL_ROUNDS) if scenario.matchmakers else None
    terms = Terms(iterations=TRIAL_ITERATIONS, patience_seconds=TRIAL_DEADLINE, exchange=exchange)
    matchmakers = matchmaker_addresses(0 if exchange is None else 1)
    trial = f"{run.id}-trial"
    plans = {name: scenario.population.households[name] for name in members}
    node, coordinator = orchestrator_node(
        trial,
        members,
        lambda _: terms,
        deadline=TRIAL_DEADLINE,
        matchmakers=matchmakers,
        roster=dict.fromkeys(members, host),
        secret=token_bytes(SECRET_BYTES),
    )
    parts = [
        _take_part(node, connection, lambda: coordinator.finished),
        take_part(host_node(trial, host, plans), connection.named(host), PartStatus(host, "host")),
    ]
    if exchange is not None:
        name, slots = matchmakers[0].name, scenario.population.slots
        matchmaker = matchmaker_node(trial, name, slots=slots, terms=exchange, life=1)
        endpoint = endpoint_of(matchmaker)
        parts.append(_take_part(matchmaker, connection, lambda: endpoint.released))
    with without_info():
        await _until_over(*parts)
    if coordinator.reason:
        raise RunError(f"a trial run on the bus failed: {coordinator.reason}")


async def _until_over(orchestrator: Part, *others: Part) -> None:
    """Run all parts until the orchestrator's has ended.

    Another one may have missed its last message, and would wait for it for ever.
    """
    leading = asyncio.ensure_future(orchestrator)
    following = asyncio.ensure_future(_together(*others))
    await asyncio.wait({leading, following}, return_when=asyncio.FIRST_COMPLETED)
    if following.done():
        following.result()
        await leading
        return
    await asyncio.wait({following}, timeout=TRIAL_FAREWELL)
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following
    leading.result()


async def _together(*parts: Part) -> None:
    await asyncio.gather(*parts)


async def _take_part(node: Node, connection: Connection, done: Callable[[], bool]) -> None:
    async with await NatsBus.connect(connection.named(node.name)) as bus:
        await Shell(node, bus).run(done)
