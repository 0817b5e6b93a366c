"""Parts on a bus with keys: those that get in, and those that do not."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.security.keyring import Keyring
from protocol.errors import InputError
from protocol.subjects import inbox
from protocol.transport.bus import Connection
from protocol.transport.nats_bus import NatsBus
from tests.support.nats import Ear

HOSTS = [f"host-{number}" for number in range(4)]
"""The last one has no part in any run here."""


@contextlib.asynccontextmanager
async def joined(server: EmbeddedServer, ring: Keyring, name: str) -> AsyncIterator[NatsBus]:
    """Connect a part with its keys."""
    async with await NatsBus.connect(Connection(server.url, name, ring.folder)) as bus:
        yield bus


@contextlib.asynccontextmanager
async def listening(
    server: EmbeddedServer, ring: Keyring, name: str, enough: int = 1
) -> AsyncIterator[tuple[NatsBus, Ear]]:
    """Connect a part with its keys, and collect what it hears."""
    async with joined(server, ring, name) as bus:
        ear = Ear(enough)
        await bus.subscribe(inbox("r", name), ear.receive, ear.fail)
        yield bus, ear


async def refused(url: str, name: str, keys: Path | None, complaint: str) -> None:
    """Try to connect, and check that this fails with `complaint`."""
    with pytest.raises(InputError, match=complaint):
        await NatsBus.connect(Connection(url, name, keys), patience=0.5)
