"""A household's talks about bundles, on both sides, and their entries in the journal.

A talk is one lease: the requester proposes; the responder refuses or counters with the part that
suits it, and is reserved from then on; the requester confirms or releases; the responder says that
this is settled. The confirmation is the commit point. Everything is journaled before it is sent.
The requester repeats its part until it is answered, and the responder gives the recorded answer, so
after any crash, loss or repetition both sides exchange, or neither does.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from agents.exchange.bundles.bundle_content import NO_DEAL, BundleContent, Deal
from agents.exchange.journal import records
from agents.exchange.journal.entries import Entry, Journal, Kind
from agents.exchange.negotiations import ExchangeCounts, ending
from agents.retransmission import EXCHANGE_MAX_WAIT_SECONDS, NEVER, Retransmission
from protocol.errors import PeerError
from protocol.messages import (
    Address,
    BundleProposal,
    Confirmation,
    Counter,
    Outcome,
    Settled,
    Trace,
)
from protocol.messages.exchange import WHOLE, Closed, Lease, LeaseId, Refusal
from protocol.runtime.machine import Envelope

Answer = Outcome | Counter | Settled


@dataclass(slots=True)
class _Asked:
    """The talk that this household has opened."""

    partner: Address
    lease: LeaseId
    said: BundleProposal | Confirmation
    """The message that is repeated until it is answered."""
    retransmission: Retransmission


@dataclass(slots=True)
class _Reserved:
    """A talk in which this household has countered, and waits for the confirmation."""

    partner: Address
    lease: LeaseId
    deal: Deal


@dataclass(frozen=True, slots=True)
class _Made:
    """A deal that was exchanged."""

    entry: Entry
    deal: Deal


@dataclass(slots=True)
class BundleTalks:
    """The talks of one household.

    Invariant: at most one of `_asked` and `_reserved` is set, and while one of them is, the holding
    changes only by the end of that talk. `_answers` has the last answer for every lease.
    """

    address: Address
    content: BundleContent
    journal: Journal
    counts: ExchangeCounts = field(default_factory=ExchangeCounts)
    _asked: _Asked | None = None
    _reserved: _Reserved | None = None
    _answers: dict[tuple[str, LeaseId], Answer] = field(default_factory=dict)
    """Answers by requester and lease."""
    _made: list[_Made] = field(default_factory=list)
    _changed: set[int] = field(default_factory=set)
    """Slots whose values have changed since they were last taken."""
    _round_trip_s: float = 0.0

    @property
    def asking(self) -> bool:
        """True while a talk that this household has opened is not settled."""
        return self._asked is not None

    @property
    def partners(self) -> tuple[Address, ...]:
        """The partners whose answers are missing."""
        return () if self._asked is None else (self._asked.partner,)

    def trace(self) -> Trace:
        """Return the exchanges made so far, on both sides, one row for each slot."""
        rows = [
            (made.entry, made.deal, place)
            for made in self._made
            for place in range(len(made.deal.slots))
        ]
        return Trace(
            rounds=tuple(entry.round for entry, _, _ in rows),
            slots=tuple(deal.slots[place] for _, deal, place in rows),
            partners=tuple(entry.partner for entry, _, _ in rows),
            leases=tuple(LeaseId(entry.epoch, entry.lease) for entry, _, _ in rows),
            asked=tuple(entry.kind == "done" for entry, _, _ in rows),
            given_kwh=np.array([deal.given_kwh[place] for _, deal, place in rows]),
            taken_kwh=np.array([deal.taken_kwh[place] for _, deal, place in rows]),
            gains_kwh2=np.array([-deal.changes_kwh2[place] for _, deal, place in rows]),
        )

    def take_changed(self) -> tuple[int, ...]:
        """Return the slots whose values have changed since the last call."""
        changed, self._changed = tuple(sorted(self._changed)), set()
        return changed

    # -- as requester -----------------------------------------------------------------------------

    def propose(self, lease: Lease, round: int, now: float) -> Envelope | Closed:
        """Return the proposal for a lease, or the closed lease if the household is reserved."""
        if self._asked is not None or self._reserved is not None:
            return Closed(lease.id, "void")
        entry = self._entry("proposed", lease.partner, lease.id, round=round)
        entry = entry._replace(data=lease.seal)
        self.journal.append(entry)
        retransmission = Retransmission(EXCHANGE_MAX_WAIT_SECONDS, self._round_trip_s)
        retransmission.sent(now)
        return self._propose(entry, retransmission)

    def on_outcome(
        self, sender: Address, outcome: Outcome, round: int, now: float
    ) -> Closed | None:
        """Take a refusal. Returns None if it is a repetition."""
        asked = self._open(sender, outcome.lease)
        if asked is None or isinstance(asked.said, Confirmation):
            return None
        if outcome.accepted:
            raise PeerError(f"{sender} accepts a bundle without naming it")
        self._heard(asked, now)
        self.journal.append(
            self._entry("failed", sender, outcome.lease, round=round, reason=outcome.reason)
        )
        self._fail()
        return Closed(outcome.lease, ending(outcome.reason))

    def on_counter(
        self, sender: Address, counter: Counter, round: int, now: float
    ) -> Envelope | None:
        """Decide on a counter and journal the decision: the commit point. Returns None if it is a
        repetition."""
        asked = self._open(sender, counter.lease)
        if asked is None:
            return None
        if isinstance(asked.said, BundleProposal):
            deal, reason = self.content.check(counter)
            self._heard(asked, now)
            entry = self._entry(
                "released" if reason else "done",
                sender,
                counter.lease,
                round=round,
                reason=reason,
                deal=deal,
            )
            self.journal.append(entry)
            self._decide(entry, deal)
            asked.retransmission.sent(now)
        return Envelope(self.address, sender, asked.said)

    def on_settled(
        self, sender: Address, settled: Settled, round: int, now: float
    ) -> Closed | None:
        """End the talk. Returns None if it is a repetition."""
        asked = self._open(sender, settled.lease)
        if asked is None or isinstance(asked.said, BundleProposal):
            return None
        self._heard(asked, now)
        self.journal.append(self._entry("settled", sender, settled.lease, round=round))
        self._asked = None
        return Closed(settled.lease, ending(asked.said.reason))

    def _open(self, sender: Address, lease: LeaseId) -> _Asked | None:
        asked = self._asked
        if asked is None or asked.lease != lease:
            return None
        if asked.partner != sender:
            raise PeerError(f"{sender} answers what {asked.partner} was asked")
        return asked

    def _heard(self, asked: _Asked, now: float) -> None:
        asked.retransmission.answered(now)
        self._round_trip_s = asked.retransmission.round_trip_s

    def _propose(self, entry: Entry, retransmission: Retransmission) -> Envelope:
        partner, lease = Address(entry.host, entry.partner), LeaseId(entry.epoch, entry.lease)
        proposal = replace(self.content.propose(lease), round=entry.round, seal=entry.data)
        self._asked = _Asked(partner, lease, said=proposal, retransmission=retransmission)
        self.counts.proposals += 1
        return Envelope(self.address, partner, proposal)

    def _decide(self, entry: Entry, deal: Deal) -> None:
        assert self._asked is not None
        self._asked.said = Confirmation(self._asked.lease, entry.reason)
        if entry.reason:
            self.counts.refused += 1
            return
        self.counts.accepted += 1
        self._exchange(entry, deal)

    def _fail(self) -> None:
        self._asked = None
        self.counts.refused += 1

    # -- as responder -----------------------------------------------------------------------------

    def knows(self, sender: Address, proposal: BundleProposal) -> bool:
        """Return True if this proposal has been answered before."""
        return (sender.name, proposal.lease) in self._answers

    def on_proposal(self, sender: Address, proposal: BundleProposal, round: int) -> Envelope:
        """Answer a proposal with a counter or a refusal, and journal the decision; answer a
        repetition with the recorded answer."""
        said = self._answers.get((sender.name, proposal.lease))
        if said is not None:
            return Envelope(self.address, sender, said)
        deal: Deal = NO_DEAL
        reason: Refusal = "busy"
        if self._asked is None and self._reserved is None:
            deal, reason = self.content.answer(proposal)
        entry = self._entry(
            "refused" if reason else "countered",
            sender,
            proposal.lease,
            round=round,
            reason=reason,
            deal=deal,
        )
        self.journal.append(entry)
        return Envelope(self.address, sender, self._answer(entry, deal))

    def on_confirmation(self, sender: Address, confirmation: Confirmation, round: int) -> Envelope:
        """Exchange or release the bundle, and say so; say it again if asked again."""
        lease, reserved = confirmation.lease, self._reserved
        said = self._answers.get((sender.name, lease))
        if not isinstance(said, Settled):
            if reserved is None or (reserved.partner, reserved.lease) != (sender, lease):
                raise PeerError(f"{sender} confirms what {self.address.name} did not counter")
            entry = self._entry(
                "dismissed" if confirmation.reason else "accepted",
                sender,
                lease,
                round=round,
                reason=confirmation.reason,
                deal=reserved.deal,
            )
            self.journal.append(entry)
            said = self._settle(entry, reserved.deal)
        return Envelope(self.address, sender, said)

    def _answer(self, entry: Entry, deal: Deal) -> Outcome | Counter:
        lease = LeaseId(entry.epoch, entry.lease)
        answer: Outcome | Counter
        if entry.reason:
            self.counts.withheld += 1
            answer = Outcome(lease, WHOLE, accepted=False, reason=entry.reason)
        else:
            partner = Address(entry.host, entry.partner)
            self._reserved = _Reserved(partner, lease, deal)
            answer = self.content.counter(lease, deal)
        self._answers[entry.partner, lease] = answer
        return answer

    def _settle(self, entry: Entry, deal: Deal) -> Settled:
        lease = LeaseId(entry.epoch, entry.lease)
        self._reserved = None
        if entry.reason:
            self.counts.withheld += 1
        else:
            self.counts.given += 1
            self._exchange(entry, deal)
        settled = self._answers[entry.partner, lease] = Settled(lease)
        return settled

    def _exchange(self, entry: Entry, deal: Deal) -> None:
        self.content.apply(deal)
        self._changed.update(deal.slots)
        self._made.append(_Made(entry, deal))

    # -- repetition and recovery ------------------------------------------------------------------

    def replay(self, entry: Entry, now: float) -> None:
        """Restore the state after a journal entry; what is unanswered is repeated at once.

        Lookups are not journaled, so only those that led to a match are counted again.
        """
        match entry.kind:
            case "proposed":
                self.counts.lookups += 1
                self.counts.matches += 1
                self._propose(entry, Retransmission.overdue(now, EXCHANGE_MAX_WAIT_SECONDS))
            case "failed":
                self._fail()
            case "done" | "released":
                self._decide(entry, self._recorded(entry))
            case "settled":
                self._asked = None
            case "refused" | "countered":
                self._answer(entry, self._recorded(entry))
            case "accepted" | "dismissed":
                self._settle(entry, self._recorded(entry))
            case _:
                pass

    def repeat(self, now: float) -> list[Envelope]:
        """Return the message whose answer is late, if any."""
        asked = self._asked
        if asked is None or not asked.retransmission.due(now):
            return []
        return [Envelope(self.address, asked.partner, asked.said)]

    @property
    def wake(self) -> float:
        """Time at which the next message is repeated; NEVER if none is open."""
        return NEVER if self._asked is None else self._asked.retransmission.deadline

    def _entry(
        self,
        kind: Kind,
        partner: Address,
        lease: LeaseId,
        *,
        round: int,
        reason: Refusal = "",
        deal: Deal = NO_DEAL,
    ) -> Entry:
        return Entry(
            household=self.address.name,
            kind=kind,
            round=round,
            slot=WHOLE,
            host=partner.host,
            partner=partner.name,
            epoch=lease.epoch,
            lease=lease.number,
            given=sum(deal.given_kwh),
            taken=sum(deal.taken_kwh),
            change=deal.change_kwh2,
            reason=reason,
            data=records.write_deal(deal.slots, np.array(deal.taken_kwh)) if deal.slots else b"",
        )

    def _recorded(self, entry: Entry) -> Deal:
        return self.content.restore(*records.read_deal(entry.data))
