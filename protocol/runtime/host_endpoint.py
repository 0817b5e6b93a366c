"""The endpoint of a host: it answers for the host itself, beside the households that live there.

It reports what the host's node sent and refused, and notes the end of the run.
"""

from protocol.errors import PeerError
from protocol.messages import Abort, Address, HostTraffic, Release
from protocol.runtime.machine import Envelope, Roles
from protocol.runtime.node import Counters, Node
from protocol.subjects import HOST


class HostEndpoint:
    """A machine that answers the orchestrator's Release with HostTraffic. It waits for nothing."""

    def __init__(self, host: str, orchestrator: Address, counters: Counters) -> None:
        self.address = Address(host, HOST)
        self.released = False
        """True once the orchestrator has ended the run, with or without a result."""
        self._orchestrator, self._counters = orchestrator, counters

    def roles_of(self, sender: Address) -> Roles:
        """Return the roles of a sender: a host itself hears the orchestrator alone."""
        if sender != self._orchestrator:
            raise PeerError(f"{sender.name} on {sender.host} is not the orchestrator")
        return frozenset({"orchestrator"})

    def handle(self, envelope: Envelope, now: float) -> list[Envelope]:
        """Answer one message. Raises PeerError if it is not for a host."""
        match envelope.message:
            case Release():
                self.released = True
                counted = self._counters
                traffic = HostTraffic(
                    messages=counted.messages,
                    frames=counted.frames,
                    bytes=counted.bytes,
                    resent=counted.resent,
                    dropped=counted.dropped,
                )
                return [Envelope(self.address, self._orchestrator, traffic)]
            case Abort():
                self.released = True
                return []
            case other:
                raise PeerError(f"{type(other).__name__} is not for a host")

    def tick(self, now: float) -> list[Envelope]:
        """Return nothing: no message of a host is ever repeated."""
        return []

    def next_deadline(self) -> float | None:
        """Return None: nothing is ever due."""
        return None


def host_endpoint(node: Node) -> HostEndpoint:
    """Return the endpoint of the host that `node` is. Raises TypeError if it has none."""
    machine = node.machines.get(HOST)
    if not isinstance(machine, HostEndpoint):
        raise TypeError(f"the node {node.name} has no host endpoint")
    return machine
