"""A keyring, and a server that takes its keys."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.security.keyring import Keyring
from tests.support.keyring import keyring
from tests.support.secured_bus import HOSTS


@pytest.fixture
def ring(tmp_path: Path) -> Keyring:
    return keyring(tmp_path / "keys", HOSTS)


@pytest.fixture
def server(ring: Keyring) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(file=ring.folder / "nats.conf") as started:
        yield started
