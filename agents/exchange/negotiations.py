"""A household's negotiations with partners, on both sides, and their entries in the journal.

The responder's acceptance is the commit point. A requester journals a proposal before it is sent,
repeats it until it is answered, and does not touch the slot meanwhile. A responder journals its
decision and gives the same answer to every repetition. So each value is held by exactly one
household after any crash, loss or repetition.
"""

from dataclasses import dataclass, field, replace
from math import inf, isfinite
from typing import NamedTuple

import numpy as np

from agents.exchange.acceptance_rules import named_change
from agents.exchange.holding import Holding
from agents.exchange.journal.entries import Entry, Journal, Kind
from agents.retransmission import EXCHANGE_MAX_WAIT_SECONDS, NEVER, Retransmission
from protocol.errors import PeerError
from protocol.messages import Address, Outcome, Proposal, Trace
from protocol.messages.exchange import Closed, Ending, Lease, LeaseId, Refusal, RoundCount
from protocol.runtime.machine import Envelope


@dataclass(slots=True)
class ExchangeCounts:
    """A household's counts of stage 2. The first five count its own requests; `given` and
    `withheld` count the requests of others that it accepted and refused."""

    lookups: int = 0
    """Number of slots looked up."""
    matches: int = 0
    proposals: int = 0
    accepted: int = 0
    refused: int = 0
    given: int = 0
    withheld: int = 0
    messages: int = 0
    """Messages sent, repetitions included."""
    answers: int = 0
    """Answers received from matchmakers."""

    def since(
        self, before: "ExchangeCounts", discomfort: float, deviation: float, frames: int, size: int
    ) -> RoundCount:
        """Return one household's part of a round: its counts since `before`, and the other fields
        as in RoundCount; `size` is in bytes."""
        return RoundCount(
            households=1,
            lookups=self.lookups - before.lookups,
            matches=self.matches - before.matches,
            proposals=self.proposals - before.proposals,
            accepted=self.accepted - before.accepted,
            refused=self.refused - before.refused,
            discomfort_kwh=discomfort,
            deviation_kwh2=deviation,
            messages=self.messages - before.messages,
            answers=self.answers - before.answers,
            frames=frames,
            bytes=size,
        )

    def copy(self) -> "ExchangeCounts":
        """Return a copy of the present counts."""
        return replace(self)


@dataclass(slots=True)
class _Asked:
    """A proposal that has not been answered yet."""

    partner: Address
    proposal: Proposal
    change: float
    retransmission: Retransmission


_ENDINGS: dict[Refusal, Ending] = {
    "": "done",
    "cap": "for now",
    "drift": "for now",
    "stale": "void",
    "busy": "void",
}


def ending(reason: Refusal) -> Ending:
    """Return how a lease ends after this answer. Most refusals hold as long as both values stay."""
    return _ENDINGS.get(reason, "refused")


NAMED_ROUNDING = 2.0**-50
"""Relative bound on the rounding error of a named change, with room to spare."""


class _Range(NamedTuple):
    """The range in which a preferred value lies, kWh."""

    low: float
    high: float


@dataclass(slots=True)
class NamedChanges:
    """The changes that requesters have named, by requester and slot.

    A change named under `cooperative`, (t - p)^2 - (g - p)^2 for a value g that is given and a
    value t that is taken, says where the preferred value p lies. All changes that a household names
    at one slot must say the same. Whether the first was true, nobody can know. A household that
    restarts begins anew.
    """

    _ranges: dict[tuple[str, int], _Range] = field(default_factory=dict)

    def contradicts(self, sender: Address, proposal: Proposal) -> bool:
        """Return True if no preferred value explains this change and those named before.

        A change of 0 names nothing: a household under another rule says so.
        """
        if proposal.change_kwh2 == 0.0:
            return False
        if proposal.taken_kwh == proposal.given_kwh:
            return True
        said = _implied(proposal.given_kwh, proposal.taken_kwh, proposal.change_kwh2)
        known = self._ranges.get((sender.name, proposal.slot), said)
        both = _Range(max(known.low, said.low), min(known.high, said.high))
        if not -inf < both.low <= both.high < inf:
            return True
        self._ranges[sender.name, proposal.slot] = both
        return False


