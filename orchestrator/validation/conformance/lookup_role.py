"""What the matchmaker of a tested household does whatever is exchanged: it reads lookups, one at a
time and numbered, and gives each lease an id of its own."""

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from orchestrator.validation.conformance.household_probe import HouseholdProbe, shown
from orchestrator.validation.conformance.roles import MATCHMAKER
from protocol.codec import encode_message
from protocol.messages import AmountLookup, Lookup
from protocol.messages.exchange import LeaseId

SECTION = "Stage 2: lookups, proposals, rounds, Household and matchmaker"
LEASE_SECONDS = 60.0

L = TypeVar("L", Lookup, AmountLookup)


class LookupRole(ABC, Generic[L]):
    """The matchmaker of one kind of lookups. Invariant: `open` is the lookup without an answer."""

    def __init__(self, probe: HouseholdProbe, kind: type[L], *, answer: str) -> None:
        """Set up a matchmaker that has heard nothing; `answer` is the kind of its answers."""
        self.probe, self.epoch = probe, 100
        self.open: L | None = None
        self._kind: type[L] = kind
        self._answer = answer
        self._last: L | None = None
        self._next_lease = 1
        self._read = len(probe.heard)

    def read(self) -> None:
        """Handle the lookups that have arrived."""
        arrived, self._read = self.probe.heard[self._read :], len(self.probe.heard)
        for to, message in arrived:
            if to == MATCHMAKER and isinstance(message, self._kind) and self._follows(message):
                self.take(message)
                self._last = self.open = message

    @abstractmethod
    def take(self, lookup: L) -> None:
        """Check what a new lookup says, and remember it."""

    def new_id(self) -> LeaseId:
        """Return an id that no lease has had."""
        self._next_lease += 1
        return LeaseId(self.epoch, self._next_lease)

    def found(self) -> L | None:
        """Return the lookup without an answer, if there is one."""
        self.read()
        return self.open

    def note(self, check: str, passed: bool, expected: str, came: L) -> None:
        """Add a check of a lookup to the list."""
        self.probe.note(check, SECTION, passed, expected, shown(came))

    def _follows(self, lookup: L) -> bool:
        """Check the number of a lookup. Returns False for a repetition."""
        last = self._last
        if last is not None and lookup.number == last.number:
            same = encode_message(lookup) == encode_message(last)
            self.note("repeats a lookup as it was", same, shown(last), lookup)
            return False
        expected = f"none before {self._answer}"
        self.note("has one lookup under way at a time", self.open is None, expected, lookup)
        if last is not None:
            expected = f"session {last.session}, number {last.number + 1}"
            right = (lookup.session, lookup.number) == (last.session, last.number + 1)
            self.note("numbers its lookups one by one", right, expected, lookup)
        return True
