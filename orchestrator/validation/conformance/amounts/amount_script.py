"""Script of stage 2 with content amounts: announcements, and which talks take place in which
round."""

from dataclasses import replace

from orchestrator.validation.conformance.amounts.amount_matchmaker_role import ANNOUNCEMENTS
from orchestrator.validation.conformance.amounts.amount_partner_script import AmountPartnerScript
from orchestrator.validation.conformance.amounts.amount_requester_script import (
    AmountRequesterScript,
)
from orchestrator.validation.conformance.amounts.amount_stage import AmountStage
from protocol.messages import AmountLookup, Result

ROUNDS_MAX, IDLE_MAX = 14, 4
"""Greatest number of rounds in which the household may look for partners, and of those in a row in
which it wants nothing."""


class AmountScript:
    """Rounds in which the household exchanges amounts."""

    def __init__(self, stage: AmountStage) -> None:
        self._stage, self._matchmaker = stage, stage.matchmaker
        self._requester, self._partner = AmountRequesterScript(stage), AmountPartnerScript(stage)

    async def run(self) -> Result:
        """Run stage 2, from round -1 to the result."""
        stage = self._stage
        await stage.gathers()
        await self._announces()
        await self._asks()
        await self._is_asked()
        return await stage.ends(self._partner.repeat_themselves)

    async def _announces(self) -> None:
        """Go through round 0, in which each home announces."""
        stage, matchmaker, slots = self._stage, self._matchmaker, self._stage.slots
        await stage.begins(0)
        lookup = await matchmaker.lookup(
            "announces in round 0 what it could take more and less",
            ANNOUNCEMENTS,
            f"epoch 0, round 0, {slots} slots up and down, no wants",
            lambda lookup: (
                (lookup.epoch, lookup.round, len(lookup.up_kwh)) == (0, 0, slots)
                and not len(lookup.want_up_kwh)
            ),
        )
        right = matchmaker.match()
        await stage.hears_no_other_match(lookup, replace(right, number=right.number + 1), right)
        await matchmaker.answer()
        await stage.is_done()
        await stage.reminds_a_child()

    async def _asks(self) -> None:
        """Go through rounds until the household has met every fate, or wants nothing more."""
        stage, idle, known = self._stage, 0, True
        while stage.round < ROUNDS_MAX and idle < IDLE_MAX and not self._requester.done:
            await self._begins()
            idle += 1
            while (wish := await stage.wish()) is not None:
                idle, wish = 0, wish if not known else await self._is_forgotten(wish)
                known = False
                await self._requester.meets(wish)
        self._requester.untried()

    async def _begins(self) -> None:
        await self._stage.begins(self._stage.round + 1)
        await self._stage.children_are_done()

    async def _is_forgotten(self, wish: AmountLookup) -> AmountLookup:
        """Play a matchmaker that has restarted and knows nobody; return the next lookup."""
        await self._matchmaker.forgets()
        return await self._matchmaker.lookup(
            "tells a matchmaker that does not know it what it announces",
            ANNOUNCEMENTS,
            f"epoch 0, round {wish.round}, announcements and wants",
            lambda lookup: (
                (lookup.epoch, lookup.round) == (0, wish.round)
                and len(lookup.up_kwh) > 0
                and len(lookup.want_up_kwh) > 0
            ),
        )

    async def _is_asked(self) -> None:
        """Open talks with the household when it has finished its part of a round; in the next one
        it must announce what it can do now."""
        stage = self._stage
        for talks in (self._partner.run, None):
            await self._begins()
            while await stage.wish() is not None:
                await self._matchmaker.answer()
            if talks is not None:
                await talks()
