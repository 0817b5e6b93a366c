"""The requester's side of talks: it asks partners for one wish, one after another, and decides.

The decision to commit is journaled, with all partners, before any of them hears of it; whatever has
no such record is released (presumed abort). While a wish is open the home changes only by its end.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from agents.exchange.amounts.announcement import Announcement, undone
from agents.exchange.amounts.home_record import HomeRecord, heard, said
from agents.exchange.amounts.wish import Wish
from agents.exchange.journal.amount_records import AmountRecord, Part, read_amounts
from agents.exchange.journal.entries import Entry
from agents.retransmission import EXCHANGE_MAX_WAIT_SECONDS, NEVER, Retransmission
from protocol.errors import PeerError
from protocol.messages import (
    Address,
    AmountAnswer,
    AmountConfirmation,
    AmountDone,
    AmountProposal,
)
from protocol.messages.amounts import LeaseEnd
from protocol.messages.exchange import Ending, Lease, LeaseId
from protocol.runtime.machine import Envelope
from protocol.vectors import Array


@dataclass(slots=True)
class _Talk:
    """The talk with the partner that is asked now."""

    lease: Lease
    gives: Announcement
    proposal: AmountProposal
    change: Array
    """The proposed change, float64[d] kWh."""
    retransmission: Retransmission
    until: float
    """Time at which the requester goes on without the answer."""
    repeated: bool = False
    """True if the proposal was sent more than once."""


@dataclass(slots=True)
class _Closing:
    """A partner that has not confirmed the decision yet."""

    partner: Address
    confirmation: AmountConfirmation
    end: LeaseEnd
    retransmission: Retransmission


class AmountRequests:
    """The wish that one home negotiates, and the decisions that its partners have not heard.

    Invariant: `_committed` has every lease that was ever committed.
    """

    def __init__(self, record: HomeRecord, patience_seconds: float) -> None:
        """Set up a home that wants nothing yet. It waits `patience_seconds` for an answer."""
        self._record, self._patience_s = record, patience_seconds
        self.ended: list[LeaseEnd] = []
        """Leases that are over, for the matchmaker."""
        self._wish: Wish | None = None
        self.asked: tuple[str, ...] = ()
        """The partners that were asked for the present wish."""
        self._parts: tuple[Part, ...] = ()
        """The parts that partners have reserved for it, as changes of this home's total."""
        self._undone: dict[LeaseId, LeaseEnd] = {}
        self._talk: _Talk | None = None
        self._closing: dict[LeaseId, _Closing] = {}
        self._committed: set[tuple[str, LeaseId]] = set()
        self._round_trip_s = 0.0

    @property
    def open(self) -> bool:
        """True while a wish is negotiated or a decision is not known to all partners."""
        return self._wish is not None or bool(self._closing)

    @property
    def wanted(self) -> Announcement | None:
        """The change to look for at the next partner; None if none is needed now."""
        wish = self._wish
        if wish is None or self._talk is not None or len(self.asked) == wish.partners_max:
            return None
        return wish.wanted()

    @property
    def indivisible(self) -> bool:
        """True if nothing less than all that is wanted is of use."""
        return self._wish is not None and self._wish.indivisible

    @property
    def partners(self) -> tuple[Address, ...]:
        """The partners whose answers are missing."""
        talk = () if self._talk is None else (self._talk.lease.partner,)
        return (*talk, *(closing.partner for closing in self._closing.values()))

    def has_committed(self, partner: str, lease: LeaseId) -> bool:
        """Return True if the home has decided to make the exchange under this lease."""
        return (partner, lease) in self._committed

    def begin(self, wish: Wish, now: float) -> list[Envelope]:
        """Negotiate a wish; decide at once if nobody is needed."""
        self._wish, self.asked, self._parts = wish, (), ()
        return [] if self.wanted is not None else self.decide(now)

    def on_lease(self, lease: Lease, gives: Announcement, now: float) -> list[Envelope]:
        """Propose to the partner that the matchmaker has found; decide if nothing suits it."""
        wish = self._wish
        assert wish is not None
        self.asked = (*self.asked, lease.partner.name)
        change = wish.proposed(gives)
        if not change.any():
            self._end(lease.id, "declined")
            return self._go_on(now)
        return [self._propose(lease, gives, change, now, sequence=1)]

    def on_answer(self, sender: Address, answer: AmountAnswer, now: float) -> list[Envelope]:
        """Take a partner's part; or say what was decided, if it asks."""
        talk, lease = self._talk, answer.lease
        if talk is None or talk.lease.id != lease:
            return self._tell(sender, lease)
        if talk.lease.partner != sender:
            raise PeerError(f"{sender} answers what {talk.lease.partner} was asked")
        if answer.sequence != talk.proposal.sequence:
            return []
        part = heard(answer.slots, answer.amounts, len(talk.change))
        if (part * talk.change < 0.0).any() or (np.abs(part) > np.abs(talk.change)).any():
            raise PeerError(f"{sender} goes beyond what it was asked")
        if not talk.repeated:
            # Otherwise the time since the first attempt says nothing about the bus.
            talk.retransmission.answered(now)
            self._round_trip_s = talk.retransmission.round_trip_s
        self._talk = None
        wish = self._wish
        assert wish is not None
        following = wish.answered(part)
        left, entered = undone(talk.change - part, talk.gives)
        ending: Ending = "void" if answer.reason == "busy" else "refused"
        end = LeaseEnd(
            lease=lease,
            ending=ending,
            left=left if answer.reason != "busy" else (),
            entered=entered,
        )
        if following is not None and following.any():
            sequence = talk.proposal.sequence + 1
            return [self._propose(talk.lease, talk.gives, following, now, sequence=sequence)]
        if not part.any():
            self.ended.append(end)
        elif following is None:
            self._parts = (*self._parts, Part(sender, lease, part))
            self._undone[lease] = end
        else:
            # The part is of no use; the partner has reserved it all the same.
            self._close(
                Part(sender, lease, part), end._replace(ending="declined"), now, commit=False
            )
            return [*self._confirmations([lease]), *self._go_on(now)]
        return self._go_on(now)

    def on_done(self, sender: Address, done: AmountDone, now: float) -> None:
        """Take the word of a partner that it has heard the decision."""
        closing = self._closing.get(done.lease)
        if closing is None:
            return
        if closing.partner != sender:
            raise PeerError(f"{sender} answers what {closing.partner} was told")
        if closing.confirmation.commit:
            self._record.note("settled", AmountRecord({}), partner=sender, lease=done.lease)
        del self._closing[done.lease]
        self.ended.append(closing.end)

    def decide(self, now: float) -> list[Envelope]:
        """Commit the wish if the parts of all partners suffice, else release them."""
        wish, parts, record = self._wish, self._parts, self._record
        assert wish is not None
        if self._talk is not None:
            self._end(self._talk.lease.id, "void")
        self._wish = self._talk = None
        changed = wish.changed()
        commit = changed is not None and record.held.may_take(changed)
        if commit:
            assert changed is not None
            rest = record.held.change_of(changed) - sum(part.change for part in parts)
            assert not np.any(rest), "partners make exactly the opposite"
            record.note("done", AmountRecord(changed, parts))
            self._commit(AmountRecord(changed, parts))
        elif self.asked:
            record.counts.refused += 1
            record.note("failed", AmountRecord({}, (), len(self.asked)), reason="no joint gain")
        for part in parts:
            end = self._undone.pop(part.lease)
            self._close(part, end._replace(ending="done" if commit else "void"), now, commit=commit)
        self._parts = ()
        return self._confirmations(part.lease for part in parts)

    def _go_on(self, now: float) -> list[Envelope]:
        return [] if self._wish is None or self.wanted is not None else self.decide(now)

    def _commit(self, kept: AmountRecord) -> None:
        self._committed.update((part.partner.name, part.lease) for part in kept.parts)
        self._record.counts.accepted += bool(kept.parts)
        self._record.take(kept.changed, kept.parts, asked=True)

    def _propose(
        self, lease: Lease, gives: Announcement, change: Array, now: float, *, sequence: int
    ) -> Envelope:
        wish = self._wish
        assert wish is not None
        slots, amounts = said(change)
        proposal = AmountProposal(
            lease=lease.id,
            sequence=sequence,
            kind=wish.kind,
            slots=slots,
            amounts=amounts,
            round=lease.round,
            seal=lease.seal,
        )
        retransmission = Retransmission(EXCHANGE_MAX_WAIT_SECONDS, self._round_trip_s)
        retransmission.sent(now)
        self._talk = _Talk(
            lease=lease,
            gives=gives,
            proposal=proposal,
            change=change,
            retransmission=retransmission,
            until=now + self._patience_s,
        )
        self._record.counts.proposals += 1
        return Envelope(self._record.address, lease.partner, proposal)

    def _close(self, part: Part, end: LeaseEnd, now: float, *, commit: bool) -> None:
        retransmission = Retransmission(EXCHANGE_MAX_WAIT_SECONDS, self._round_trip_s)
        retransmission.sent(now)
        self._closing[part.lease] = _Closing(
            partner=part.partner,
            confirmation=AmountConfirmation(part.lease, commit),
            end=end,
            retransmission=retransmission,
        )

    def _tell(self, sender: Address, lease: LeaseId) -> list[Envelope]:
        """Answer a partner that asks what was decided; not while that is open."""
        if any(part.lease == lease for part in self._parts):
            return []
        commit = self.has_committed(sender.name, lease)
        return [Envelope(self._record.address, sender, AmountConfirmation(lease, commit))]

    def _confirmations(self, leases: Iterable[LeaseId]) -> list[Envelope]:
        return [
            Envelope(self._record.address, closing.partner, closing.confirmation)
            for closing in map(self._closing.__getitem__, leases)
        ]

    def _end(self, lease: LeaseId, ending: Ending) -> None:
        self.ended.append(LeaseEnd(lease=lease, ending=ending, left=(), entered=()))

    # -- repetition and recovery ------------------------------------------------------------------

    def repeat(self, now: float) -> list[Envelope]:
        """Repeat what is unanswered; go on without a partner that has been silent for too long."""
        talk, out = self._talk, []
        if talk is not None and now >= talk.until:
            out += self.decide(now)
        elif talk is not None and talk.retransmission.due(now):
            talk.repeated = True
            out.append(Envelope(self._record.address, talk.lease.partner, talk.proposal))
        out += [
            Envelope(self._record.address, closing.partner, closing.confirmation)
            for closing in self._closing.values()
            if closing.retransmission.due(now)
        ]
        return out

    @property
    def wake(self) -> float:
        """Time at which to repeat something or to go on; NEVER if nothing is open."""
        due = [closing.retransmission.deadline for closing in self._closing.values()]
        if self._talk is not None:
            due += [self._talk.retransmission.deadline, self._talk.until]
        return min(due, default=NEVER)

    def replay(self, entry: Entry, now: float) -> None:
        """Restore the state after an entry as requester; decisions are said again at once."""
        match entry.kind:
            case "done":
                kept = read_amounts(entry.data)
                self._commit(kept)
                counts = self._record.counts
                counts.lookups += len(kept.parts)
                counts.matches += len(kept.parts)
                counts.proposals += len(kept.parts)
                for part in kept.parts:
                    self._close(
                        part,
                        LeaseEnd(lease=part.lease, ending="done", left=(), entered=()),
                        now,
                        commit=True,
                    )
                    overdue = Retransmission.overdue(now, EXCHANGE_MAX_WAIT_SECONDS)
                    self._closing[part.lease].retransmission = overdue
            case "settled":
                del self._closing[LeaseId(entry.epoch, entry.lease)]
            case _:
                pass
