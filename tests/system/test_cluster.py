"""A run on a cluster of three servers with leaf nodes, all with keys: real servers and processes,
with one loopback address per server."""

import asyncio
import base64
import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom

import nkeys
import pytest

from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.coordination.run_phase import RunPhase
from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.scenario.settings import RunSettings
from orchestrator.security.keyring import Edge, Keyring
from orchestrator.security.server_config import CLUSTER_PORT, LEAF_PORT
from protocol.errors import InputError
from protocol.subjects import direct, inbox
from protocol.transport.bus import Connection
from protocol.transport.identity import read_identity
from protocol.transport.nats_bus import NatsBus
from tests.support.nats import Ear
from tests.support.settings import in_simulation, with_standing_parts

pytestmark = pytest.mark.nats
COFLEX = (sys.executable, "-c", "from orchestrator.cli import main; main()")
HOSTS = [f"host-{number}" for number in (1, 2, 3, 4)]
LEAVES = {"street": ["host-3"], "building": ["host-4"]}
PORT = 4222


@dataclass
class Grid:
    """Three members of a cluster and two leaf nodes, each in a folder with the files that its
    machine would have, at unused addresses."""

    folder: Path
    servers: dict[str, EmbeddedServer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        block = f"127.{SystemRandom().randrange(1, 255)}.{SystemRandom().randrange(1, 255)}"
        self.members = [f"{block}.{number}" for number in (1, 2, 3)]
        self.address = {"street": f"{block}.11", "building": f"{block}.12"}
        self.address |= {member: member for member in self.members}
        self.ring = Keyring(self.folder / "keys", datetime.now(UTC))
        edges = {name: Edge(LEAVES[name], [self.address[name]]) for name in LEAVES}
        self.ring.make(HOSTS, 1, self.members, cluster=True, leaves=edges)

    def machine(self, name: str) -> Path:
        """Make the folder of a server's machine; return the configuration in it, which listens only
        at its address."""
        place, keys = self.folder / f"machine of {name}", self.ring.folder
        if name in LEAVES:
            files = [name, f"{name}.conf", f"users-{name}.conf"]
        else:
            files = ["server", "ca.pem", "nats.conf", "users.conf", "cluster.conf"]
        place.mkdir()
        for file in files:
            (shutil.copytree if (keys / file).is_dir() else shutil.copy)(keys / file, place / file)
        for config in place.glob("*.conf"):
            there = config.read_text().replace("0.0.0.0", self.address[name])
            config.write_text(there)
        return place / (f"{name}.conf" if name in LEAVES else "nats.conf")

    def start(self, name: str) -> EmbeddedServer:
        server = EmbeddedServer(PORT, file=self.machine(name), address=self.address[name])
        server.start()
        self.servers[name] = server
        return server

    def nearest(self, part: str) -> str:
        """Return the URLs of a part: that of its leaf node, or those of the cluster, starting with
        another member for each part."""
        for leaf, hosts in LEAVES.items():
            if part in hosts:
                return f"tls://{self.address[leaf]}:{PORT}"
        first = sum(map(ord, part)) % 3
        turned = [*self.members[first:], *self.members[:first]]
        return ",".join(f"tls://{member}:{PORT}" for member in turned)


@pytest.fixture
def grid(tmp_path: Path) -> Iterator[Grid]:
    grid = Grid(tmp_path)
    with contextlib.ExitStack() as stack:
        for name in (*grid.members, *LEAVES):
            stack.callback(grid.start(name).stop)
        yield grid


@contextlib.contextmanager
def standing(grid: Grid, kept: Path) -> Iterator[None]:
    """Start hosts and a matchmaker, each at its nearest server."""
    commands = [["host", host, "--keep", str(kept)] for host in HOSTS]
    commands.append(["matchmaker", "matchmaker-1"])
    started = []
    try:
        for command in commands:
            where = ("--nats", grid.nearest(command[1]), "--keys", str(grid.ring.folder))
            started.append(subprocess.Popen([*COFLEX, *command, *where]))
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def settings(grid: Grid) -> RunSettings:
    return RunSettings.model_validate(
        {
            **{"demo": True, "households": 16, "slots": 36, "iterations": 12},
            **{"isolation": "task", "hosts": 4},
            **{"nats": grid.nearest("orchestrator"), "keys": grid.ring.folder},
        }
    )


@pytest.mark.slow
@pytest.mark.parametrize("stage", [None, RunPhase.PLANNING, RunPhase.EXCHANGING])
def test_a_run_over_a_cluster_with_leaf_nodes(
    grid: Grid, tmp_path: Path, stage: RunPhase | None
) -> None:
    """During the stages, the cluster member to which the orchestrator is connected is killed."""
    chosen = settings(grid)
    killed: list[str] = []

    def strike(coordinator: RunCoordinator) -> None:
        if not killed and stage is not None and stage in coordinator.marks:
            (member,) = (
                m for m in grid.members if grid.nearest("orchestrator").startswith(f"tls://{m}:")
            )
            grid.servers[member].kill()
            killed.append(member)

    with standing(grid, tmp_path / "kept"):
        results = with_standing_parts(chosen, strike, run="r")
    assert len(killed) == (stage is not None)
    reference = in_simulation(chosen)
    assert results.rows == reference.rows
    assert results.planning_history == reference.planning_history


async def test_a_leaf_node_can_send_only_for_its_own_hosts(grid: Grid) -> None:
    """A person who controls the machine of a leaf node can send only as its own hosts, because the
    cluster enforces it."""
    near = await NatsBus.connect(Connection(grid.nearest("host-3"), "host-3", grid.ring.folder))
    far = await NatsBus.connect(Connection(grid.nearest("host-1"), "host-1", grid.ring.folder))
    ear = Ear()
    await far.subscribe(inbox("r", "host-1"), ear.receive, ear.fail)

    async def say() -> None:
        """Repeat a message until it arrives, since servers exchange their subscriptions with some
        delay."""
        own = direct("r", "host-1", "host-3")
        before = [subject for subject, _ in ear.heard].count(own)
        async with asyncio.timeout(60):
            while [subject for subject, _ in ear.heard].count(own) == before:
                await near.publish(own, b"own name")
                await near.flush()

    try:
        await say()
        # A leaf node whose users are others than those that it was given.
        users = grid.folder / "machine of street" / "users-street.conf"
        users.write_text((grid.ring.folder / "users.conf").read_text())
        grid.servers["street"].reload()
        forger = await NatsBus.connect(
            Connection(f"tls://{grid.address['street']}:{PORT}", "host-2", grid.ring.folder)
        )
        await forger.publish(direct("r", "host-1", "host-2"), b"forged")
        await forger.flush()
        await forger.close()
        await say()
        assert {subject for subject, _ in ear.heard} == {direct("r", "host-1", "host-3")}
    finally:
        await near.close()
        await far.close()


async def test_the_hosts_of_a_leaf_node_are_its_only_users(grid: Grid) -> None:
    where = f"tls://{grid.address['street']}:{PORT}"
    with pytest.raises(InputError, match="does not take us"):
        await NatsBus.connect(Connection(where, "host-1", grid.ring.folder), patience=5)


async def answer(grid: Grid, port: int, part: str, **said: str) -> bytes:
    """Return the answer of a member to a part that poses as a server and introduces itself with
    `said`.

    The member may close the connection so fast that its last message is lost, so the question is
    repeated.
    """
    for _ in range(10):
        with contextlib.suppress(ConnectionError):
            return await _answer(grid, port, part, **said)
    return b""


async def _answer(grid: Grid, port: int, part: str, **said: str) -> bytes:
    identity = read_identity(grid.ring.folder, part)
    reader, writer = await asyncio.open_connection(grid.members[0], port, ssl=identity.tls)
    try:
        async with asyncio.timeout(30):
            info = json.loads((await reader.readline()).removeprefix(b"INFO "))
            if "nonce" in info:
                pair = nkeys.from_seed(bytearray(identity.seed.encode()))
                signed = base64.urlsafe_b64encode(pair.sign(info["nonce"].encode()))
                said |= {"nkey": pair.public_key.decode(), "sig": signed.decode().rstrip("=")}
            name = {"name": part, "server_id": part, "cluster": "coflex", "verbose": False}
            writer.write(f"CONNECT {json.dumps(name | said)}\r\nPING\r\n".encode())
            while line := await reader.readline():
                if line.startswith((b"-ERR", b"PONG")):
                    return line
            return b""
    finally:
        writer.transport.abort()  # a farewell would wait for a server that has hung up
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@pytest.mark.parametrize("secret", ["guessed", ""])
async def test_a_part_cannot_join_the_cluster_as_a_server(grid: Grid, secret: str) -> None:
    """Its certificate is from the same CA, but it does not know the secret of the routes."""
    said = await answer(grid, CLUSTER_PORT, "host-1", user="route", **{"pass": secret})
    assert b"Authorization Violation" in said
    known = (grid.ring.folder / "cluster.conf").read_text().partition("route, password: ")[2]
    said = await answer(grid, CLUSTER_PORT, "host-1", user="route", **{"pass": known.split()[0]})
    assert b"Authorization Violation" not in said  # so it was the secret


async def test_a_part_cannot_connect_as_a_leaf_node(grid: Grid) -> None:
    assert b"Authorization Violation" in await answer(grid, LEAF_PORT, "host-1")
