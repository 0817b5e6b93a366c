"""Messages that are handed to a machine as a node does it, and machines that a node lets anybody
speak to."""

from dataclasses import dataclass
from typing import Protocol, get_args

from protocol.messages import Address
from protocol.runtime.gate import admit
from protocol.runtime.machine import Envelope, Machine, Role, Roles

EVERY_ROLE: Roles = frozenset(get_args(Role))


def handed(machine: Machine, envelope: Envelope, now: float = 0.0) -> list[Envelope]:
    """Return the answers of a machine to a message. Raises PeerError if the gate or the machine
    refuses it."""
    admit(machine.roles_of(envelope.sender), envelope)
    return machine.handle(envelope, now)


class Part(Protocol):
    """A part of a machine, such as a trader, which knows no peers."""

    def handle(self, envelope: Envelope, now: float) -> list[Envelope]: ...

    def tick(self, now: float) -> list[Envelope]: ...

    def next_deadline(self) -> float | None: ...


@dataclass
class Alone:
    """A part that takes the place of its machine in a node: nobody is refused at the gate."""

    part: Part

    def roles_of(self, sender: Address) -> Roles:
        return EVERY_ROLE

    def handle(self, envelope: Envelope, now: float) -> list[Envelope]:
        return self.part.handle(envelope, now)

    def tick(self, now: float) -> list[Envelope]:
        return self.part.tick(now)

    def next_deadline(self) -> float | None:
        return self.part.next_deadline()
