"""The interface of a machine: every part of coflex that decides is one, and pure.

A machine is given an incoming message and the time, and returns the messages to send. It has no
clock, connection or random source of its own, so equal inputs give equal outputs wherever it runs.
"""

from typing import Literal, NamedTuple, Protocol

from protocol.messages import Address, Message


class Envelope(NamedTuple):
    """One message with its sender and its receiver. The sender's host comes from the bus subject,
    never from the content of the frame."""

    sender: Address
    to: Address
    message: Message


Role = Literal[
    "orchestrator",
    "operator",
    "host",
    "member",
    "matchmaker",
    "parent",
    "child",
    "household",
    "partner",
]
"""What a sender is to a machine that receives its message; gate.py says what each may say."""
Roles = frozenset[Role]


class Machine(Protocol):
    """A machine: a household, the matchmaker, the orchestrator, or anything else with an address
    that decides."""

    def roles_of(self, sender: Address) -> Roles:
        """Return the roles of a sender in this run, towards this machine. Raises PeerError, with
        the reason, if it has none."""
        ...

    def handle(self, envelope: Envelope, now: float) -> list[Envelope]:
        """Answer one message. Raises PeerError if its sender may not send it now."""
        ...

    def tick(self, now: float) -> list[Envelope]:
        """Return the messages that are due because time has passed; called at `next_deadline` or
        later."""
        ...

    def next_deadline(self) -> float | None:
        """Return when to call `tick` if nothing else happens; None for never."""
        ...