def _implied(given: float, taken: float, change: float) -> _Range:
    """Return the range of preferred values for which taking one value for the other, kWh, changes
    the squared deviation by `change`, kWh^2, up to rounding."""
    step = taken - given
    preferred = (given + taken) / 2 - change / (2 * step)
    after, before = taken - preferred, given - preferred
    squares = after * after + before * before + abs(change)
    margin = NAMED_ROUNDING * (squares / abs(step) + abs(given) + abs(taken) + abs(preferred))
    return _Range(preferred - margin, preferred + margin)


class Negotiations:
    """Open and decided negotiations of one household.

    Invariant: the slot of an open proposal is pending in the holding, and changes only by its
    outcome; every answer given is in `_answered` and in the journal.
    """

    def __init__(self, address: Address, holding: Holding, journal: Journal) -> None:
        self.counts = ExchangeCounts()
        self._made: list[Entry] = []
        """The entries of all exchanges, on both sides, in their order."""
        self._address, self._holding, self._journal = address, holding, journal
        self._asked: dict[int, _Asked] = {}
        self._named = NamedChanges()
        self._round_trip_s = 0.0
        self._answered: dict[tuple[str, int, LeaseId], Outcome] = {}
        """Answers by requester, slot and lease: matchmakers of different slots may use the same
        lease number."""

    @property
    def open(self) -> int:
        """Number of proposals without an answer."""
        return len(self._asked)

    @property
    def partners(self) -> tuple[Address, ...]:
        """The partners whose answers are missing."""
        return tuple(asked.partner for asked in self._asked.values())

    def trace(self, *, by_lease: bool = False) -> Trace:
        """Return the exchanges made so far, on both sides; in the order of their leases instead of
        time if `by_lease`."""
        made = self._made
        if by_lease:
            made = sorted(made, key=lambda entry: (entry.epoch, entry.lease))
        return Trace(
            rounds=tuple(entry.round for entry in made),
            slots=tuple(entry.slot for entry in made),
            partners=tuple(entry.partner for entry in made),
            leases=tuple(LeaseId(entry.epoch, entry.lease) for entry in made),
            asked=tuple(entry.kind == "done" for entry in made),
            given_kwh=np.array([entry.given for entry in made]),
            taken_kwh=np.array([entry.taken for entry in made]),
            gains_kwh2=np.array([-entry.change for entry in made]),
        )

    # -- as requester -----------------------------------------------------------------------------

    def consider(
        self, lease: Lease, round: int, min_gain_kwh2: float, now: float
    ) -> Envelope | Closed:
        """Return a proposal for a lease, or the closed lease if the household declines it."""
        slot, holding = lease.slot, self._holding
        reason = holding.would_ask(slot, lease.value_kwh, min_gain_kwh2)
        held, change = holding.values[slot], holding.change(slot, lease.value_kwh)
        entry = Entry(
            household=self._address.name,
            kind="declined" if reason else "proposed",
            round=round,
            slot=slot,
            host=lease.partner.host,
            partner=lease.partner.name,
            epoch=lease.id.epoch,
            lease=lease.id.number,
            given=held,
            taken=lease.value_kwh,
            change=change,
            reason=reason,
            data=lease.seal,
        )
        self._journal.append(entry)
        if reason:
            return Closed(lease.id, "declined" if reason in ("loss", "rule") else "void")
        retransmission = Retransmission(EXCHANGE_MAX_WAIT_SECONDS, self._round_trip_s)
        retransmission.sent(now)
        return self._propose(entry, retransmission)

    def awaits(self, sender: Address, outcome: Outcome) -> bool:
        """Return True if this answers an open proposal, False if it is a repetition."""
        asked = self._asked.get(outcome.slot)
        if asked is None or asked.proposal.lease != outcome.lease:
            return False
        if asked.partner != sender:
            raise PeerError(f"{sender} answers what {asked.partner} was asked")
        return True

    def conclude(self, sender: Address, outcome: Outcome, round: int, now: float) -> Closed | None:
        """Take a partner's answer. Returns None if it is a repetition."""
        if not self.awaits(sender, outcome):
            return None
        asked = self._asked[outcome.slot]
        proposal, lease = asked.proposal, outcome.lease
        asked.retransmission.answered(now)
        self._round_trip_s = asked.retransmission.round_trip_s
        entry = Entry(
            household=self._address.name,
            kind="done" if outcome.accepted else "failed",
            round=round,
            slot=outcome.slot,
            host=sender.host,
            partner=sender.name,
            epoch=lease.epoch,
            lease=lease.number,
            given=proposal.given_kwh,
            taken=proposal.taken_kwh,
            change=asked.change,
            reason=outcome.reason,
        )
        self._journal.append(entry)
        self._settle(entry)
        return Closed(lease, ending(outcome.reason))

    def _propose(self, entry: Entry, retransmission: Retransmission) -> Envelope:
        partner = Address(entry.host, entry.partner)
        proposal = Proposal(
            lease=LeaseId(entry.epoch, entry.lease),
            slot=entry.slot,
            given_kwh=entry.given,
            taken_kwh=entry.taken,
            change_kwh2=named_change(self._holding.rule, entry.change),
            round=entry.round,
            seal=entry.data,
        )
        self._asked[entry.slot] = _Asked(
            partner=partner,
            proposal=proposal,
            change=entry.change,
            retransmission=retransmission,
        )
        self._holding.pending[entry.slot] = entry.taken - entry.given
        self.counts.proposals += 1
        return Envelope(self._address, partner, proposal)

    def _settle(self, entry: Entry) -> None:
        del self._asked[entry.slot], self._holding.pending[entry.slot]
        if entry.kind == "done":
            self._holding.take(entry.slot, entry.taken)
            self.counts.accepted += 1
            self._made.append(entry)
        else:
            self.counts.refused += 1

    # -- as responder -----------------------------------------------------------------------------

    def answered(self, sender: Address, proposal: Proposal) -> Envelope | None:
        """Return the recorded answer if the proposal is a repetition."""
        outcome = self._answered.get((sender.name, proposal.slot, proposal.lease))
        return None if outcome is None else Envelope(self._address, sender, outcome)

    def answer(
        self, sender: Address, proposal: Proposal, round: int, min_gain_kwh2: float
    ) -> Envelope:
        """Decide on a new proposal and journal the decision: the commit point."""
        slot, holding, lease = proposal.slot, self._holding, proposal.lease
        if not 0 <= slot < holding.slots:
            raise PeerError(f"{sender} speaks of slot {slot} of {holding.slots}")
        if not (isfinite(proposal.given_kwh) and isfinite(proposal.change_kwh2)):
            raise PeerError(f"{sender} proposes no number")
        held, change = holding.values[slot], holding.change(slot, proposal.given_kwh)
        reason: Refusal = "contradiction"
        judged = holding.rule == "cooperative" and proposal.taken_kwh == held
        if not judged or not self._named.contradicts(sender, proposal):
            reason = holding.would_accept(
                slot, proposal.taken_kwh, proposal.given_kwh, proposal.change_kwh2, min_gain_kwh2
            )
        kind: Kind = "refused" if reason else "accepted"
        entry = Entry(
            household=self._address.name,
            kind=kind,
            round=round,
            slot=slot,
            host=sender.host,
            partner=sender.name,
            epoch=lease.epoch,
            lease=lease.number,
            given=held,
            taken=proposal.given_kwh,
            change=change,
            reason=reason,
        )
        self._journal.append(entry)
        return Envelope(self._address, sender, self._record(entry))

    def _record(self, entry: Entry) -> Outcome:
        lease = LeaseId(entry.epoch, entry.lease)
        outcome = Outcome(
            lease=lease, slot=entry.slot, accepted=not entry.reason, reason=entry.reason
        )
        self._answered[entry.partner, entry.slot, lease] = outcome
        if outcome.accepted:
            self._holding.take(entry.slot, entry.taken)
            self.counts.given += 1
            self._made.append(entry)
        else:
            self.counts.withheld += 1
        return outcome

    # -- repetition and recovery ------------------------------------------------------------------

    def replay(self, entry: Entry, now: float) -> None:
        """Restore the state after a journal entry; open proposals are due for repetition at once.

        Lookups are not journalled, so only those that led to a match are counted again.
        """
        if entry.kind in ("proposed", "declined"):
            self.counts.lookups += 1
            self.counts.matches += 1
        match entry.kind:
            case "proposed":
                self._propose(entry, Retransmission.overdue(now, EXCHANGE_MAX_WAIT_SECONDS))
            case "done" | "failed":
                self._settle(entry)
            case "accepted" | "refused":
                self._record(entry)
            case _:
                pass

    def repeat(self, now: float) -> list[Envelope]:
        """Return the proposals whose answers are late."""
        return [
            Envelope(self._address, asked.partner, asked.proposal)
            for asked in self._asked.values()
            if asked.retransmission.due(now)
        ]

    @property
    def wake(self) -> float:
        """Time at which the next proposal is repeated; NEVER if none is open."""
        return min((asked.retransmission.deadline for asked in self._asked.values()), default=NEVER)
