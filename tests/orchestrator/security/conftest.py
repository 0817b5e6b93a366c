"""A keyring of two hosts and a matchmaker."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.security.keyring import Keyring


@pytest.fixture
def ring(tmp_path: Path) -> Keyring:
    made = Keyring(tmp_path / "keys", datetime.now(UTC))
    made.make(["host-1", "host-2"], 1, ["nats", "10.0.0.7"])
    return made
