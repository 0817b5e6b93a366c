"""The check of leases: a household takes a proposal only if a matchmaker has given the lease.

The seal is checked with the public key that came with the household's place. A lease is good in the
round of its lookup alone: a requester has at most begun the next round before its partner has, and
never lags behind it, since a round ends when all its talks have. So no clock is needed. What has
been answered under a lease is answered again without another check. Where leases are not sealed,
nobody is expected to lie, and nothing is checked.
"""

from dataclasses import dataclass

from protocol.errors import PeerError
from protocol.lease_seal import SealedLease, check_seal
from protocol.messages import Address, AmountProposal, BundleProposal, Proposal
from protocol.terms import ContentName


@dataclass(frozen=True, slots=True)
class LeaseCheck:
    """What one household, as a responder, knows of the seals of leases."""

    responder: Address
    content: ContentName
    keys: tuple[str, ...] = ()
    """The public key of each matchmaker; empty if leases are not sealed."""

    def check(
        self,
        requester: Address,
        proposal: Proposal | BundleProposal | AmountProposal,
        *,
        slot: int,
        round: int,
        matchmaker: int = 0,
    ) -> None:
        """Raise PeerError unless the proposal has a good lease.

        `slot` is WHOLE for whole households, `round` that of this household, and `matchmaker` the
        number of the one that gives leases for that slot or round.
        """
        if not self.keys:
            return
        if not round <= proposal.round <= round + 1:
            raise PeerError(
                f"{requester.name} proposes under a lease of round {proposal.round} in {round}"
            )
        lease = SealedLease(
            id=proposal.lease,
            content=self.content,
            slot=slot,
            round=proposal.round,
            requester=requester,
            responder=self.responder,
        )
        check_seal(self.keys[matchmaker], proposal.seal, lease)
