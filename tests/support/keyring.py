"""Keyrings for tests, valid from now on."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.security.keyring import Keyring


def keyring(folder: Path, hosts: Sequence[str], *, matchmakers: int = 1) -> Keyring:
    """All keys of a bus with these hosts, in a new folder."""
    ring = Keyring(folder, datetime.now(UTC))
    ring.make(hosts, matchmakers, [])
    return ring


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file of a folder, by its path in it."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
