"""Script of content bundle: talks that the tested household opens.

Its values are known from its sums of stage 1, and its limits from its offers.
"""

import numpy as np

from orchestrator.validation.conformance.bundles.bundle_offers import SlotPair, bad_counters
from orchestrator.validation.conformance.bundles.bundle_partners import (
    PARTNERS_PART,
    SECTION,
    BundlePartners,
    of_lease,
)
from orchestrator.validation.conformance.final_sum_script import ROUNDING
from orchestrator.validation.conformance.roles import PARTNERS
from protocol.messages import Address, BundleProposal, Confirmation, Counter, Outcome, Settled
from protocol.messages.exchange import WHOLE, LeaseId

SHORT_LEASE_SECONDS = 0.5


class BundleRequesterScript:
    """The tested household as requester, one talk in each call."""

    def __init__(self, partners: BundlePartners, energy_drift_kwh: float) -> None:
        self._partners, self._probe = partners, partners.probe
        self._expected, self._energy_drift_kwh = partners.expected, energy_drift_kwh

    async def proposes(self, partner: Address, seconds: float = 60.0) -> BundleProposal:
        """Answer the open lookup with a lease, and check the proposal that follows."""
        matchmaker, expected = self._partners.matchmaker, self._expected
        lease = matchmaker.lease(WHOLE, partner, 0.0, seconds)
        self._probe.mark()
        await matchmaker.answer([lease])
        expected.asked += 1
        slots = tuple(sorted(matchmaker.offers))
        limits = np.array([matchmaker.offers[slot][1] for slot in slots])
        drift = float(expected.held.sum() - self._partners.planned_kwh)
        less, more = self._energy_drift_kwh + drift, self._energy_drift_kwh - drift
        return await self._probe.expect(
            "proposes its values at all slots that it offers",
            SECTION,
            BundleProposal,
            partner,
            f"{lease.id}, disclosure limit, {len(slots)} slots with its values and limits, "
            f"loss_kwh2 0, less_kwh up to {less:g}, more_kwh up to {more:g}",
            pick=lambda proposal: LeaseId(*proposal.lease) == lease.id,
            right=lambda proposal: (
                (proposal.disclosure, proposal.slots, proposal.loss_kwh2) == ("limit", slots, 0.0)
                and np.array_equal(proposal.values_kwh, self._expected.held[list(slots)])
                and np.array_equal(proposal.limits_kwh, limits)
                and _within(proposal.less_kwh, less)
                and _within(proposal.more_kwh, more)
            ),
        )

    async def asks_until_answered(self, pair: SlotPair) -> LeaseId:
        """Let the household propose; refuse it nothing, and answer with what it must not hear.

        The lease expires meanwhile. Returns its id.
        """
        probe, (one, other) = self._probe, PARTNERS
        proposal = await self.proposes(one, SHORT_LEASE_SECONDS)
        lease = LeaseId(*proposal.lease)
        await probe.again(
            "repeats a proposal until Counter or Outcome comes", SECTION, one, proposal
        )
        await probe.again("asks on although its lease has expired", SECTION, one, proposal)
        check = "refuses proposals while its own is open: busy"
        await self._partners.refuses(
            check, other, pair.proposal(self._partners.new_lease(), self._expected.held), "busy"
        )
        probe.mark()
        await probe.say(other, pair.counter(lease, self._expected.held))
        await probe.say(one, pair.counter(self._partners.new_lease(), self._expected.held))
        for bad in bad_counters(pair, lease, self._expected.held):
            await probe.say(one, bad)
        await probe.say(one, Outcome(lease=lease, slot=WHOLE, accepted=True, reason=""))
        await probe.say(other, Outcome(lease=lease, slot=WHOLE, accepted=False, reason="loss"))
        await probe.settled()
        check = "answers no counter of a stranger, of another lease, or that makes no sense"
        for partner in PARTNERS:
            probe.silent(check, PARTNERS_PART, Confirmation, partner, lambda said: True)
        check = "goes on with its talk after an answer that is none"
        await self._partners.refuses(
            check, other, pair.proposal(self._partners.new_lease(), self._expected.held), "busy"
        )
        return lease

    async def releases(self, check: str, pair: SlotPair, counter: Counter) -> None:
        """Counter with a bundle that the household must not want, then with a pair that it would
        want: it has decided."""
        probe, (one, other), lease = self._probe, PARTNERS, LeaseId(*counter.lease)
        probe.mark()
        await probe.say(one, counter)
        said = await probe.expect(
            check,
            SECTION,
            Confirmation,
            one,
            f"{lease}, with a reason",
            pick=of_lease(lease),
            right=lambda said: said.reason != "",
        )
        await probe.again("repeats a confirmation until Settled comes", SECTION, one, said)
        good = pair.counter(lease, self._expected.held)
        await self._confirms("decides about a counter once", good, said.reason)
        await probe.say(other, Settled(lease))
        await probe.say(one, Settled(self._partners.new_lease()))
        check = "ends a talk only by Settled of its partner"
        asked = pair.proposal(self._partners.new_lease(), self._expected.held)
        await self._partners.refuses(check, other, asked, "busy")
        await probe.say(one, Settled(lease))
        await probe.say(one, Settled(lease))

    async def confirms(self, pair: SlotPair) -> LeaseId:
        """Let the household propose, and counter with a bundle that it must want."""
        probe, one = self._probe, PARTNERS[0]
        lease = LeaseId(*(await self.proposes(one)).lease)
        good, bad = (pair.counter(lease, self._expected.held, factor) for factor in (1.0, -1.0))
        await self._confirms("confirms a counter that it gains by", good, "")
        await self._confirms("decides about a counter once", bad, "")
        self._partners.takes(pair)
        self._expected.agreed += 1
        await probe.say(one, Settled(lease))
        await probe.say(one, Settled(lease))
        return lease

    async def is_refused(self) -> LeaseId:
        """Let the household propose, and refuse."""
        one = PARTNERS[0]
        lease = LeaseId(*(await self.proposes(one)).lease)
        refusal = Outcome(lease=lease, slot=WHOLE, accepted=False, reason="no joint gain")
        await self._probe.say(one, refusal)
        await self._probe.say(one, refusal)
        return lease

    async def _confirms(self, check: str, counter: Counter, reason: str) -> None:
        self._probe.mark()
        await self._probe.say(PARTNERS[0], counter)
        lease = LeaseId(*counter.lease)
        await self._probe.expect(
            check,
            SECTION,
            Confirmation,
            PARTNERS[0],
            f"{lease}, reason {reason!r}",
            pick=of_lease(lease),
            right=lambda said: said.reason == reason,
        )


def _within(room_kwh: float | None, most_kwh: float) -> bool:
    """Return True if a change of energy that a proposal allows is within the cap."""
    return room_kwh is not None and -ROUNDING <= room_kwh <= most_kwh + ROUNDING
