"""The search for partners: which slots a household looks up, and at which matchmaker.

It joins the conversations with all matchmakers (matchmaker_client.py) and counts the attempts at
each slot. What is proposed to a partner is decided in negotiations.py.
"""

from collections.abc import Iterable

from agents.exchange.holding import Holding
from agents.exchange.matchmaker_client import MatchmakerClient
from agents.retransmission import NEVER
from protocol.messages import Address
from protocol.messages.exchange import Closed


class PartnerSearch:
    """A household's search for partners at all its slots.

    Slot i is looked up at matchmaker number i modulo their number.
    """

    def __init__(
        self,
        matchmakers: tuple[Address, ...],
        *,
        session: int,
        slots: int,
        attempts_max: int,
        waves: bool,
    ) -> None:
        everything = range(slots)
        self.clients = [
            MatchmakerClient(
                matchmaker, session, tuple(everything[place :: len(matchmakers)]), waves=waves
            )
            for place, matchmaker in enumerate(matchmakers)
        ]
        self._attempts_max = attempts_max
        self._attempts: dict[int, int] = {}
        self._given_up: set[int] = set()
        """Slots that were given up before every possibility was tried."""

    @property
    def idle(self) -> bool:
        """True when everything is sent and answered."""
        return all(client.idle for client in self.clients)

    @property
    def wake(self) -> float:
        """Time at which to act if nothing arrives; NEVER if nothing is due."""
        return min((client.wake for client in self.clients), default=NEVER)

    @property
    def missing(self) -> tuple[Address, ...]:
        """The matchmakers whose answers are missing."""
        return tuple(each.matchmaker for each in self.clients if each.outstanding is not None)

    def client_of(self, slot: int) -> MatchmakerClient:
        """Return the client for the matchmaker of a slot."""
        return self.clients[self.number_of(slot)]

    def number_of(self, slot: int) -> int:
        """Return the number of the matchmaker of a slot."""
        return slot % len(self.clients)

    def client_at(self, matchmaker: Address) -> MatchmakerClient | None:
        """Return the client for this matchmaker; None if it is not one of this run."""
        return next((each for each in self.clients if each.matchmaker == matchmaker), None)

    def announce(self) -> None:
        """Send all offers again with the next lookups, as for the first time."""
        for client in self.clients:
            client.announce()

    def begin(self, holding: Holding, changed: Iterable[int]) -> None:
        """Start looking up the changed slots, and those given up in the round before."""
        slots = holding.wanting(self._given_up.union(changed))
        self._attempts, self._given_up = {}, set()
        for client in self.clients:
            mine = set(client.slots)
            client.ask(slot for slot in slots if slot in mine)

    def close(self, slot: int, closed: Closed) -> None:
        """Report a closed lease with the next lookup; after an exchange, the new offer as well."""
        client = self.client_of(slot)
        client.closed.append(closed)
        if closed.ending == "done":
            client.changed.add(slot)

    def failed(self, slot: int) -> None:
        """Try a slot again later, or give it up for this round, after a failed attempt."""
        self._attempts[slot] = self._attempts.get(slot, 0) + 1
        if self._attempts[slot] < self._attempts_max:
            self.client_of(slot).due.append(slot)
        else:
            self._given_up.add(slot)
