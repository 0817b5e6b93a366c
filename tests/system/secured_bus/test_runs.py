"""Whole runs on a bus with keys, and changes of the keys while it runs."""

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from nats.aio.client import Client

from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.scenario.settings import RunSettings
from orchestrator.security.keyring import Keyring
from protocol.errors import RunError
from protocol.subjects import direct, inbox
from protocol.transport.identity import read_identity
from tests.support.keyring import keyring
from tests.support.nats import Ear
from tests.support.secured_bus import joined, listening, refused
from tests.support.settings import in_simulation, on_bus, with_standing_parts
from tests.support.waiting import until

pytestmark = pytest.mark.nats
COFLEX = (sys.executable, "-c", "from orchestrator.cli import main; main()")


def settings(server: EmbeddedServer, ring: Keyring) -> RunSettings:
    return RunSettings.model_validate(
        {
            **{"demo": True, "households": 12, "slots": 36, "iterations": 6, "beta": 0.1},
            **{"isolation": "task", "hosts": 3},
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
