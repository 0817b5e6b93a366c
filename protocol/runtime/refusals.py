"""Refusals: whose frames and messages a node has refused, counted by host, and which hosts it no
longer listens to.

Bounded, whoever sends what: a stranger makes a node keep one entry, and costs it little. Pure.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

HOSTS_MAX = 32
"""Number of hosts that are named; the one with the fewest refusals makes room for a new one."""
MUTED_AFTER = 256
"""Refusals after which a host that has never said anything acceptable is muted."""
HEARD_AGAIN_SECONDS = 0.25
"""A muted host is read so often, in case it has something acceptable to say by now."""
FRAME_REFUSALS_MAX = 64
"""Refusals in one frame of such a host after which the rest of the frame is dropped."""
UNREADABLE = "bytes that are not a message of this run"
"""Stands for the bytes of a frame that cannot be decoded, which may be anything."""


class Refused(NamedTuple):
    """What was refused from one host."""

    times: int
    what: str
    """The last of it, with the reason."""


@dataclass(slots=True)
class Refusals:
    """The refusals of one node.

    Invariant: `by_host` has at most HOSTS_MAX hosts.
    """

    by_host: dict[str, Refused] = field(default_factory=dict)
    last_host: str = ""
    """The host of the last refusal."""
    others: int = 0
    """Refusals of hosts that are not named any more."""
    _accepted: set[str] = field(default_factory=set)
    """Hosts from which a message was accepted."""
    _read_at: dict[str, float] = field(default_factory=dict)
    """When a frame of a muted host was read last."""

    @property
    def most(self) -> list[tuple[str, Refused]]:
        """The hosts that are named, those with most refusals first."""
        return sorted(self.by_host.items(), key=lambda item: (-item[1].times, item[0]))

    def note(self, host: str, what: str, times: int = 1) -> None:
        """Count a refusal, or several for the same reason."""
        self.last_host = host
        known = self.by_host.get(host)
        if known is None and len(self.by_host) == HOSTS_MAX:
            fewest = min(self.by_host, key=lambda name: self.by_host[name].times)
            self.others += self.by_host.pop(fewest).times
            self._read_at.pop(fewest, None)
        self.by_host[host] = Refused(times if known is None else known.times + times, what)

    def accept(self, host: str) -> None:
        """Note that a message of this host was accepted."""
        self._accepted.add(host)

    def is_noise(self, host: str) -> bool:
        """Return True if this host is muted: much of it was refused, and nothing accepted."""
        known = self.by_host.get(host)
        return known is not None and known.times >= MUTED_AFTER and host not in self._accepted

    def mutes(self, host: str, now: float) -> bool:
        """Return True, and count a refusal, if a frame of this host is to be dropped unread."""
        if not self.is_noise(host):
            return False
        read_at = self._read_at.get(host)
        if read_at is None or now >= read_at + HEARD_AGAIN_SECONDS:
            self._read_at[host] = now
            return False
        self.note(host, self.by_host[host].what)
        return True
