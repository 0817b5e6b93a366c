"""The matchmaker as a machine on the bus: it answers lookups with matches, in the order of arrival.

It keeps the number of each household's last lookup and its answer, so a repeated lookup changes
nothing. Everything it knows can be restored: after a restart it asks all households for their
offers.
"""

from dataclasses import dataclass

from matchmaker.leases import Found, Leases
from matchmaker.offer_book import FAR, Wish
from protocol.errors import PeerError
from protocol.messages import Address
from protocol.messages.exchange import Lookup, Match
from protocol.runtime.machine import Envelope


@dataclass(slots=True)
class _Session:
    number: tuple[int, int]
    """Session and number of the last lookup."""
    answer: Match | None
    """Its answer; None while the lookup waits."""


LEASES_MAX = 1_000
"""Open leases of one household, where the terms of the run do not say."""
NOTHING = Found(engaged=False, leases=(), none=(), busy=())


class Matchmaker:
    """One matchmaker, or one of several that share the slots between them."""

    news_repeats = False
    """True if lookups may repeat offers that are known; these then stay as they are."""
    busy_waits = False
    """True if a wish for which everybody is busy waits instead of being answered so."""

    def __init__(
        self,
        address: Address,
        slots: int,
        epoch: int,
        *,
        lease: float,
        per_slot: bool,
        leases_max: int = LEASES_MAX,
    ) -> None:
        """Set up a matchmaker that knows nothing yet. `epoch` must be above 0 and differ from that
        of any earlier matchmaker of this name. A household gets `leases_max` leases at once, even
        if it asks for more."""
        self.address = address
        self._leases_max = leases_max
        self.ledger = Leases(slots, epoch, lease_seconds=lease, per_slot=per_slot)
        self.answered = 0
        """Number of lookups that were answered, repeated ones included."""
        self._sessions: dict[Address, _Session] = {}

    def handle(self, envelope: Envelope, now: float) -> list[Envelope]:
        """Answer one lookup."""
        lookup = envelope.message
        if not isinstance(lookup, Lookup):
            raise PeerError(f"{type(lookup).__name__} is not for a matchmaker")
        household = envelope.sender
        number = (lookup.session, lookup.number)
        last = self._sessions.get(household)
        if last is not None and number <= last.number:
            self.answered += 1
            if number < last.number or last.answer is None:
                return []
            return [Envelope(self.address, household, last.answer)]
        self._check(lookup)
        answer = self._answer(household, lookup, now)
        self._sessions[household] = _Session(number, answer)
        self.answered += 1
        return [] if answer is None else [Envelope(self.address, household, answer)]

    def tick(self, now: float) -> list[Envelope]:
        """End the leases whose time is over. Returns no messages."""
        self.ledger.expire(now)
        return []

    def next_deadline(self) -> float | None:
        """Return when the next lease expires, or an earlier time; None if no lease is open."""
        return self.ledger.next_deadline()

    def _answer(self, household: Address, lookup: Lookup, now: float) -> Match | None:
        """Return the answer to a new lookup, if there is one at once."""
        if not self._enter(household, lookup):
            return self._match(lookup, anew=True)
        self._learn(household.name, lookup)
        return self._match(lookup, self._find(household.name, lookup, wishes_of(lookup), now))

    def _enter(self, household: Address, lookup: Lookup) -> bool:
        """Enter a household that sends all its offers. Returns False if it must do so first."""
        if lookup.epoch == 0:
            self.ledger.enter(household)
            return True
        return lookup.epoch == self.ledger.epoch and self.ledger.knows(household)

    def _learn(self, name: str, lookup: Lookup) -> None:
        """Take the offers and closed leases that a lookup reports."""
        ledger = self.ledger
        ledger.bind(name, lookup.limits_bind)
        for slot in lookup.withdrawn:
            ledger.withdraw(name, slot)
        values = lookup.values_kwh.tolist()
        match lookup.disclosure:
            case "value":
                limits = [None] * len(values)
            case "direction":
                limits = [FAR * sign for sign in lookup.limits_kwh.tolist()]
            case "limit":
                limits = lookup.limits_kwh.tolist()
        for slot, value, limit in zip(lookup.slots, values, limits, strict=True):
            if not (self.news_repeats and ledger.has(name, slot, value)):
                ledger.offer(name, slot, value, limit)
        # After the new offers: a disagreement is remembered until one of the offers changes.
        for closed in lookup.closed:
            ledger.close(name, closed, lookup.round)

    def _find(self, name: str, lookup: Lookup, wishes: list[Wish], now: float) -> Found:
        """Look for partners for these wishes of a lookup."""
        return self.ledger.look_up(
            name,
            wishes,
            now,
            min_gain_kwh2=lookup.min_gain_kwh2,
            leases_max=max(min(lookup.leases_max, self._leases_max - self.ledger.asked(name)), 0),
            round=lookup.round,
            busy_waits=self.busy_waits,
        )

    def _match(self, lookup: Lookup, found: Found = NOTHING, *, anew: bool = False) -> Match:
        return Match(
            session=lookup.session,
            number=lookup.number,
            epoch=self.ledger.epoch,
            anew=anew,
            engaged=found.engaged,
            leases=found.leases,
            none=found.none,
            busy=found.busy,
        )

    def _check(self, lookup: Lookup) -> None:
        """Raise PeerError if the lookup is not one that a correct household sends."""
        limits = 0 if lookup.disclosure == "value" else len(lookup.slots)
        aimed = len(lookup.wants) if len(lookup.wanted_kwh) else 0
        if (
            len(lookup.values_kwh) != len(lookup.slots)
            or len(lookup.limits_kwh) != limits
            or len(lookup.wanted_kwh) != aimed
            or len(lookup.tolerance_kwh) != aimed
        ):
            raise PeerError("a lookup whose lists do not fit together")
        for slots in (lookup.slots, lookup.withdrawn, lookup.wants):
            if slots and not 0 <= min(slots) <= max(slots) < self.ledger.slots:
                raise PeerError(f"a lookup beyond the {self.ledger.slots} slots")


def wishes_of(lookup: Lookup) -> list[Wish]:
    """Return the wishes of a lookup, most wanted first."""
    if not len(lookup.wanted_kwh):
        return [Wish(slot) for slot in lookup.wants]
    wanted, tolerance = lookup.wanted_kwh.tolist(), lookup.tolerance_kwh.tolist()
    return [Wish(*wish) for wish in zip(lookup.wants, wanted, tolerance, strict=True)]
