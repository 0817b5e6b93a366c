"""Messages that are sent, and repeated while they are unanswered (docs/protocol.md, Joining and
leaving)."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from tests.system.third_party.wire import Address

AGAIN, AT_MOST = 0.5, 4.0
"""Seconds until something is said again: first, and at most (doubled each time)."""


@dataclass
class Voice:
    """Messages to send, and messages that wait for an answer."""

    now: float = 0.0
    out: list[tuple[Address, str, dict[str, Any]]] = field(default_factory=list)
    said: int = 0
    """Messages so far."""
    frames: int = 0
    bytes: int = 0
    _open: dict[Hashable, list[Any]] = field(default_factory=dict)

    def say(self, to: Address, kind: str, /, **fields: Any) -> None:
        self.out.append((to, kind, fields))
        self.said += 1

    def insist(self, what: Hashable, to: Address, kind: str, /, **fields: Any) -> None:
        """Send a message, and repeat it until `what` is settled."""
        self._open[what] = [self.now + AGAIN, AGAIN, to, kind, fields]
        self.say(to, kind, **fields)

    def settled(self, what: Hashable) -> None:
        self._open.pop(what, None)

    def silence(self) -> None:
        """Stop waiting for answers."""
        self._open.clear()

    def waits(self, what: Hashable) -> bool:
        return what in self._open

    def repeated(self, what: Hashable) -> bool:
        """Say whether a message that waits has been sent more than once."""
        return what in self._open and self._open[what][1] > AGAIN

    def repeat(self) -> None:
        """Send messages again whose answers are late."""
        for entry in self._open.values():
            due, wait, to, kind, fields = entry
            if due <= self.now:
                entry[1] = min(2 * wait, AT_MOST)
                entry[0] = self.now + entry[1]
                self.say(to, kind, **fields)

    def hurry(self) -> None:
        """Treat all unanswered messages as late, after a restart from stored state."""
        for entry in self._open.values():
            entry[0], entry[1] = 0.0, AGAIN

    @property
    def due(self) -> float:
        return min((entry[0] for entry in self._open.values()), default=float("inf"))
