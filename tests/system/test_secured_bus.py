"""A bus with keys, on a real nats-server: who gets in, who may say what, and what changes while it
runs."""

import asyncio
import contextlib
import shutil
import ssl
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from nats.aio.client import Client

from orchestrator.coordination.coordinator import RunPhase
from orchestrator.coordination.nodes import households_of
from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.scenario.settings import RunSettings
from orchestrator.security.certificates import make_server
from orchestrator.security.keyring import Keyring
from orchestrator.simulation.network import NO_FAULTS, NetworkFaults
from protocol.codec import Item, encode_frame
from protocol.errors import InputError, RunError
from protocol.messages import Abort, Address, Down, Enrol, Place, Up
from protocol.runtime.node import Frame, Node
from protocol.runtime.shell import Shell
from protocol.subjects import direct, inbox
from protocol.terms import Terms
from protocol.transport import nats_bus
from protocol.transport.bus import Connection
from protocol.transport.identity import CA, CERTIFICATE, KEY, SEED, read_identity
from protocol.transport.nats_bus import MAX_PAYLOAD, NatsBus
from tests.support.faulty_run import SLOTS, outcome, results, world
from tests.support.keyring import keyring
from tests.support.nats import Ear, pretending
from tests.support.settings import in_simulation, on_bus, with_standing_parts
from tests.support.waiting import until

pytestmark = pytest.mark.nats
COFLEX = (sys.executable, "-c", "from orchestrator.cli import main; main()")
HOSTS = [f"host-{number}" for number in range(4)]
"""The last one has no part in any run here."""


@pytest.fixture
def ring(tmp_path: Path) -> Keyring:
    return keyring(tmp_path / "keys", HOSTS)


@pytest.fixture
def server(ring: Keyring) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(file=ring.folder / "nats.conf") as started:
        yield started


@contextlib.asynccontextmanager
async def joined(server: EmbeddedServer, ring: Keyring, name: str) -> AsyncIterator[NatsBus]:
    async with await NatsBus.connect(Connection(server.url, name, ring.folder)) as bus:
        yield bus


@contextlib.asynccontextmanager
async def listening(
    server: EmbeddedServer, ring: Keyring, name: str, enough: int = 1
) -> AsyncIterator[tuple[NatsBus, Ear]]:
    async with joined(server, ring, name) as bus:
        ear = Ear(enough)
        await bus.subscribe(inbox("r", name), ear.receive, ear.fail)
        yield bus, ear


async def refused(url: str, name: str, keys: Path | None, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        await NatsBus.connect(Connection(url, name, keys), patience=0.5)


def mixed(ring: Keyring, other: Keyring, files: tuple[str, ...]) -> Path:
    """The keys of host-0, with these files from elsewhere."""
    folder = ring.folder.parent / "mixed"
    shutil.copytree(ring.folder / "host-0", folder)
    for file in files:
        shutil.copy(other.folder / "host-0" / file, folder / file)
    return folder


# -- who gets in ----------------------------------------------------------------------------------


async def test_without_keys_nobody_gets_in(server: EmbeddedServer) -> None:
    await refused(server.url, "host-0", None, r"no NATS server answers .* if it needs keys, give")


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ((SEED,), r"does not take us .*Authorization Violation.*knows the keys of this part"),
        ((CERTIFICATE, KEY), r"no TLS with the server .*unknown ca"),
        ((CA,), r"no TLS with the server .*certificate verify failed"),
        ((CA, CERTIFICATE, KEY, SEED), r"no TLS with the server .*certificate verify failed"),
    ],
)
async def test_keys_of_another_bus_do_not_get_in(
    server: EmbeddedServer, ring: Keyring, tmp_path: Path, files: tuple[str, ...], complaint: str
) -> None:
    other = keyring(tmp_path / "other", HOSTS, matchmakers=0)
    await refused(server.url, "host-0", mixed(ring, other, files), complaint)


