"""Script of stage 2 with content bundle: lookups, and which talk takes place in which round."""

from orchestrator.validation.conformance.bundles.bundle_offers import SlotPair, pairs
from orchestrator.validation.conformance.bundles.bundle_partners import (
    PARTNERS_PART,
    SECTION,
    BundlePartners,
)
from orchestrator.validation.conformance.bundles.bundle_requester_script import (
    BundleRequesterScript,
)
from orchestrator.validation.conformance.bundles.bundle_responder_script import (
    BundleResponderScript,
)
from orchestrator.validation.conformance.exchange_script import ExchangeScript
from orchestrator.validation.conformance.household_probe import shown
from orchestrator.validation.conformance.roles import PARTNERS
from protocol.messages import Lookup, Result
from protocol.messages.exchange import Ending, LeaseId

NEEDED = 2
"""Number of pairs of slots at which the household must gain, in opposite directions; with fewer,
talks cannot be tested."""


class BundleScript:
    """Rounds in which the household exchanges bundles."""

    def __init__(self, stage: ExchangeScript) -> None:
        cap = stage.terms.energy_drift_kwh
        assert cap is not None
        self._stage, self._probe, self._matchmaker = stage, stage.probe, stage.matchmaker
        self._partners, self._energy_drift_kwh = BundlePartners(stage), cap
        self._requester = BundleRequesterScript(self._partners, cap)
        self._responder = BundleResponderScript(self._partners)

    async def run(self) -> Result:
        """Run stage 2, from round -1 to the result."""
        stage = self._stage
        await stage.gathers()
        await self._enters()
        await self._looks_up()
        found = pairs(
            {slot: limit for slot, (_, limit) in self._matchmaker.offers.items()},
            energy_drift_kwh=self._energy_drift_kwh,
            min_gain_kwh2=stage.min_gain_kwh2,
        )
        if len(found) < NEEDED:
            expected = f"{2 * NEEDED} slots, half of them with less than it wants, half with more"
            came = f"{2 * len(found)}: give it other plans"
            self._probe.note("exchanges bundles", SECTION, None, expected, came)
        else:
            await self._asks(found[0])
            await self._is_asked(found[1])
        return await stage.ends(self._responder.repeat_themselves)

    # -- lookups ----------------------------------------------------------------------------------

    async def _enters(self) -> None:
        await self._stage.begins(0)
        await self._stage.is_done()
        lookups = [each.message for each in self._probe.heard if isinstance(each.message, Lookup)]
        check = "looks up in no round before round 1"
        came = "" if not lookups else shown(lookups[0])
        self._probe.note(check, PARTNERS_PART, not lookups, "no Lookup", came)
        await self._stage.reminds_a_child()

    async def _looks_up(self) -> None:
        """Go through round 1, in which the matchmaker does not know the household yet."""
        await self._stage.begins(1)
        lookup = await self._lookup(epoch=0)
        self._stage.offers_are_right()
        await self._stage.hears_its_match(lookup)
        await self._stage.is_forgotten(lookup)
        await self._stage.is_done()

    async def _lookup(self, epoch: int | None = None) -> Lookup:
        """Wait for the lookup of this round, and check it."""
        check, place = "looks up once in each round from 1 on", self._stage.tree.place
        epoch = self._matchmaker.epoch if epoch is None else epoch
        terms = self._stage.round, epoch, (), 1, place.households
        expected = f"round, epoch, wants, leases_max, households: {terms}"
        lookup = await self._matchmaker.lookup(check, expected)
        came = (
            lookup.round,
            lookup.epoch,
            lookup.wants,
            lookup.leases_max,
            lookup.households,
        )
        self._probe.note(check, PARTNERS_PART, came == terms, expected, shown(lookup))
        return lookup

    async def _begins(self, closed: LeaseId | None = None, ending: Ending = "refused") -> None:
        """Begin the next round; its lookup stays open. It must report this lease as ended so."""
        await self._stage.begins(self._stage.round + 1)
        await self._lookup()
        if closed is not None:
            came = self._matchmaker.closed.get(closed)
            check = f"closes a lease as {ending}"
            expected = f"{ending!r} for {closed} in its next lookup"
            self._probe.note(check, PARTNERS_PART, came == ending, expected, repr(came))
        self._stage.offers_are_right()

    # -- talks ------------------------------------------------------------------------------------

    async def _asks(self, pair: SlotPair) -> None:
        """Let the household open a talk in each of four rounds."""
        requester, stage, held = self._requester, self._stage, self._stage.expected.held
        await self._begins()
        lease = await requester.asks_until_answered(pair)
        check = "releases a bundle that it would lose by"
        await requester.releases(check, pair, pair.counter(lease, held, -1.0))
        await stage.is_done()
        await self._begins(lease)
        lease = LeaseId(*(await requester.proposes(PARTNERS[0])).lease)
        check = "releases a bundle that moves its energy too far"
        await requester.releases(check, pair, pair.half_counter(lease, held))
        await stage.is_done()
        await self._begins(lease, "for now")
        lease = await requester.is_refused()
        await stage.is_done()
        await self._begins(lease)
        lease = await requester.confirms(pair)
        await stage.is_done()
        await self._begins(lease, "done")

    async def _is_asked(self, pair: SlotPair) -> None:
        """Let others open talks in one round, while the household's lookup is open."""
        responder = self._responder
        await responder.refuses(pair)
        proposal = await responder.counters(pair)
        lease = await responder.is_matched_while_reserved()
        await responder.is_released(proposal)
        await responder.exchanges(pair)
        await self._stage.is_done()
        await self._begins(lease, "void")
        await self._stage.is_done()
