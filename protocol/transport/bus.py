"""What a shell needs of a bus."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

Receive = Callable[[str, bytes], None]
"""Called with subject and payload; must not wait."""
Fail = Callable[[Exception], None]
"""Called when the bus cannot go on, with the reason."""


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach the bus, and as whom."""

    url: str
    """Of a server, or of several of one cluster, separated by commas: the nearest first."""
    name: str
    """Name of this endpoint, for the server's logs and for the own inbox."""
    keys: Path | None = None
    """Folder with the keys that show it is this one (identity.py); None: neither keys nor TLS."""
    embedded: bool = False
    """True for the server that the run has started itself."""

    @property
    def urls(self) -> list[str]:
        """Of each server."""
        return [url.strip() for url in self.url.split(",")]

    def each(self) -> "list[Connection]":
        """A connection to each server alone."""
        return [replace(self, url=url) for url in self.urls]

    def named(self, name: str) -> "Connection":
        """The same server, as another endpoint."""
        return replace(self, name=name)


class Bus(Protocol):
    """Publish and subscribe; a message may get lost, or come twice."""

    lost: int
    """Messages known to be lost: not taken during an outage, or come faster than handled."""

    async def subscribe(self, subject: str, receive: Receive, fail: Fail) -> None:
        """Call `receive` for each message, one after another, in order."""
        ...

    async def publish(self, subject: str, data: bytes) -> None:
        """Hand over one message; waits while the way out is full."""
        ...

    async def flush(self) -> None:
        """Wait until the server has all that was published."""
        ...

    async def close(self) -> None:
        """Leave."""
        ...
