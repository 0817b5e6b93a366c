"""Two small machines for tests of transport: an asker that repeats its questions, and an
answerer."""

from dataclasses import dataclass, field

from protocol.errors import PeerError
from protocol.messages import Address, Enrol
from protocol.runtime.machine import Envelope, Roles
from protocol.runtime.node import Node

AGAIN = 0.05
"""Seconds after which a question is repeated."""


ANYBODY: Roles = frozenset({"member"})
DEFECT = 999_999
"""The number at which an answerer fails."""


@dataclass
class Asker:
    """Asks 1, 2, ... up to `last`, each until it is answered."""

    address: Address
    to: Address
    last: int
    question: int = 0
    heard: list[int] = field(default_factory=list)
    _asked: float = 0.0

    @property
    def done(self) -> bool:
        return self.question > self.last

    def roles_of(self, sender: Address) -> Roles:
        return ANYBODY

    def handle(self, envelope: Envelope, now: float) -> list[Envelope]:
        if not isinstance(envelope.message, Enrol):
            raise PeerError("not an answer")
        if envelope.message.slots != self.question:
            return []  # a repetition
        self.heard.append(self.question)
        self.question += 1
        return self._ask(now)

    def tick(self, now: float) -> list[Envelope]:
        self.question = self.question or 1
        return self._ask(now)

    def next_deadline(self) -> float | None:
        return None if self.done else self._asked + AGAIN

    def _ask(self, now: float) -> list[Envelope]:
        self._asked = now
        return [] if self.done else [Envelope(self.address, self.to, Enrol(self.question))]


@dataclass
class Answerer:
    """Answers with the number that it receives, but fails at DEFECT."""

    address: Address
    received: list[int] = field(default_factory=list)

    def roles_of(self, sender: Address) -> Roles:
        return ANYBODY

    def handle(self, envelope: Envelope, now: float) -> list[Envelope]:
        if not isinstance(envelope.message, Enrol):
            raise PeerError("not a question")
        number = envelope.message.slots
        assert number != DEFECT, "a defect"
        self.received.append(number)
        return [Envelope(self.address, envelope.sender, Enrol(number))]

    def tick(self, now: float) -> list[Envelope]:
        return []

    def next_deadline(self) -> float | None:
        return None


def asking(host: str, to: str, last: int, run: str = "r") -> tuple[Node, Asker]:
    """Return a node with an asker."""
    asker = Asker(Address(host, "asker"), Address(to, "answerer"), last)
    return Node(host, run, {"asker": asker}), asker


def answering(host: str, run: str = "r") -> tuple[Node, Answerer]:
    """Return a node with an answerer."""
    answerer = Answerer(Address(host, "answerer"))
    return Node(host, run, {"answerer": answerer}), answerer
