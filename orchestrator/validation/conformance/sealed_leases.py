"""The seals of the leases in a test: the matchmaker of the tested household seals them; partners,
and the household itself, have to show them."""

from collections.abc import Iterator
from dataclasses import replace

from protocol.lease_seal import LeaseSigner, SealedLease
from protocol.messages import (
    Address,
    AmountMatch,
    AmountProposal,
    BundleProposal,
    Match,
    Message,
    Proposal,
)
from protocol.messages.exchange import WHOLE, Lease, LeaseId
from protocol.terms import ContentName

AnyProposal = Proposal | BundleProposal | AmountProposal
_SIGNER, _FORGER = LeaseSigner("c0" * 32), LeaseSigner("bad0" * 16)
PUBLIC_KEY = _SIGNER.public_key
"""The public key of the matchmaker in a test."""


class SealedLeases:
    """The leases in which one household takes part, as requester and as responder."""

    def __init__(self) -> None:
        self.content: ContentName = "slot"
        self.round = -1
        """The present round."""
        self._given: dict[LeaseId, Lease] = {}
        """The leases that the household was given as requester."""

    def sealed(self, sender: Address, message: Message, household: Address) -> Message:
        """Return a message to the household with the seals that it needs. A proposal that shows a
        seal already stays as it is."""
        match message:
            case Match(leases=leases):
                own = tuple(self._give(lease, household) for lease in leases)
                return replace(message, leases=own)
            case AmountMatch(lease=lease) if lease is not None:
                return replace(message, lease=self._give(lease, household))
            case Proposal() | BundleProposal() | AmountProposal() if not message.seal:
                return self._shows(message, sender, household)
            case other:
                return other

    def without_lease(
        self, sender: Address, proposal: AnyProposal, household: Address
    ) -> Iterator[AnyProposal]:
        """Yield the proposal under leases that nobody has given, or not to this partner, or not for
        this round."""
        right = self._shows(proposal, sender, household)
        other = Address(sender.host, f"{sender.name}-x")
        yield replace(proposal, round=self.round, seal=bytes(len(right.seal)))
        yield replace(right, lease=LeaseId(right.lease.epoch, right.lease.number + 1_000_000))
        yield self._shows(proposal, other, household)
        yield self._shows(proposal, sender, household, signer=_FORGER)
        yield self._shows(proposal, sender, household, round=self.round - 1)

    def is_shown(self, proposal: AnyProposal) -> bool:
        """Return True if the household shows round and seal of the lease that it was given."""
        given = self._given.get(LeaseId(*proposal.lease))
        return given is None or (proposal.round, proposal.seal) == (given.round, given.seal)

    def _give(self, lease: Lease, requester: Address) -> Lease:
        (seal,) = _SIGNER.seals([self._lease(lease.id, lease.slot, requester, lease.partner)])
        given = lease._replace(round=self.round, seal=seal)
        self._given[lease.id] = given
        return given

    def _shows(
        self,
        proposal: AnyProposal,
        requester: Address,
        responder: Address,
        *,
        signer: LeaseSigner = _SIGNER,
        round: int | None = None,
    ) -> AnyProposal:
        slot = proposal.slot if isinstance(proposal, Proposal) else WHOLE
        lease = self._lease(LeaseId(*proposal.lease), slot, requester, responder)
        lease = lease._replace(round=self.round if round is None else round)
        (seal,) = signer.seals([lease])
        return replace(proposal, round=lease.round, seal=seal)

    def _lease(
        self, lease: LeaseId, slot: int, requester: Address, responder: Address
    ) -> SealedLease:
        return SealedLease(
            id=lease,
            content=self.content,
            slot=slot,
            round=self.round,
            requester=requester,
            responder=responder,
        )
