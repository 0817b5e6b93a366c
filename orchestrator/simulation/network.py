"""The whole system in one process: the same nodes and machines, a virtual clock, a network that
can be told to lose, double, delay and reorder. No sockets, no asyncio, no real time.

Everything passes through the codec, so that nothing is shared by reference; the same seed gives
the same course, byte for byte.
"""

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random

from protocol.runtime.node import Frame, Node


@dataclass(frozen=True, slots=True)
class NetworkFaults:
    """What the network does to frames. Shares in [0, 1]; delays in seconds, uniform."""

    dropped: float = 0.0
    doubled: float = 0.0
    delay: tuple[float, float] = (0.0, 0.0)
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
    """Nodes and the frames between them, in virtual time."""

    def __init__(self, nodes: Iterable[Node], weather: NetworkFaults = NO_FAULTS) -> None:
        self.nodes = {node.name: node for node in nodes}
        self.now = 0.0
        self.lost = self.repeated = 0
        """Frames that the weather dropped, and that it doubled."""
        self.listen: Callable[[str, Frame], None] | None = None
        """Called with every frame that is sent, and its sender: an ear on the wire."""
        self._weather, self._chance = weather, Random(weather.seed)
        self._arrivals: list[_Arrival] = []
        self._number = 0

    def run(
        self,
        finished: Callable[[], bool],
        *,
        watch: Callable[[], None] | None = None,
        until: float = float("inf"),
    ) -> bool:
        """Start every node and go on until `finished` (True) or until nothing more can happen
        before the virtual time `until` (False). `watch` is called after every event."""
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
        """Deliver what arrives before the next deadline known now (new ones are only later)."""
        while self._arrivals and self._arrivals[0].at <= wake and not finished():
            self.now = max(self.now, self._arrivals[0].at)
            touched: dict[str, Node] = {}
            # What arrives at one moment is handled before anything is sent in answer, as a host
            # reads all that has come in before it writes.
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
        weather = self._weather
        for frame in frames:
            if self.listen is not None:
                self.listen(sender, frame)
            copies = 1
            if weather.dropped and self._chance.random() < weather.dropped:
                copies, self.lost = 0, self.lost + 1
            elif weather.doubled and self._chance.random() < weather.doubled:
                copies, self.repeated = 2, self.repeated + 1
            for _ in range(copies):
                low, high = weather.delay
                at = self.now + (self._chance.uniform(low, high) if high else low)
                self._number += 1
                heapq.heappush(
                    self._arrivals, _Arrival(at, self._number, sender, frame.to, frame.data)
                )
