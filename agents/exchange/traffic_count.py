"""Traffic count: the frames and bytes that a host's households send, round by round.

Frames are shared by all households of a host, so they are counted at the host. The caller decides
to which round they belong.
"""

from dataclasses import dataclass, field

from protocol.runtime.node import Counters


@dataclass(slots=True)
class TrafficCount:
    """A reader of a node's counters; one per host, shared by its traders.

    Invariant: every frame is taken at most once, by the first caller after it was sent.
    """

    counters: Counters = field(default_factory=Counters)
    _frames: int = 0
    _bytes: int = 0

    def take(self) -> tuple[int, int]:
        """Return the frames and bytes sent since the last call by any trader."""
        frames, size = self.counters.frames, self.counters.bytes
        taken = frames - self._frames, size - self._bytes
        self._frames, self._bytes = frames, size
        return taken
