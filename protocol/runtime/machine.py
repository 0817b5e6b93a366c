"""What a decision-maker of coflex is: a pure machine.

It is given what arrived and the time, and says what to send. It holds no clock, no connection and
no source of chance of its own, so the same inputs give the same outputs wherever it runs.
"""

from typing import NamedTuple, Protocol

from protocol.messages import Address, Message


class Envelope(NamedTuple):
    """One message with its sender and its addressee. The sender's host comes from the bus subject,
    never from what the sender wrote."""

    sender: Address
    to: Address
    message: Message


class Machine(Protocol):
    """A household, the matchmaker, the orchestrator: anything with an address that decides."""

    def handle(self, envelope: Envelope, now: float) -> list[Envelope]:
        """What to send in answer. Raises PeerError if the sender may not say this."""
        ...

    def tick(self, now: float) -> list[Envelope]:
        """What to send because time has passed; called at `next_deadline` or later."""
        ...

    def next_deadline(self) -> float | None:
        """When to call `tick` if nothing else happens; None for never."""
        ...
