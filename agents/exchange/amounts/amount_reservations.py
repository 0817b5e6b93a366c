"""The partner's side of a talk: it reserves the part that suits it, until it is told what follows.

The reservation is journaled before it is said. A partner that hears nothing for long says its part
again, and so learns whether the requester has committed; one without a record of that has not. So
after any crash, loss or repetition both sides make the change, or neither does.
"""

from dataclasses import dataclass

import numpy as np

from agents.exchange.amounts.home_record import HomeRecord, heard, said
from agents.exchange.amounts.pair_moves import Limits, serve
from agents.exchange.journal.amount_records import AmountRecord, Part, read_amounts
from agents.exchange.journal.entries import Entry
from agents.retransmission import NEVER, Retransmission
from protocol.errors import PeerError
from protocol.messages import (
    Address,
    AmountAnswer,
    AmountConfirmation,
    AmountDone,
    AmountProposal,
)
from protocol.messages.amounts import AmountRefusal
from protocol.messages.exchange import LeaseId
from protocol.runtime.machine import Envelope
from protocol.vectors import Array

_NONE = np.zeros(0, dtype=np.int64)


@dataclass(slots=True)
class _Reserved:
    """The part for which this home is reserved."""

    part: Part
    changed: dict[str, Array]
    answer: AmountAnswer
    retransmission: Retransmission


class AmountReservations:
    """The talks in which one home is the partner.

    Invariant: while `_reserved` is set the home changes only by its end. `_said` has the last
    message for every lease.
    """

    def __init__(self, record: HomeRecord, expiry_seconds: float) -> None:
        """Set up a home that is not reserved. After `expiry_seconds` without a word it asks."""
        self._record, self._expiry_s = record, expiry_seconds
        self._reserved: _Reserved | None = None
        self._said: dict[tuple[str, LeaseId], AmountAnswer | AmountDone] = {}

    @property
    def reserved(self) -> bool:
        """True while the home is reserved for a partner."""
        return self._reserved is not None

    @property
    def part(self) -> Part | None:
        """The part for which the home is reserved, as a change of its own total."""
        return None if self._reserved is None else self._reserved.part

    @property
    def partners(self) -> tuple[Address, ...]:
        """The partner whose word is missing."""
        return () if self._reserved is None else (self._reserved.part.partner,)

    def knows(self, sender: Address, lease: LeaseId) -> bool:
        """Return True if this home has answered under this lease."""
        return (sender.name, lease) in self._said

    def on_proposal(
        self, sender: Address, proposal: AmountProposal, now: float, *, busy: bool
    ) -> list[Envelope]:
        """Reserve the part that suits this home and say so; say it again if asked again. `busy` if
        the home is in a talk of its own."""
        record, lease = self._record, proposal.lease
        known = self._said.get((sender.name, lease))
        if isinstance(known, AmountDone):
            return []
        if known is not None and proposal.sequence <= known.sequence:
            again = proposal.sequence == known.sequence
            return [Envelope(record.address, sender, known)] if again else []
        change = heard(proposal.slots, proposal.amounts, record.held.slots)
        other = self._reserved is not None and self._reserved.part.lease != lease
        if busy or other:
            return [self._refuse(sender, proposal, "busy")]
        changed = serve(record.held, Limits.of(-change))
        if not changed or not record.held.may_take(changed):
            self._release(sender, lease, proposal.sequence)
            return [self._refuse(sender, proposal, "loss")]
        part = Part(sender, lease, record.held.change_of(changed))
        kept = AmountRecord(changed, (part,), proposal.sequence)
        record.note("countered", kept, partner=sender, lease=lease)
        reserved = self._reserve(kept)
        reserved.retransmission.sent(now, self._expiry_s)
        return [Envelope(record.address, sender, reserved.answer)]

    def on_confirmation(self, sender: Address, confirmation: AmountConfirmation) -> list[Envelope]:
        """Make the change or release it, and say so; say it again if asked again."""
        lease, reserved = confirmation.lease, self._reserved
        if reserved is not None and (reserved.part.partner.name, reserved.part.lease) == (
            sender.name,
            lease,
        ):
            self._record.note(
                "accepted" if confirmation.commit else "dismissed",
                AmountRecord(reserved.changed, (reserved.part,)),
                partner=sender,
                lease=lease,
                reason="" if confirmation.commit else "no joint gain",
            )
            self._settle(commit=confirmation.commit)
        elif confirmation.commit and not isinstance(
            self._said.get((sender.name, lease)), AmountDone
        ):
            raise PeerError(f"{sender} commits what {self._record.address.name} has not reserved")
        if (sender.name, lease) in self._said:  # else anybody could fill the memory
            self._said[sender.name, lease] = AmountDone(lease)
        return [Envelope(self._record.address, sender, AmountDone(lease))]

    def _refuse(self, sender: Address, proposal: AmountProposal, reason: AmountRefusal) -> Envelope:
        answer = AmountAnswer(
            lease=proposal.lease,
            sequence=proposal.sequence,
            slots=(),
            amounts=_NONE,
            reason=reason,
        )
        self._said[sender.name, proposal.lease] = answer
        self._record.counts.withheld += 1
        return Envelope(self._record.address, sender, answer)

    def _release(self, sender: Address, lease: LeaseId, sequence: int) -> None:
        """Journal that nothing can be done, and end the reservation for an earlier proposal."""
        kept = AmountRecord({}, (), sequence)
        self._record.note("refused", kept, partner=sender, lease=lease, reason="loss")
        self._reserved = None

    def _reserve(self, kept: AmountRecord) -> _Reserved:
        (part,) = kept.parts
        slots, amounts = said(-part.change)
        answer = AmountAnswer(
            lease=part.lease, sequence=kept.sequence, slots=slots, amounts=amounts, reason=""
        )
        self._said[part.partner.name, part.lease] = answer
        self._reserved = _Reserved(
            part=part,
            changed=dict(kept.changed),
            answer=answer,
            retransmission=Retransmission(self._expiry_s),
        )
        return self._reserved

    def _settle(self, *, commit: bool) -> None:
        reserved = self._reserved
        assert reserved is not None
        self._reserved = None
        part = reserved.part
        self._said[part.partner.name, part.lease] = AmountDone(part.lease)
        if commit:
            self._record.counts.given += 1
            self._record.take(reserved.changed, (part,), asked=False)
        else:
            self._record.counts.withheld += 1

    # -- repetition and recovery ------------------------------------------------------------------

    def repeat(self, now: float) -> list[Envelope]:
        """Say the part again if nothing was heard for long: the requester answers what it knows."""
        reserved = self._reserved
        if reserved is None or not reserved.retransmission.due(now):
            return []
        return [Envelope(self._record.address, reserved.part.partner, reserved.answer)]

    @property
    def wake(self) -> float:
        """Time at which to ask; NEVER if the home is not reserved."""
        return NEVER if self._reserved is None else self._reserved.retransmission.deadline

    def replay(self, entry: Entry, now: float) -> None:
        """Restore the state after an entry as partner; a reservation is asked about at once."""
        match entry.kind:
            case "countered":
                kept = read_amounts(entry.data)
                reserved = self._reserve(kept)
                reserved.retransmission = Retransmission.overdue(now, self._expiry_s)
            case "refused":
                lease, kept = LeaseId(entry.epoch, entry.lease), read_amounts(entry.data)
                self._reserved = None
                self._said[entry.partner, lease] = AmountAnswer(
                    lease=lease, sequence=kept.sequence, slots=(), amounts=_NONE, reason="loss"
                )
            case "accepted" | "dismissed":
                self._settle(commit=entry.kind == "accepted")
            case _:
                pass
