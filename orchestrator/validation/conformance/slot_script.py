"""Script of stage 2 with content slot: the household offers, looks up, and goes through rounds.

Its partners are played by partner_script.py.
"""

from orchestrator.validation.conformance.exchange_script import ExchangeScript
from orchestrator.validation.conformance.final_sum_script import ROUNDING
from orchestrator.validation.conformance.household_probe import shown
from orchestrator.validation.conformance.lookup_role import SECTION as LOOKUPS
from orchestrator.validation.conformance.partner_script import PartnerScript
from orchestrator.validation.conformance.round_script import STAGE
from protocol.messages import Result

NEEDED = 3
"""Number of slots at which the household must want another value; with fewer, proposals cannot be
tested."""


class SlotScript:
    """Rounds in which the household exchanges single slots."""

    def __init__(self, stage: ExchangeScript) -> None:
        self._stage, self._probe, self._matchmaker = stage, stage.probe, stage.matchmaker
        self._partners = PartnerScript(stage.matchmaker, stage.expected)

    async def run(self) -> Result:
        """Run stage 2, from round -1 to the result."""
        stage = self._stage
        await stage.gathers()
        await self._offers()
        await stage.begins(1)
        slots = self._partners.wished(stage.min_gain_kwh2)
        if len(slots) < NEEDED:
            expected = f"{NEEDED} slots at which it wants something else: give it other plans"
            self._probe.note("exchanges values", STAGE, None, expected, f"{len(slots)}")
        else:
            await self._asks()
            await self._partners.asks(slots[0])
            await self._partners.is_asked(slots[1])
            await stage.is_done()
            await stage.begins(2)
            check = "tells a matchmaker that does not know it all its offers"
            lookup = await self._matchmaker.lookup(
                check, "of round 2", lambda lookup: bool(lookup.wants)
            )
            await stage.is_forgotten(lookup)
        await stage.is_done()
        return await stage.ends(self._partners.repeat_themselves)

    async def _offers(self) -> None:
        stage, matchmaker = self._stage, self._matchmaker
        await stage.begins(0)
        check = "tells all its offers in round 0"
        lookup = await matchmaker.lookup(check, "epoch 0, no wants")
        told = (lookup.epoch, lookup.round, lookup.wants) == (0, 0, ())
        self._probe.note(check, LOOKUPS, told, "epoch 0, no wants", shown(lookup))
        stage.offers_are_right()
        await stage.hears_its_match(lookup)
        await matchmaker.answer()
        await stage.is_done()
        await stage.reminds_a_child()

    async def _asks(self) -> None:
        """Check the first lookup that asks for partners."""
        min_gain_kwh2, leases_max = self._stage.min_gain_kwh2, self._stage.terms.at_once
        check = "looks for partners in round 1"
        expected = f"min_gain_kwh2 {min_gain_kwh2:.6g}, leases_max 1 to {leases_max}"
        lookup = await self._matchmaker.lookup(check, expected, lambda lookup: bool(lookup.wants))
        right = (
            abs(lookup.min_gain_kwh2 - min_gain_kwh2) <= ROUNDING * min_gain_kwh2
            and 1 <= lookup.leases_max <= leases_max
        )
        right = right and (lookup.round, lookup.epoch) == (1, self._matchmaker.epoch)
        self._probe.note(check, LOOKUPS, right, expected, shown(lookup))
