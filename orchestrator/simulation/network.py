"""A simulated network in virtual time, which can lose, duplicate, delay and reorder frames. No
sockets, no asyncio, no real time.

Every message passes through the codec, so that nodes share no objects. The same seed gives the same
run, byte for byte.
"""

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random

from protocol.runtime.node import Frame, Node


@dataclass(frozen=True, slots=True)
class NetworkFaults:
    """Faults of the network."""

    dropped: float = 0.0
    """Share of frames that are lost, in [0, 1]."""
    doubled: float = 0.0
    """Share of the other frames that arrive twice, in [0, 1]."""
    delay: tuple[float, float] = (0.0, 0.0)
    """Shortest and longest delay of a frame, seconds; drawn uniformly."""
    seed: int = 0


NO_FAULTS = NetworkFaults()


@dataclass(order=True, slots=True)
class _Arrival:
    at: float
    number: int
    sender: str = field(compare=False)
    to: str = field(compare=False)
    data: bytes = field(compare=False)


class Network:
    """The nodes of a system and the frames between them, in virtual time."""

    def __init__(self, nodes: Iterable[Node], faults: NetworkFaults = NO_FAULTS) -> None:
        self.nodes = {node.name: node for node in nodes}
        self.now = 0.0
        self.lost = self.repeated = 0
        """Number of frames that were lost, and of those that were duplicated."""
        self.listen: Callable[[str, Frame], None] | None = None
        """A function that is called with sender and frame whenever a frame is sent."""
        self._faults, self._chance = faults, Random(faults.seed)
        self._arrivals: list[_Arrival] = []
        self._number = 0

    def run(
        self,
        finished: Callable[[], bool],
        *,
        watch: Callable[[], None] | None = None,
        until: float = float("inf"),
    ) -> bool:
        """Start every node and deliver frames until `finished()`; call `watch` after every event.

        Returns True once `finished()`, or False if nothing more can happen before the virtual time
        `until`, in seconds.
        """
        for node in self.nodes.values():
            self._send(node.name, node.start(self.now))
        while not finished():
            wakes = [d for node in self.nodes.values() if (d := node.next_deadline()) is not None]
            wake = min(wakes, default=float("inf"))
            if self._arrivals and self._arrivals[0].at <= wake:
                self._drain(wake, finished, watch)
                continue
            if wake > until or wake == float("inf"):
                return False
            self.now = max(self.now, wake)
            for node in self.nodes.values():
                deadline = node.next_deadline()
                if deadline is not None and deadline <= self.now:
                    self._send(node.name, node.tick(self.now))
        return True

    def _drain(
        self, wake: float, finished: Callable[[], bool], watch: Callable[[], None] | None
    ) -> None:
        """Deliver the frames that arrive before the next deadline, `wake`, or one set meanwhile."""
        while self._arrivals and self._arrivals[0].at <= wake and not finished():
            self.now = max(self.now, self._arrivals[0].at)
            touched: dict[str, Node] = {}
            # All frames that arrive at one moment are handled before any answer is sent, just as a
            # host reads everything that has arrived before it writes.
            while self._arrivals and self._arrivals[0].at <= self.now:
                arrival = heapq.heappop(self._arrivals)
                node = self.nodes.get(arrival.to)
                if node is not None:
                    node.accept(arrival.sender, arrival.data, self.now)
                    touched[node.name] = node
            for node in touched.values():
                self._send(node.name, node.flush())
                deadline = node.next_deadline()
                if deadline is not None:
                    wake = min(wake, deadline)
            if watch is not None:
                watch()

    def _send(self, sender: str, frames: list[Frame]) -> None:
        faults = self._faults
        for frame in frames:
            if self.listen is not None:
                self.listen(sender, frame)
            copies = 1
            if faults.dropped and self._chance.random() < faults.dropped:
                copies, self.lost = 0, self.lost + 1
            elif faults.doubled and self._chance.random() < faults.doubled:
                copies, self.repeated = 2, self.repeated + 1
            for _ in range(copies):
                low, high = faults.delay
                at = self.now + (self._chance.uniform(low, high) if high else low)
                self._number += 1
                arrival = _Arrival(
                    at=at, number=self._number, sender=sender, to=frame.to, data=frame.data
                )
                heapq.heappush(self._arrivals, arrival)
