"""The host's own voice beside its households: what its node has sent and refused."""

from protocol.errors import PeerError
from protocol.messages import Abort, Address, HostTraffic, Release
from protocol.runtime.machine import Envelope
from protocol.runtime.node import Counters
from protocol.subjects import HOST


class HostEndpoint:
    """Answers the orchestrator's Release with a Tally. Waits for nothing."""

    def __init__(self, host: str, orchestrator: Address, counters: Counters) -> None:
        self.address = Address(host, HOST)
        self.released = False
        """Whether the orchestrator has said that the run is over."""
        self._orchestrator, self._counters = orchestrator, counters

    def handle(self, envelope: Envelope, now: float) -> list[Envelope]:
        """Answer one message."""
        if envelope.sender != self._orchestrator:
            raise PeerError(f"{envelope.sender} is not the orchestrator")
        match envelope.message:
            case Release():
                self.released = True
                counted = self._counters
                tally = HostTraffic(
                    counted.messages,
                    counted.frames,
                    counted.bytes,
                    counted.resent,
                    counted.dropped,
                )
                return [Envelope(self.address, self._orchestrator, tally)]
            case Abort():
                self.released = True
                return []
            case other:
                raise PeerError(f"{type(other).__name__} is not for a host")

    def tick(self, now: float) -> list[Envelope]:
        """Nothing is ever due."""
        return []

    def next_deadline(self) -> float | None:
        """Never."""
        return None