async def test_nobody_gets_in_without_a_certificate(server: EmbeddedServer, ring: Keyring) -> None:
    address = urlsplit(server.url)
    context = ssl.create_default_context(cafile=ring.folder / CA)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, ssl=context)
    with pytest.raises(ssl.SSLError, match="certificate required"):
        await reader.read(1)
    writer.close()


async def test_a_certificate_that_has_ended_does_not_get_in(ring: Keyring) -> None:
    Keyring(ring.folder, datetime.now(UTC) - timedelta(days=3), days=2).rotate(["host-0"])
    with EmbeddedServer(file=ring.folder / "nats.conf") as server:
        await refused(server.url, "host-0", ring.folder, r"no TLS .*certificate expired")
        async with joined(server, ring, "host-1"):
            pass


async def test_a_server_of_another_name_is_not_believed(ring: Keyring) -> None:
    elsewhere = make_server(ring._ca(), ["elsewhere.example"], now=ring.now, days=1)
    (ring.folder / "server" / CERTIFICATE).write_bytes(elsewhere.pem())
    (ring.folder / "server" / KEY).write_bytes(elsewhere.key_pem())
    with EmbeddedServer(file=ring.folder / "nats.conf") as server:
        await refused(server.url, "host-0", ring.folder, r"no TLS .*not valid for '127.0.0.1'")


async def test_a_part_does_not_pose_as_the_server(ring: Keyring) -> None:
    for file in (CERTIFICATE, KEY):
        shutil.copy(ring.folder / "host-1" / file, ring.folder / "server" / file)
    with EmbeddedServer(file=ring.folder / "nats.conf") as server:
        await refused(server.url, "host-0", ring.folder, r"no TLS .*certificate verify failed")


