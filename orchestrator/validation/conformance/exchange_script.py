"""Script of stage 2, for both contents: rounds, offers, and the end.

The household has a parent and two children without any energy use, and its rule is `mutual`. What
happens in the rounds is decided by slot_script.py and bundles/bundle_script.py.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from agents.exchange.disclosure import FLOOR, limit_named
from agents.plans import Plans
from orchestrator.validation.conformance.expected_state import ExpectedState
from orchestrator.validation.conformance.final_sum_script import ROUNDING, FinalSumScript
from orchestrator.validation.conformance.household_probe import shown
from orchestrator.validation.conformance.matchmaker_role import SECTION as LOOKUPS
from orchestrator.validation.conformance.matchmaker_role import MatchmakerRole
from orchestrator.validation.conformance.planning_script import PlanningScript
from orchestrator.validation.conformance.roles import CHILDREN, MATCHMAKER, PARENT, STRANGER
from protocol.messages import End, Lookup, NextRound, Result, RoundDone, Up
from protocol.messages.exchange import RoundCount
from protocol.terms import ExchangeTerms

STAGE = "Stage 2: lookups, proposals, rounds"
ROUNDS, COUNTS = f"{STAGE}, Rounds", f"{STAGE}, Counts"
HELD = "holds in the end what it was given for what it gave, and nothing twice"
CHILD = RoundCount(
    households=1,
    lookups=0,
    matches=0,
    proposals=0,
    accepted=0,
    refused=0,
    discomfort_kwh=0.5,
    deviation_kwh2=0.25,
    messages=3,
    answers=0,
    frames=3,
    bytes=100,
)
"""The counts that a child reports for a round."""


class ExchangeScript:
    """Stage 2 of the tested household, round by round."""

    def __init__(self, tree: PlanningScript, planned: Up, plans: Plans | None) -> None:
        """Set up the script. `planned` has the household's sums at the end of stage 1."""
        self.tree, self.probe, self.matchmaker = tree, tree.probe, MatchmakerRole(tree.probe)
        self.expected = ExpectedState(planned.response_kwh.copy())
        self.round = -1
        self._planned, self._plans, self._scale = planned, plans, 0.0

    @property
    def terms(self) -> ExchangeTerms:
        """The terms of the exchange."""
        terms = self.tree.place.terms.exchange
        assert terms is not None
        return terms

    @property
    def min_gain_kwh2(self) -> float:
        """The least decrease of squared deviation that is worth an exchange, kWh^2."""
        return self.terms.min_gain * self._scale

    @property
    def _by_slot(self) -> bool:
        return self.terms.content == "slot"

    # -- rounds -----------------------------------------------------------------------------------

    async def gathers(self) -> None:
        """Go through round -1, in which the household counts its discomfort."""
        probe, attempt = self.probe, self.tree.place.attempt
        probe.mark()
        await probe.settled()
        check = "waits for its children's RoundDone before its own"
        probe.silent(
            check, ROUNDS, RoundDone, PARENT, lambda done: done.attempt == attempt, ever=True
        )
        done = await self.is_done()
        own = done.count.discomfort_kwh - 2 * CHILD.discomfort_kwh
        deviation = done.count.deviation_kwh2 - 2 * CHILD.deviation_kwh2
        right = abs(deviation - own * own) <= ROUNDING * max(1.0, own * own)
        self.probe.note(
            "counts its discomfort, and its mean squared deviation",
            COUNTS,
            right and abs(own - self._planned.discomfort) <= ROUNDING,
            f"its discomfort, {self._planned.discomfort:.6g}, and its square among the deviations",
            shown(done),
        )
        self._scale = done.count.deviation_kwh2 / done.count.households
        await probe.again("repeats RoundDone until the next round comes", ROUNDS, PARENT, done)

    async def is_done(self) -> RoundDone:
        """Finish the round: the matchmaker finds nothing more and the children report, so the
        household must report, too."""
        probe, attempt, matchmaker, round = (
            self.probe,
            self.tree.place.attempt,
            self.matchmaker,
            self.round,
        )
        probe.mark()
        changed = (0,) if self._by_slot and round >= 1 else ()
        for child in CHILDREN:
            await probe.say(
                child, RoundDone(round=round, count=CHILD, changed=changed, attempt=attempt)
            )

        def of_round(done: RoundDone) -> bool:
            return (done.round, done.attempt) == (round, attempt)

        def found() -> RoundDone | Lookup | None:
            matchmaker.read()
            return probe.said(RoundDone, PARENT, of_round) or matchmaker.open

        check = "is done with a round when all is settled and its children are done"
        wanted = f"RoundDone to {PARENT.name} of round {round}"
        while not isinstance(done := await probe.require(check, ROUNDS, wanted, found), RoundDone):
            await matchmaker.answer()
        exchanged = {*changed, *self.expected.exchanged}
        right = done.count.households == 3 and exchanged <= set(done.changed)
        wanted += f" with 3 households, and {sorted(exchanged)} among those that changed"
        probe.note(check, ROUNDS, right, wanted, shown(done))
        return done

    async def begins(self, round: int) -> None:
        """Begin the next round, which the household must pass on."""
        probe, self.round, self.expected.exchanged = self.probe, round, set()
        slots = range(len(self.expected.held))
        changed = tuple(slots) if round == 1 or (self._by_slot and round) else ()
        following = NextRound(round, changed, self._scale)
        probe.mark()
        await probe.say(PARENT, following)
        for child in CHILDREN:
            await probe.expect(
                "passes the next round on to its children",
                ROUNDS,
                NextRound,
                child,
                shown(following),
                pick=lambda said: said.round == round,
                right=lambda said: said == following,
            )

    async def reminds_a_child(self) -> None:
        """Check that a child that reports the round before hears which round has begun."""
        probe, late, round = self.probe, CHILDREN[1], self.round
        probe.mark()
        old = RoundDone(round=round - 1, count=CHILD, changed=(), attempt=self.tree.place.attempt)
        await probe.say(late, old)
        check = "tells a child that did not hear it what round there is"
        await probe.expect(
            check, ROUNDS, NextRound, late, f"{round}", pick=lambda said: said.round == round
        )

    # -- offers and lookups -----------------------------------------------------------------------

    async def hears_its_match(self, lookup: Lookup) -> None:
        """Check that the household repeats a lookup, and takes no other answer for its own."""
        probe, right = self.probe, self.matchmaker.match(lookup)
        await probe.again("repeats a lookup until Match comes", LOOKUPS, MATCHMAKER, lookup)
        probe.mark()
        await probe.say(MATCHMAKER, replace(right, number=right.number + 1))
        await probe.say(STRANGER, right)
        await probe.settled()
        for child in CHILDREN:
            done = RoundDone(
                round=self.round, count=CHILD, changed=(), attempt=self.tree.place.attempt
            )
            await self.probe.say(child, done)
        await self.probe.settled()
        check = "takes only Match with its number, of its matchmaker"
        self.probe.silent(check, LOOKUPS, RoundDone, PARENT, lambda done: done.round == self.round)

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

    # -- the end ----------------------------------------------------------------------------------

    async def ends(self, meanwhile: Callable[[], Awaitable[None]]) -> Result:
        """End the stage after this round, which the household must pass on; return its result.

        `meanwhile` runs while the household waits for the sums over all schedules.
        """
        self.probe.mark()
        await self.probe.say(PARENT, End(self.round))
        for child in CHILDREN:
            await self.probe.expect("passes End on", ROUNDS, End, child, f"{self.round}")
        final = FinalSumScript(self.tree, self.expected, self._planned)
        return await final.sums_up(HELD, meanwhile)
