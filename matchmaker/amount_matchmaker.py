"""The matchmaker for amounts: it answers each lookup at once with the best free partner.

Both households are busy as a whole until the requester reports that the lease is over, or its time
is. Everything it knows can be restored: after a restart it asks all households to announce anew.
"""

from collections import deque
from dataclasses import asdict, dataclass, field

import numpy as np

from matchmaker.amount_book import AmountBook
from matchmaker.leases import Counts
from protocol.errors import PeerError
from protocol.messages import Address, AmountLookup, AmountMatch
from protocol.messages.amounts import FLOORS, PARTNERS_MAX, PIECES, Found, LeaseEnd
from protocol.messages.exchange import WHOLE, Lease, LeaseId
from protocol.runtime.machine import Envelope
from protocol.vectors import Array

NO_AMOUNTS: Array = np.zeros(0)


@dataclass(frozen=True, slots=True)
class _Open:
    """An open lease."""

    requester: str
    partner: str
    until: float


@dataclass(slots=True)
class AmountLeases:
    """Open leases of whole households, beside the book of what they announce."""

    slots: int
    epoch: int
    lease_seconds: float
    counts: Counts = field(default_factory=Counts)
    book: AmountBook = field(init=False)
    _next: int = 1
    _open: dict[LeaseId, _Open] = field(default_factory=dict)
    _queue: deque[tuple[float, LeaseId]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.book = AmountBook(self.slots)

    def summary(self) -> dict[str, int]:
        """Return the numbers of known households and announcements, open leases, and the counts; no
        names."""
        return {**self.book.summary(), "open": len(self._open), **asdict(self.counts)}

    def close(self, requester: str, end: LeaseEnd) -> None:
        """Take the requester's report that a lease is over."""
        opened = self._open.get(end.lease)
        if opened is None or opened.requester != requester:
            return
        del self._open[end.lease]
        if end.ending == "done":
            self.counts.done += 1
        else:
            self.counts.refused += 1
        if end.ending == "declined":
            self.book.disappoint(requester, opened.partner)
        if end.left and end.entered:
            self.book.refuse(opened.partner, left=end.left, entered=end.entered)

    def forget(self, household: str) -> None:
        """End the leases that a household has asked for: it has restarted."""
        for lease, opened in list(self._open.items()):
            if opened.requester == household:
                del self._open[lease]

    def expire(self, now: float) -> None:
        """End the leases whose time is over."""
        while self._queue and (self._queue[0][0] <= now or self._queue[0][1] not in self._open):
            _, lease = self._queue.popleft()
            if self._open.pop(lease, None) is not None:
                self.counts.expired += 1

    def next_deadline(self) -> float | None:
        """Return when the next lease expires, or an earlier time; None if none is open."""
        return self._queue[0][0] if self._queue else None

    def find(self, household: str, lookup: AmountLookup, now: float) -> tuple[Found, Lease | None]:
        """Open a lease with the best free partner; first come, first served."""
        self.expire(now)
        self.counts.lookups += 1
        asked = {opened.requester for opened in self._open.values()}
        reserved = {
            opened.partner for opened in self._open.values() if opened.requester != household
        }
        if household in reserved:
            return "engaged", None
        if sum(opened.requester == household for opened in self._open.values()) >= PARTNERS_MAX:
            self.counts.busy += 1
            return "busy", None
        known = [name for name in lookup.without if name in self.book.rows]
        ranked = self.book.ranked(
            household,
            up_kwh=lookup.want_up_kwh,
            down_kwh=lookup.want_down_kwh,
            without=known,
        )
        left = PARTNERS_MAX - len(lookup.without)
        if not ranked or (lookup.whole and not self._suffices(ranked, lookup, left)):
            self.counts.none += 1
            return "none", None
        partner = next((name for name, _ in ranked if name not in asked | reserved), None)
        if partner is None:
            self.counts.busy += 1
            return "busy", None
        lease = LeaseId(self.epoch, self._next)
        self._next += 1
        until = now + self.lease_seconds
        self._open[lease] = _Open(household, partner, until)
        self._queue.append((until, lease))
        self.counts.matches += 1
        where = self.book.where[self.book.rows[partner]]
        return "match", Lease(
            id=lease,
            slot=WHOLE,
            partner=where,
            value_kwh=0.0,
            seconds=self.lease_seconds,
            round=lookup.round,
        )

    def _suffices(
        self, ranked: list[tuple[str, float]], lookup: AmountLookup, partners_max: int
    ) -> bool:
        return self.book.suffices(
            ranked,
            up_kwh=lookup.want_up_kwh,
            down_kwh=lookup.want_down_kwh,
            partners_max=partners_max,
        )


@dataclass(slots=True)
class _Session:
    number: tuple[int, int]
    """Session and number of the last lookup."""
    answer: AmountMatch


class AmountMatchmaker:
    """The matchmaker of a run whose content is amounts."""

    def __init__(self, address: Address, slots: int, epoch: int, *, lease_seconds: float) -> None:
        """Set up a matchmaker that knows nothing yet. `epoch` must be above 0 and differ from that
        of any earlier matchmaker of this name."""
        self.address = address
        self.ledger = AmountLeases(slots, epoch, lease_seconds)
        self.answered = 0
        """Number of lookups that were answered, repeated ones included."""
        self._round = 0
        """The latest round of a lookup."""
        self._sessions: dict[Address, _Session] = {}

    def handle(self, envelope: Envelope, now: float) -> list[Envelope]:
        """Answer one lookup."""
        lookup, household = envelope.message, envelope.sender
        if not isinstance(lookup, AmountLookup):
            raise PeerError(f"{type(lookup).__name__} is not for a matchmaker of amounts")
        number = (lookup.session, lookup.number)
        last = self._sessions.get(household)
        self.answered += 1
        if last is None or number > last.number:
            self._check(lookup)
            last = self._sessions[household] = _Session(
                number, self._answer(household, lookup, now)
            )
        elif number < last.number:
            return []
        return [Envelope(self.address, household, last.answer)]

    def tick(self, now: float) -> list[Envelope]:
        """End the leases whose time is over. Returns no messages."""
        self.ledger.expire(now)
        return []

    def next_deadline(self) -> float | None:
        """Return when the next lease expires, or an earlier time; None if no lease is open."""
        return self.ledger.next_deadline()

    def _answer(self, household: Address, lookup: AmountLookup, now: float) -> AmountMatch:
        ledger, name = self.ledger, household.name
        if lookup.epoch == 0:
            ledger.book.enter(household, lookup.feeder)
            ledger.forget(name)
        elif lookup.epoch != ledger.epoch or not ledger.book.knows(household):
            return self._match(lookup, anew=True)
        for end in lookup.ended:
            ledger.close(name, end)
        if lookup.round > len(FLOORS) >= self._round:
            ledger.book.forget_refusals()
        self._round = max(self._round, lookup.round)
        if len(lookup.up_kwh):
            ledger.book.announce(name, up_kwh=lookup.up_kwh, down_kwh=lookup.down_kwh)
        if not len(lookup.want_up_kwh):
            return self._match(lookup)
        found, lease = ledger.find(name, lookup, now)
        return self._match(lookup, found=found, lease=lease)

    def _match(
        self,
        lookup: AmountLookup,
        *,
        anew: bool = False,
        found: Found = "nothing asked",
        lease: Lease | None = None,
    ) -> AmountMatch:
        up, down = NO_AMOUNTS, NO_AMOUNTS
        if lease is not None:
            up, down = self.ledger.book.announced(
                lease.partner.name, up_kwh=lookup.want_up_kwh, down_kwh=lookup.want_down_kwh
            )
        return AmountMatch(
            session=lookup.session,
            number=lookup.number,
            epoch=self.ledger.epoch,
            anew=anew,
            found=found,
            lease=lease,
            up_kwh=up,
            down_kwh=down,
        )

    def _check(self, lookup: AmountLookup) -> None:
        """Raise PeerError if the lookup is not one that a correct household sends."""
        for up, down in (
            (lookup.up_kwh, lookup.down_kwh),
            (lookup.want_up_kwh, lookup.want_down_kwh),
        ):
            if len(up) != len(down) or len(up) not in (0, self.ledger.slots):
                raise PeerError("a lookup whose lists do not fit together")
            if (up < 0.0).any() or (down < 0.0).any():
                raise PeerError("a lookup with negative amounts")
        for end in lookup.ended:
            if not all(0 <= piece < PIECES for piece in (*end.left, *end.entered)):
                raise PeerError(f"a refusal beyond the {PIECES} pieces of the day")
