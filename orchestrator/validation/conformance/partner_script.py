"""Scripts of content slot: proposals from the tested household to its partners, and to it.

Its values are known from its sums of stage 1, and its limits from its offers.
"""

from dataclasses import replace

from orchestrator.validation.conformance.expected_state import ExpectedState
from orchestrator.validation.conformance.lookup_role import SECTION as LOOKUPS
from orchestrator.validation.conformance.matchmaker_role import MatchmakerRole
from orchestrator.validation.conformance.roles import PARTNERS
from protocol.messages import Address, Outcome, Proposal
from protocol.messages.exchange import LeaseId

SECTION = "Stage 2: lookups, proposals, rounds, Partners"
SEALS = "Leases and seals"
"""The section about leases, for every content."""


class PartnerScript:
    """The partners of the household; they note in `expected` what each talk must change."""

    def __init__(self, matchmaker: MatchmakerRole, expected: ExpectedState) -> None:
        self.matchmaker, self.probe, self._expected = matchmaker, matchmaker.probe, expected
        self._last: tuple[Address, Proposal] | None = None
        """A proposal that the household accepted, and the partner it came from."""

    def wished(self, min_gain_kwh2: float) -> list[int]:
        """Return the slots where an exchange gains so much that the household must propose it,
        largest gain first."""
        offers = self.matchmaker.offers
        far = [slot for slot, (_, limit) in offers.items() if limit * limit / 4 > min_gain_kwh2]
        return sorted(far, key=lambda slot: -abs(offers[slot][1]))

    # -- as requester -----------------------------------------------------------------------------

    async def asks(self, slot: int) -> None:
        """Let the household propose twice: one partner refuses, another accepts."""
        probe, matchmaker = self.probe, self.matchmaker
        held, limit = matchmaker.offers[slot]
        value, one, other = held + limit / 2, *PARTNERS
        proposal = await self._proposes(slot, one, value)
        await probe.again("repeats a proposal until Outcome comes", SECTION, one, proposal)
        asked = Proposal(
            lease=matchmaker.new_id(), slot=slot, given_kwh=value, taken_kwh=held, change_kwh2=0.0
        )
        check = "holds the slot of an open proposal still: others are refused, busy"
        await self._answers(check, other, asked, "busy")
        probe.mark()
        accepted = Outcome(lease=proposal.lease, slot=slot, accepted=True, reason="")
        await probe.say(other, accepted)
        await probe.say(one, replace(accepted, lease=matchmaker.new_id()))
        await probe.settled()
        matchmaker.read()
        heeded = proposal.lease in matchmaker.closed or matchmaker.offers.get(slot) != (held, limit)
        check = "takes an outcome only from the partner, and of the lease"
        probe.note(check, SECTION, not heeded, "no effect", f"{matchmaker.offers.get(slot)}")

        await probe.say(
            one, Outcome(lease=proposal.lease, slot=slot, accepted=False, reason="loss")
        )
        await matchmaker.closes("closes a lease that was refused", proposal.lease, "refused")
        value = held + limit / 2
        again = await self._proposes(slot, other, value, wanted_again=True)
        outcome = Outcome(lease=again.lease, slot=slot, accepted=True, reason="")
        for said in (
            outcome,
            outcome,
            Outcome(lease=again.lease, slot=slot, accepted=False, reason="loss"),
        ):
            await probe.say(other, said)
        self._expected.held[slot] = value
        await matchmaker.closes("closes a lease with an exchange as done", again.lease, "done")
        self._holds("offers what it has got, or withdraws", slot)
        expected = self._expected
        expected.asked, expected.agreed, expected.exchanged = 2, 1, {slot}

    async def _proposes(
        self, slot: int, partner: Address, value: float, wanted_again: bool = False
    ) -> Proposal:
        """Offer a match that the household must want, and wait for its proposal."""
        matchmaker = self.matchmaker
        if wanted_again:
            check = "asks again where it was refused, up to attempts times"
            await matchmaker.lookup(
                check, f"slot {slot} wanted", lambda lookup: slot in lookup.wants
            )
        lease, held = matchmaker.lease(slot, partner, value), float(self._expected.held[slot])
        self.probe.mark()
        await matchmaker.answer([lease])
        return await self.probe.expect(
            "proposes what it was matched with and gains by",
            SECTION,
            Proposal,
            partner,
            f"slot {slot}, given {held!r}, taken {value!r}, change 0, {lease.id}",
            right=lambda p: (
                (LeaseId(*p.lease), p.slot, p.given_kwh, p.taken_kwh, p.change_kwh2)
                == (lease.id, slot, held, value, 0.0)
            ),
        )

    # -- as responder -----------------------------------------------------------------------------

    async def is_asked(self, slot: int) -> None:
        """Propose stale values, a loss and a gain to the household, and repeat each."""
        probe, matchmaker = self.probe, self.matchmaker
        held, limit = matchmaker.offers[slot]
        one, other = PARTNERS

        def proposal(given: float, taken: float) -> Proposal:
            return Proposal(
                lease=matchmaker.new_id(),
                slot=slot,
                given_kwh=given,
                taken_kwh=taken,
                change_kwh2=0.0,
            )

        stale, loss = proposal(held + limit / 2, held + 1.0), proposal(held - limit / 2, held)
        gain, late = proposal(held + limit / 2, held), proposal(held + limit / 4, held)
        await probe.proposes_without_lease(SEALS, one, gain)
        await self._answers("refuses what it does not hold", one, stale, "stale")
        await self._answers("refuses a loss", one, loss, "loss")
        await self._answers("accepts what it gains by", one, gain, "")
        check = "answers a repeated proposal alike"
        await self._answers(check, one, gain, "")
        await self._answers(check, one, loss, "loss")
        check = "gives a value away once only"
        await self._answers(check, other, late, "stale")
        probe.mark()
        await probe.say(
            one, replace(late, slot=len(self._expected.held), lease=matchmaker.new_id())
        )
        await probe.settled()
        check = "does not answer proposals about slots that do not exist"
        probe.silent(check, SECTION, Outcome, one, lambda outcome: True)
        self._expected.held[slot] = gain.given_kwh
        await matchmaker.closes("closes a lease with an exchange as done", gain.lease, "done")
        self._holds("offers what it has got, or withdraws", slot)
        check = "closes leases that it refused"
        await matchmaker.closes(check, loss.lease, "refused")
        await matchmaker.closes(check, stale.lease, "void")
        self._last = (one, gain)

    async def _answers(self, check: str, partner: Address, said: Proposal, reason: str) -> None:
        """Send a proposal and check the answer: accepted if `reason` is empty, else refused for
        this reason."""
        self.probe.mark()
        await self.probe.say(partner, said)
        await self.probe.expect(
            check,
            SECTION,
            Outcome,
            partner,
            f"{'refused, ' + reason if reason else 'accepted'}, {said.lease}",
            pick=lambda outcome: LeaseId(*outcome.lease) == said.lease,
            right=lambda o: (o.slot, o.accepted, o.reason) == (said.slot, not reason, reason),
        )

    def _holds(self, check: str, slot: int) -> None:
        value, offer = float(self._expected.held[slot]), self.matchmaker.offers.get(slot)
        right = offer is None or offer[0] == value
        self.probe.note(check, LOOKUPS, right, f"{value!r} at slot {slot}, or nothing", f"{offer}")

    async def repeat_themselves(self) -> None:
        """Repeat an accepted proposal after stage 2, as a partner that has missed the answer."""
        if self._last is not None:
            await self._answers("answers a repeated proposal alike", *self._last, "")
