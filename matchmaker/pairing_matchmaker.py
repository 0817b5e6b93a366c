"""The matchmaker for bundles: once a round it pairs all households that look up, and answers them.

Every household looks up once in each round, and says how many look up at the same matchmaker. The
answers go out when all have spoken, so which pairs are found does not depend on the bus. Everything
the matchmaker knows can be restored: after a restart it asks all households for their offers.
"""

from dataclasses import dataclass

from matchmaker.amount_matchmaker import AmountMatchmaker
from matchmaker.bundle_book import BundleBook
from matchmaker.matchmaker import Matchmaker
from matchmaker.wave_matchmaker import matchmaker_of as slot_matchmaker_of
from protocol.errors import PeerError
from protocol.messages import Address, Lookup, Match
from protocol.messages.exchange import WHOLE, Lease
from protocol.runtime.machine import Envelope
from protocol.terms import ExchangeTerms


@dataclass(slots=True)
class _Session:
    number: tuple[int, int]
    """Session and number of the last lookup."""
    lookup: Lookup
    answer: Match | None
    """Its answer; None while the lookup waits."""


class PairingMatchmaker:
    """A matchmaker of a run whose content is bundles.

    Invariant: a household waits only in the round `_round`, and is answered once in each.
    """

    def __init__(
        self, address: Address, slots: int, epoch: int, *, patience_seconds: float, seed: int
    ) -> None:
        """Set up a matchmaker that knows nothing yet. `epoch` must be above 0 and differ from that
        of any earlier matchmaker of this name. After `patience_seconds` without a word it goes on
        without the households that are missing."""
        self.address = address
        self.ledger = BundleBook(slots, epoch, seed)
        self.answered = 0
        """Number of lookups that were answered, repeated ones included."""
        self._patience_s = patience_seconds
        self._sessions: dict[Address, _Session] = {}
        self._waiting: dict[str, Address] = {}
        self._round = 0
        """The round whose lookups are waiting."""
        self._paired = 0
        """The last round that was paired; 0 for none."""
        self._heard_at = 0.0

    def handle(self, envelope: Envelope, now: float) -> list[Envelope]:
        """Take one lookup, and answer all of a round if it was the last."""
        lookup, household = envelope.message, envelope.sender
        if not isinstance(lookup, Lookup):
            raise PeerError(f"{type(lookup).__name__} is not for a matchmaker")
        number = (lookup.session, lookup.number)
        last = self._sessions.get(household)
        if last is not None and number <= last.number:
            if number < last.number or last.answer is None:
                return []
            self.answered += 1
            return [Envelope(self.address, household, last.answer)]
        self._check(lookup)
        session = self._sessions[household] = _Session(number, lookup, None)
        if not self._learn(household, lookup):
            return [self._answer(household, session, anew=True)]
        self._heard_at = now
        if lookup.round <= self._paired:
            # An offer of round 0, or a household that was away while the others were paired.
            self._waiting.pop(household.name, None)
            return [self._answer(household, session)]
        self._waiting[household.name] = household
        self._round = max(self._round, lookup.round)
        return self._pair() if len(self._waiting) >= lookup.households > 0 else []

    def tick(self, now: float) -> list[Envelope]:
        """Pair the households that have spoken, if the others keep silent for too long."""
        deadline = self.next_deadline()
        return self._pair() if deadline is not None and deadline <= now else []

    def next_deadline(self) -> float | None:
        """Return when to go on without missing households; None if nobody waits."""
        return self._heard_at + self._patience_s if self._waiting else None

    def _learn(self, household: Address, lookup: Lookup) -> bool:
        """Take what a lookup reports. Returns False if the household must send all offers first."""
        if lookup.epoch == 0:
            self.ledger.enter(household)
        elif lookup.epoch != self.ledger.epoch or not self.ledger.knows(household):
            return False
        self.ledger.take(household.name, lookup)
        return True

    def _pair(self) -> list[Envelope]:
        """Answer all waiting lookups: a lease for each requester, nothing for the others."""
        self._paired = self._round
        waiting, self._waiting = self._waiting, {}
        lookups = {name: self._sessions[place].lookup for name, place in waiting.items()}
        first = lookups[min(lookups)]
        talks = self.ledger.talks(
            self._round, first.min_gain_kwh2, absent=self.ledger.rows.keys() - lookups.keys()
        )
        leases = {
            talk.requester: Lease(
                id=talk.lease,
                slot=WHOLE,
                partner=waiting[talk.responder],
                value_kwh=0.0,
                seconds=self._patience_s,
                round=self._round,
            )
            for talk in talks
        }
        counts = self.ledger.counts
        counts.lookups += len(waiting)
        counts.matches += len(leases)
        counts.none += len(waiting) - 2 * len(leases)
        return [
            self._answer(place, self._sessions[place], leases.get(name))
            for name, place in waiting.items()
        ]

    def _answer(
        self,
        household: Address,
        session: _Session,
        lease: Lease | None = None,
        *,
        anew: bool = False,
    ) -> Envelope:
        session.answer = Match(
            session=session.lookup.session,
            number=session.lookup.number,
            epoch=self.ledger.epoch,
            anew=anew,
            engaged=False,
            leases=() if lease is None else (lease,),
            none=(),
            busy=(),
        )
        self.answered += 1
        return Envelope(self.address, household, session.answer)

    def _check(self, lookup: Lookup) -> None:
        """Raise PeerError if the lookup is not one that a correct household sends."""
        limits = 0 if lookup.disclosure == "value" else len(lookup.slots)
        if len(lookup.values_kwh) != len(lookup.slots) or len(lookup.limits_kwh) != limits:
            raise PeerError("a lookup whose lists do not fit together")
        if lookup.wants:
            raise PeerError("a lookup of single slots, where bundles are exchanged")
        for slots in (lookup.slots, lookup.withdrawn):
            if slots and not 0 <= min(slots) <= max(slots) < self.ledger.slots:
                raise PeerError(f"a lookup beyond the {self.ledger.slots} slots")


AnyMatchmaker = Matchmaker | PairingMatchmaker | AmountMatchmaker


def matchmaker_of(
    address: Address, slots: int, epoch: int, *, terms: ExchangeTerms
) -> AnyMatchmaker:
    """Return a matchmaker for these terms, which knows nothing yet."""
    if terms.content == "bundle":
        return PairingMatchmaker(
            address, slots, epoch, patience_seconds=terms.lease_seconds, seed=terms.seed
        )
    if terms.content == "amounts":
        return AmountMatchmaker(address, slots, epoch, lease_seconds=terms.lease_seconds)
    return slot_matchmaker_of(address, slots, epoch, terms=terms)
