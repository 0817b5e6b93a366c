"""Script of stage 2 with contents slot and bundle: offers, and the lookups that name them.

What happens in the rounds is decided by slot_script.py and bundles/bundle_script.py.
"""

from dataclasses import replace

from agents.exchange.disclosure import FLOOR, limit_named
from agents.plans import Plans
from orchestrator.validation.conformance.final_sum_script import ROUNDING
from orchestrator.validation.conformance.household_probe import shown
from orchestrator.validation.conformance.matchmaker_role import MatchmakerRole
from orchestrator.validation.conformance.planning_script import PlanningScript
from orchestrator.validation.conformance.round_script import LOOKUPS, STAGE, RoundScript
from protocol.messages import Lookup, Up


class ExchangeScript(RoundScript):
    """Stage 2 of the tested household, round by round."""

    def __init__(self, tree: PlanningScript, planned: Up, plans: Plans | None) -> None:
        """Set up the script. `planned` has the household's sums at the end of stage 1."""
        self.matchmaker = MatchmakerRole(tree.probe)
        super().__init__(tree, planned, self.matchmaker)
        self._plans = plans

    @property
    def min_gain_kwh2(self) -> float:
        """The least decrease of squared deviation that is worth an exchange, kWh^2."""
        return self.terms.min_gain * self._scale

    async def hears_its_match(self, lookup: Lookup) -> None:
        """Check that the household repeats a lookup, and takes no other answer for its own."""
        right = self.matchmaker.match(lookup)
        await self.hears_no_other_match(lookup, replace(right, number=right.number + 1), right)

    def offers_are_right(self) -> None:
        """Check the offers: the values held, at the slots that the household trades."""
        offers, probe, held = self.matchmaker.offers, self.probe, self.expected.held
        values = {slot: value for slot, (value, _) in offers.items()}
        wrong = {s: v for s, v in values.items() if s >= len(held) or v != held[s]}
        expected = "at each slot the value that it holds"
        probe.note("offers what it holds", LOOKUPS, not wrong, expected, f"{wrong}")
        if self._plans is None:
            return
        lowest, preferred = FLOOR * self._scale**0.5, self._plans.preferred.tolist()
        limits = {
            slot: limit_named(own, wanted, lowest) if own != wanted else 0.0
            for slot, (own, wanted) in enumerate(zip(held.tolist(), preferred, strict=True))
        }
        if self._by_slot:
            check = "offers the slots at which it does not hold what it prefers"
            section, right = STAGE, {slot for slot in limits if held[slot] != preferred[slot]}
        else:
            check, section = "offers all slots that it trades", "Content bundle, Partners"
            right = set(limits)
        probe.note(check, section, right == set(offers), f"{sorted(right)}", f"{sorted(offers)}")
        named = {slot: limit for slot, (_, limit) in offers.items()}
        far = {s: x for s, x in named.items() if abs(x - limits.get(s, x)) > ROUNDING * abs(x)}
        nearest = {slot: limits[slot] for slot in far}
        check = "names limits as they are to be named"
        probe.note(check, LOOKUPS, not far, f"{nearest}", f"{far}")

    async def is_forgotten(self, lookup: Lookup) -> None:
        """Play a matchmaker that has restarted and knows no offers, and answers this lookup."""
        probe, matchmaker = self.probe, self.matchmaker
        before = dict(matchmaker.offers)
        matchmaker.epoch += 1
        await matchmaker.answer(anew=True)
        check = "tells a matchmaker that does not know it all its offers"
        again = await matchmaker.lookup(check, f"epoch 0, of round {lookup.round}")
        same = (again.epoch, again.round) == (0, lookup.round) and matchmaker.offers == before
        probe.note(check, LOOKUPS, same, f"epoch 0, {len(before)} offers", shown(again))
        self.offers_are_right()