async def test_not_a_word_is_said_in_the_clear(
    ring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is in between may claim that the server wants no TLS."""
    monkeypatch.setattr(nats_bus, "CLOSE_SECONDS", 0.1)
    said: list[bytes] = []

    def answer(line: bytes) -> bytes:
        said.append(line)
        return b"PONG\r\n" if line.startswith(b"PING") else b""

    async with pretending(answer) as url:
        await refused(url, "host-0", ring.folder, "it must have TLS")
    assert said
    assert all(b"CONNECT" not in line for line in said)
    with EmbeddedServer() as plain:
        await refused(plain.url, "host-0", ring.folder, r"no TLS with the server")


# -- who may say what -----------------------------------------------------------------------------


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


# -- whole runs, and changes while they last -----------------------------------------------------


def settings(server: EmbeddedServer, ring: Keyring) -> RunSettings:
    return RunSettings.model_validate(
        {
            **{"demo": True, "households": 12, "slots": 36, "iterations": 6, "beta": 0.1},
            **{"isolation": "task", "hosts": 3, "exchange_order": "sequential"},
            **{"nats": server.url, "keys": ring.folder},
        }
    )


def test_a_run_with_keys_is_the_same_as_without(tmp_path: Path) -> None:
    ring = keyring(tmp_path / "keys", ["host-1", "host-2", "host-3"])
    with EmbeddedServer(file=ring.folder / "nats.conf") as server:
        chosen = settings(server, ring)
        results = on_bus(chosen, run="r")
    reference = in_simulation(chosen)
    assert results.rows == reference.rows
    assert results.planning_history == reference.planning_history


def test_parts_that_stand_by_have_each_their_own_keys(tmp_path: Path) -> None:
    """Each on a machine of its own, where nothing else lies."""
    ring = keyring(tmp_path / "keys", ["host-1", "host-2", "host-3"])
    with EmbeddedServer(file=ring.folder / "nats.conf") as server:
        chosen = settings(server, ring)
        commands = [["host", f"host-{n}", "--keep", str(tmp_path / "kept")] for n in (1, 2, 3)]
        commands.append(["matchmaker", "matchmaker-1"])
        started = []
        try:
            for command in commands:
                alone = tmp_path / f"machine of {command[1]}"
                shutil.copytree(ring.folder / command[1], alone)
                where = ("--nats", server.url, "--keys", str(alone))
                started.append(subprocess.Popen([*COFLEX, *command, *where]))
            results = with_standing_parts(chosen, run="r")
        finally:
            for process in started:
                process.kill()
                process.wait()
    reference = in_simulation(chosen)
    assert results.rows == reference.rows
    assert results.planning_history == reference.planning_history


async def test_a_part_with_new_keys_comes_back_and_nobody_else_leaves(
    server: EmbeddedServer, ring: Keyring
) -> None:
    async with (
        listening(server, ring, "host-0") as (_, ear),
        listening(server, ring, "host-1") as (other, others),
    ):
        before = ring.folder.parent / "before"
        shutil.copytree(ring.folder / "host-0", before)
        ring.rotate(["host-0"])
        server.reload()
        async with asyncio.timeout(60):
            await ear.failed.wait()
        assert "does not take host-0 any more" in str(ear.failures[0])
        await refused(server.url, "host-0", before, "Authorization Violation")
        async with joined(server, ring, "host-0") as new:
            await new.publish(direct("r", "host-1", "host-0"), b"new keys")
            async with asyncio.timeout(60):
                await others.complete.wait()
        assert (others.failures, other.trouble, other.lost) == ([], "", 0)
        assert other._client.stats["reconnects"] == 0


async def test_a_revoked_part_is_cut_off_and_the_others_stay(
    server: EmbeddedServer, ring: Keyring
) -> None:
    async with (
        listening(server, ring, "host-0") as (honest, ear),
        listening(server, ring, "host-3") as (_, cut),
    ):
        before = ring.folder.parent / "before"
        shutil.copytree(ring.folder / "host-3", before)
        ring.revoke(["host-3"])
        server.reload()
        async with asyncio.timeout(60):
            await cut.failed.wait()
        assert isinstance(cut.failures[0], RunError)
        await honest.publish(direct("r", "host-3", "host-0"), b"to nobody")
        await honest.publish(direct("r", "host-0", "host-0"), b"still here")
        async with asyncio.timeout(60):
            await ear.complete.wait()
        assert (ear.failures, cut.heard) == ([], [])
        assert honest._client.stats["reconnects"] == 0
        await refused(server.url, "host-3", before, "Authorization Violation")
        ring.add(["host-9"])
        server.reload()
        await until(lambda: honest.trouble == "", "the server")
        async with joined(server, ring, "host-9"):
            pass


async def test_a_server_that_comes_back_is_met_with_keys_again(
    server: EmbeddedServer, ring: Keyring
) -> None:
    async with listening(server, ring, "host-0") as (bus, ear):
        server.kill()
        server.start()
        await until(lambda: bus._client.stats["reconnects"] == 1, "the connection")
        await until(lambda: bus.trouble == "", "the connection")
        await bus.publish(direct("r", "host-0", "host-0"), b"again")
        async with asyncio.timeout(60):
            await ear.complete.wait()
        assert ear.failures == []


async def test_the_operator_asks_services_and_hears_only_its_answers(
    server: EmbeddedServer, ring: Keyring
) -> None:
    ring.add(["matchmaker-2"])
    server.reload()
    async with (
        joined(server, ring, "matchmaker-1") as maker,
        listening(server, ring, "host-0") as (_, ear),
    ):
        own = Ear()
        await maker.subscribe(inbox("r", "matchmaker-1"), own.receive, own.fail)
        await maker.answer("$SRV.PING", lambda: b"here")
        await maker.flush()
        identity = read_identity(ring.folder, "operator")
        client = Client()
        await client.connect(
            server.url,
            tls=identity.tls,
            tls_handshake_first=True,
            nkeys_seed_str=identity.seed,
            inbox_prefix=b"_INBOX_operator",
        )
        assert (await client.request("$SRV.PING", timeout=30)).data == b"here"
        # Whoever answers may answer who asked, and nobody else.
        await maker.publish("_INBOX_host-0.x", b"unasked")
        async with asyncio.timeout(60):
            await own.failed.wait()
        assert ear.failures == []
        await client.close()
