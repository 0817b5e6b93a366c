"""Who may say what on a bus with keys, and what becomes of lies, on a real nats-server."""

import asyncio
import contextlib
from collections import Counter

import numpy as np
import pytest
from nats.aio.client import Client

from orchestrator.coordination.nodes import households_of
from orchestrator.coordination.run_phase import RunPhase
from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.security.keyring import Keyring
from orchestrator.simulation.network import NO_FAULTS, NetworkFaults
from protocol.codec import Item, encode_frame
from protocol.errors import RunError
from protocol.messages import Abort, Address, Down, Enrol, Place, Up
from protocol.runtime.node import Frame, Node
from protocol.runtime.shell import Shell
from protocol.subjects import direct, inbox
from protocol.terms import Terms
from protocol.transport.identity import read_identity
from protocol.transport.nats_bus import MAX_PAYLOAD
from tests.support.faulty_run import SLOTS, outcome, results, world
from tests.support.nats import Ear
from tests.support.secured_bus import joined, listening
from tests.support.waiting import until

pytestmark = pytest.mark.nats


async def test_a_host_cannot_speak_in_anothers_name(server: EmbeddedServer, ring: Keyring) -> None:
    async with (
        listening(server, ring, "host-0") as (_, ear),
        listening(server, ring, "host-1") as (honest, _),
    ):
        for forged in (
            direct("r", "host-0", "host-1"),
            direct("r", "host-0", "orchestrator"),
            "coflex.announce.from.orchestrator",
            inbox("r", "host-0"),
            "$SRV.PING",
            "_INBOX_host-0.x",
        ):
            async with listening(server, ring, "host-3") as (wrong, own):
                await wrong.publish(forged, b"forged")
                async with asyncio.timeout(60):
                    await own.failed.wait()
                assert "does not allow host-3 what it needs" in str(own.failures[0])
        await honest.publish(direct("r", "host-0", "host-1"), b"honest")
        async with asyncio.timeout(60):
            await ear.complete.wait()
        assert ear.heard == [(direct("r", "host-0", "host-1"), b"honest")]


@pytest.mark.parametrize(
    "foreign",
    [
        *("coflex.r.to.host-0.from.*", "coflex.*.to.*.from.host-3", "coflex.>", ">"),
        *("_INBOX_host-0.>", "_INBOX.>", "*.>", "coflex.r.to.host-0.>", "$SRV.>", "$SYS.>"),
    ],
)
async def test_a_host_cannot_hear_what_is_meant_for_another(
    server: EmbeddedServer, ring: Keyring, foreign: str
) -> None:
    ear = Ear()
    async with joined(server, ring, "host-3") as wrong:
        with pytest.raises(RunError, match="does not allow host-3 what it needs"):
            await wrong.subscribe(foreign, ear.receive, ear.fail)
    assert ear.heard == []


async def test_too_large_a_message_is_refused_by_the_server(
    server: EmbeddedServer, ring: Keyring
) -> None:
    """By a host whose own client would send it."""
    identity = read_identity(ring.folder, "host-3")
    closed = asyncio.Event()

    async def on_error(error: Exception) -> None:
        pass

    async def on_closed() -> None:
        closed.set()

    async with listening(server, ring, "host-0") as (_, ear), joined(server, ring, "host-1") as by:
        client = Client()
        await client.connect(
            server.url,
            tls=identity.tls,
            tls_handshake_first=True,
            nkeys_seed_str=identity.seed,
            error_cb=on_error,
            disconnected_cb=on_closed,
            allow_reconnect=False,
        )
        client._max_payload = 2 * MAX_PAYLOAD
        await client.publish(direct("r", "host-0", "host-3"), bytes(MAX_PAYLOAD + 1))
        async with asyncio.timeout(60):
            await closed.wait()
        await client.close()
        await by.publish(direct("r", "host-0", "host-1"), b"next")
        async with asyncio.timeout(60):
            await ear.complete.wait()
        assert [data for _, data in ear.heard] == [b"next"]


