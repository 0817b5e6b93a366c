"""Who gets in to a bus with keys, on a real nats-server."""

import asyncio
import shutil
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.security.certificates import make_server
from orchestrator.security.keyring import Keyring
from protocol.transport import nats_bus
from protocol.transport.identity import CA, CERTIFICATE, KEY, SEED
from tests.support.keyring import keyring
from tests.support.nats import pretending
from tests.support.secured_bus import HOSTS, joined, refused

pytestmark = pytest.mark.nats


def mixed(ring: Keyring, other: Keyring, files: tuple[str, ...]) -> Path:
    """The keys of host-0, with these files from elsewhere."""
    folder = ring.folder.parent / "mixed"
    shutil.copytree(ring.folder / "host-0", folder)
    for file in files:
        shutil.copy(other.folder / "host-0" / file, folder / file)
    return folder


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
