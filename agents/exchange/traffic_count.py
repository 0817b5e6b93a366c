"""What a host's households cost the bus, round by round: frames are shared by all of a host, so
they are counted where the host counts them. Which round they belong to is decided by who asks.
"""

from dataclasses import dataclass, field

from protocol.runtime.node import Counters


@dataclass(slots=True)
class TrafficCount:
    """Reads a node's counters; one a host, shared by its traders.

    Invariant: every frame is taken at most once, by the first who asks after it was sent.
    """

    counters: Counters = field(default_factory=Counters)
    _frames: int = 0
    _bytes: int = 0

    def take(self) -> tuple[int, int]:
        """Frames and bytes sent since anybody asked last."""
        frames, size = self.counters.frames, self.counters.bytes
        taken = frames - self._frames, size - self._bytes
        self._frames, self._bytes = frames, size
        return taken