def lies(slots: int) -> list[Item]:
    """What host-3 would like host-0 to believe: that it is the orchestrator, or has h1 or h5."""
    vector = np.ones(slots)
    mine = Address("host-3", "h1")
    return [
        Item("h0", "orchestrator", Place(0, 1, None, (mine,), Terms(iterations=1))),
        Item("h0", "orchestrator", Abort("because")),
        *(Item("h0", child, Up(0, 1, vector, 0.0, 0.0)) for child in ("h1", "h2", "h5", "nobody")),
        *(Item("h3", parent, Down(99, vector, 0.0, 0.0, True, False)) for parent in ("h1", "h0")),
        Item("nobody", "h1", Up(0, 1, vector, 0.0, 0.0)),
        Item("h0", "h1", Enrol(slots)),
    ]


def older_run() -> list[tuple[str, Frame]]:
    """What all hosts said, and the orchestrator, in a run before: the same but for its id."""
    network, coordinator, _ = world(NO_FAULTS)
    for node in network.nodes.values():
        node.run = "older"
    said: list[tuple[str, Frame]] = []
    network.listen = lambda sender, frame: said.append((sender, frame))
    assert network.run(lambda: coordinator.finished)
    return said


async def test_a_wrong_host_changes_nothing(server: EmbeddedServer, ring: Keyring) -> None:
    """It may write to others, in its own name: they know who may tell them what. What was said in
    an older run, by whoever may, is of no use in this one."""
    network, coordinator, hosts = world(NO_FAULTS)
    orchestrator = network.nodes["orchestrator"]
    older, frame = older_run()[::20], encode_frame("r", lies(SLOTS))
    async with contextlib.AsyncExitStack() as stack:
        buses = {
            name: await stack.enter_async_context(joined(server, ring, name))
            for name in (*network.nodes, "host-3")
        }

        async def disturb() -> None:
            while True:
                for name in network.nodes:
                    await buses["host-3"].publish(direct("r", name, "host-3"), frame)
                for sender, said in older:
                    await buses[sender].publish(direct("r", said.to, sender), said.data)
                for bus in buses.values():
                    await bus.flush()

        async def drive(node: Node) -> None:
            own = households_of(node)
            await Shell(node, buses[node.name]).run(lambda: all(one.finished for one in own))

        running = [asyncio.create_task(drive(host)) for host in hosts]
        disturbing = asyncio.create_task(disturb())
        # All of it before anybody has a place, and again and again while they plan.
        await until(lambda: all(host.counters.dropped > 30 for host in hosts), "refusals")
        async with asyncio.timeout(60):
            await Shell(orchestrator, buses["orchestrator"]).run(lambda: coordinator.finished)
            await asyncio.gather(*running)
        disturbing.cancel()
        assert results(coordinator, hosts) == outcome(NO_FAULTS, "never")[:3]


@pytest.mark.parametrize(
    "lie", lies(SLOTS), ids=lambda lie: f"{lie.sender}-{type(lie.message).__name__}"
)
def test_each_lie_is_refused_by_the_receiver(lie: Item) -> None:
    """Whatever the moment; it is counted, with a reason."""
    network, coordinator, hosts = world(NetworkFaults(delay=(0.0, 0.05), seed=1))
    told: Counter[RunPhase] = Counter()

    def tell() -> None:
        for host in hosts:
            dropped = host.counters.dropped
            assert host.receive("host-3", encode_frame("r", [lie]), network.now) == []
            assert host.counters.dropped == dropped + 1, (host.last_refusal, coordinator.phase)
            told[coordinator.phase] += 1

    assert network.run(lambda: coordinator.finished, watch=tell)
    assert results(coordinator, hosts) == outcome(NO_FAULTS, "never")[:3]
    assert told[RunPhase.ENROLLING]
    assert told[RunPhase.PLANNING]
