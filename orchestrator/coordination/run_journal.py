"""The journal of an orchestrator: the messages that have changed the state of its run.

A coordinator decides by what it is told and by the time alone. So one that is told the same again
is where the first one was. Display needs more than is kept here: progress within a phase is lost.
"""

from collections.abc import Iterator
from typing import NamedTuple

from agents.exchange.journal.entries import Entry, Journal, MemoryJournal
from agents.exchange.journal.sqlite import SqliteJournal
from protocol.codec import decode_message, encode_message
from protocol.errors import InputError
from protocol.messages import Address
from protocol.runtime.machine import Envelope
from protocol.subjects import ORCHESTRATOR


class Told(NamedTuple):
    """A message that has changed the state of the run."""

    envelope: Envelope
    at: float
    """Time since the run began, seconds; interruptions do not count."""


class RunJournal:
    """What a coordinator has been told, in a journal as hosts keep one."""

    def __init__(self, journal: Journal | None = None) -> None:
        """Keep the messages in `journal`; without one, forget them."""
        self._journal = MemoryJournal() if journal is None else journal
        self._forgets = journal is None
        self.began = 0.0
        """When the run began, by the clock of its coordinator, seconds."""

    def note(self, envelope: Envelope, now: float) -> None:
        """Add a message; it is durable after the next `commit`."""
        if self._forgets:
            return
        sender, at = envelope.sender, now - self.began
        data = encode_message(envelope.message)
        self._journal.append(
            Entry(ORCHESTRATOR, "told", host=sender.host, partner=sender.name, given=at, data=data)
        )

    def commit(self) -> None:
        """Make all messages added so far durable."""
        if not self._forgets:
            self._journal.commit()

    def close(self) -> None:
        """Commit what is left, and close the file of the journal if it is one."""
        if isinstance(self._journal, SqliteJournal):
            self._journal.close()

    def told(self, to: Address) -> list[Told]:
        """Return the durable messages in their order; their receiver is `to`."""
        return list(self._read(to))

    def _read(self, to: Address) -> Iterator[Told]:
        for entry in self._journal.entries().get(ORCHESTRATOR, ()):
            if entry.kind != "told":
                raise InputError(f"this is no journal of an orchestrator: it has {entry.kind!r}")
            sender = Address(entry.host, entry.partner)
            yield Told(Envelope(sender, to, decode_message(entry.data)), entry.given)
