"""The interface of a bus, as the shell needs it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

Receive = Callable[[str, bytes], None]
"""Called with subject and payload; must not block."""
Fail = Callable[[Exception], None]
"""Called when the bus cannot go on, with the reason."""


@dataclass(frozen=True, slots=True)
class Connection:
    """The URL, name and keys with which an endpoint connects to the bus."""

    url: str
    """URL of a server, or of several servers of one cluster, separated by commas, the nearest
    first."""
    name: str
    """Name of this endpoint, for the server's logs and for its own inbox."""
    keys: Path | None = None
    """Folder with the keys that prove the name (identity.py); None: neither keys nor TLS."""
    embedded: bool = False
    """True for the server that the run has started itself."""

    @property
    def urls(self) -> list[str]:
        """Return the URL of each server."""
        return [url.strip() for url in self.url.split(",")]

    def each(self) -> "list[Connection]":
        """Return a connection to each server alone."""
        return [replace(self, url=url) for url in self.urls]

    def named(self, name: str) -> "Connection":
        """Return a connection to the same servers under another name."""
        return replace(self, name=name)


class Bus(Protocol):
    """A bus: publishes and subscribes. A message may get lost, or arrive twice."""

    lost: int
    """Number of messages known to be lost, in an outage or because they came too fast."""

    async def subscribe(self, subject: str, receive: Receive, fail: Fail) -> None:
        """Call `receive` for each message, one after another, in order; call `fail` if that becomes
        impossible."""
        ...

    async def publish(self, subject: str, data: bytes) -> None:
        """Publish one message; waits while the outgoing buffer is full."""
        ...

    async def flush(self) -> None:
        """Wait until the server has received everything published."""
        ...

    async def close(self) -> None:
        """Close the connection."""
        ...
