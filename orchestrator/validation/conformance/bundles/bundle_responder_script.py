"""Script of content bundle: talks that others open with the tested household."""

from dataclasses import replace

import numpy as np

from orchestrator.validation.conformance.bundles.bundle_offers import SlotPair, bad_proposals
from orchestrator.validation.conformance.bundles.bundle_partners import (
    PARTNERS_PART,
    SECTION,
    BundlePartners,
    of_lease,
)
from orchestrator.validation.conformance.partner_script import SEALS
from orchestrator.validation.conformance.roles import PARTNERS
from protocol.messages import Address, BundleProposal, Confirmation, Counter, Outcome, Settled
from protocol.messages.exchange import WHOLE, LeaseId
from protocol.vectors import Array


class BundleResponderScript:
    """The tested household as responder."""

    def __init__(self, partners: BundlePartners) -> None:
        self._partners, self._probe = partners, partners.probe
        self._confirmed: LeaseId | None = None
        """The lease of a talk in which a partner has confirmed."""

    @property
    def _held(self) -> Array:
        return self._partners.expected.held

    async def refuses(self, pair: SlotPair) -> None:
        """Propose bundles that the household must not want, and nonsense."""
        probe, held, one = self._probe, self._held, PARTNERS[0]
        probe.mark()
        for bad in bad_proposals(pair, self._partners.new_lease(), held):
            await probe.say(one, bad)
        await probe.say(one, Confirmation(self._partners.new_lease(), ""))
        await probe.settled()
        check = "answers no proposal that makes no sense"
        for kind in (Counter, Outcome):
            probe.silent(check, PARTNERS_PART, kind, one, lambda said: True)
        check = "answers no confirmation of what it has not countered"
        probe.silent(check, PARTNERS_PART, Settled, one, lambda said: True)
        good = pair.proposal(self._partners.new_lease(), held)
        await probe.proposes_without_lease(SEALS, one, good)
        worse = pair.proposal(self._partners.new_lease(), held, -1.0)
        await self._partners.refuses("refuses a bundle that it would lose by", one, worse)
        moved = pair.half_proposal(self._partners.new_lease(), held)
        await self._partners.refuses("refuses a bundle that moves its energy too far", one, moved)
        unwilling = replace(pair.proposal(self._partners.new_lease(), held), limits_kwh=np.zeros(2))
        check = "refuses a bundle that the requester may lose by"
        await self._partners.refuses(check, one, unwilling)

    async def counters(self, pair: SlotPair) -> BundleProposal:
        """Propose a bundle that both gain by, and return the proposal; the household is reserved
        then."""
        probe, (one, other) = self._probe, PARTNERS
        good = pair.proposal(self._partners.new_lease(), self._held)
        await self._counters("counters with the bundle that suits both", one, good)
        await self._counters("answers a repeated proposal with the same counter", one, good)
        check = "is reserved after a counter: others are refused, busy"
        await self._partners.refuses(
            check, other, pair.proposal(self._partners.new_lease(), self._held), "busy"
        )
        lease = LeaseId(*good.lease)
        probe.mark()
        await probe.say(other, Confirmation(lease, ""))
        await probe.say(one, Confirmation(self._partners.new_lease(), ""))
        await probe.settled()
        check = "answers no confirmation of what it has not countered"
        for partner in PARTNERS:
            probe.silent(check, PARTNERS_PART, Settled, partner, lambda said: True)
        return good

    async def is_matched_while_reserved(self) -> LeaseId:
        """Answer the open lookup with a lease, which a reserved household cannot use."""
        probe, matchmaker, other = self._probe, self._partners.matchmaker, PARTNERS[1]
        lease = matchmaker.lease(WHOLE, other, 0.0)
        probe.mark()
        await matchmaker.answer([lease])
        await probe.settled()
        check = "proposes nothing while it is reserved"
        probe.silent(check, SECTION, BundleProposal, other, lambda said: True)
        return lease.id

    async def is_released(self, proposal: BundleProposal) -> None:
        """Release the bundle of this proposal, and check that the household is free again."""
        lease, one = LeaseId(*proposal.lease), PARTNERS[0]
        check = "settles a release, and a repeated one"
        for _ in range(2):
            await self._settles(check, Confirmation(lease, "loss"))
        await self._probe.say(one, Confirmation(lease, ""))

    async def exchanges(self, pair: SlotPair) -> None:
        """Propose a bundle and confirm it; repeat the proposal and the confirmation."""
        good = pair.proposal(self._partners.new_lease(), self._held)
        await self._counters("is free again after a release", PARTNERS[0], good)
        self._confirmed = LeaseId(*good.lease)
        check = "settles a confirmation, and a repeated one"
        for _ in range(2):
            await self._settles(check, Confirmation(self._confirmed, ""))
        await self._probe.say(PARTNERS[0], good)
        await self._probe.say(PARTNERS[0], Confirmation(self._confirmed, "loss"))
        self._partners.takes(pair)

    async def repeat_themselves(self) -> None:
        """Repeat a confirmation after stage 2, as a partner that has missed the answer."""
        if self._confirmed is not None:
            check = "settles a confirmation, and a repeated one"
            await self._settles(check, Confirmation(self._confirmed, ""))

    async def _settles(self, check: str, said: Confirmation) -> None:
        lease = LeaseId(*said.lease)
        self._probe.mark()
        await self._probe.say(PARTNERS[0], said)
        await self._probe.expect(
            check, SECTION, Settled, PARTNERS[0], f"{lease}", pick=of_lease(lease)
        )

    async def _counters(self, check: str, partner: Address, said: BundleProposal) -> None:
        values = self._held[list(said.slots)]
        await self._partners.answered(
            check,
            partner,
            said,
            f"Counter with slots {said.slots}, its values there, change_kwh2 0",
            lambda answer: (
                isinstance(answer, Counter)
                and (answer.slots, answer.change_kwh2) == (said.slots, 0.0)
                and np.array_equal(answer.values_kwh, values)
            ),
        )
