"""Script of the rounds of every stage 2 between pairs, and of its end.

The household has a parent and two children without any energy use, and its rule is `mutual`. What
it offers and looks up is decided in exchange_script.py and amounts/amount_script.py.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from orchestrator.validation.conformance.expected_state import ExpectedState
from orchestrator.validation.conformance.final_sum_script import ROUNDING, FinalSumScript
from orchestrator.validation.conformance.household_probe import shown
from orchestrator.validation.conformance.planning_script import PlanningScript
from orchestrator.validation.conformance.roles import CHILDREN, MATCHMAKER, PARENT, STRANGER
from protocol.messages import (
    AmountLookup,
    AmountMatch,
    End,
    Lookup,
    Match,
    NextRound,
    Result,
    RoundDone,
    Up,
)
from protocol.messages.exchange import RoundCount
from protocol.terms import ExchangeTerms

STAGE = "Stage 2: lookups, proposals, rounds"
LOOKUPS = f"{STAGE}, Household and matchmaker"
ROUNDS, COUNTS = f"{STAGE}, Rounds", f"{STAGE}, Counts"
IS_DONE = "is done with a round when all is settled and its children are done"
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


class MatchmakerInRounds(Protocol):
    """The matchmaker of the tested household, as far as rounds need it."""

    @property
    def open(self) -> Lookup | AmountLookup | None:
        """The lookup that is not answered yet."""
        ...

    def read(self) -> None:
        """Handle the lookups that have arrived."""
        ...

    async def answer(self) -> Match | AmountMatch:
        """Answer the open lookup: no partner is found."""
        ...


class RoundScript:
    """Rounds of stage 2 of the tested household."""

    def __init__(self, tree: PlanningScript, planned: Up, matchmaker: MatchmakerInRounds) -> None:
        """Set up the script. `planned` has the household's sums at the end of stage 1."""
        self.tree, self.probe, self._answering = tree, tree.probe, matchmaker
        self.expected = ExpectedState(planned.response_kwh.copy())
        self.round = -1
        self._planned, self._scale = planned, 0.0

    @property
    def terms(self) -> ExchangeTerms:
        """The terms of the exchange."""
        terms = self.tree.place.terms.exchange
        assert terms is not None
        return terms

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
        self.probe.mark()
        changed = await self.children_are_done()
        while not isinstance(done := await self.is_done_or_looks_up(), RoundDone):
            await self._answering.answer()
        exchanged = {*changed, *self.expected.exchanged}
        right = done.count.households == 3 and exchanged <= set(done.changed)
        wanted = f"RoundDone with 3 households, {sorted(exchanged)} among those that changed"
        self.probe.note(IS_DONE, ROUNDS, right, wanted, shown(done))
        return done

    async def children_are_done(self) -> tuple[int, ...]:
        """Let the children report this round, and return the slots that they name as changed."""
        changed = (0,) if self._by_slot and self.round >= 1 else ()
        for child in CHILDREN:
            done = RoundDone(
                round=self.round, count=CHILD, changed=changed, attempt=self.tree.place.attempt
            )
            await self.probe.say(child, done)
        return changed

    async def is_done_or_looks_up(self) -> RoundDone | Lookup | AmountLookup:
        """Wait for the household's report of this round, or for a lookup."""
        probe, round, attempt = self.probe, self.round, self.tree.place.attempt

        def of_round(done: RoundDone) -> bool:
            return (done.round, done.attempt) == (round, attempt)

        def found() -> RoundDone | Lookup | AmountLookup | None:
            self._answering.read()
            done: RoundDone | None = probe.said(RoundDone, PARENT, of_round)
            return done or self._answering.open

        wanted = f"RoundDone to {PARENT.name} of round {round}"
        return await probe.require(IS_DONE, ROUNDS, wanted, found)

    async def begins(self, round: int) -> None:
        """Begin the next round, which the household must pass on."""
        probe, self.round, self.expected.exchanged = self.probe, round, set()
        probe.leases.round, probe.leases.content = round, self.terms.content
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

    async def hears_no_other_match(
        self, lookup: Lookup | AmountLookup, wrong: Match | AmountMatch, right: Match | AmountMatch
    ) -> None:
        """Check that the household repeats a lookup, and takes neither a wrong answer nor the right
        one from a stranger."""
        probe, name = self.probe, type(right).__name__
        await probe.again(f"repeats a lookup until {name} comes", LOOKUPS, MATCHMAKER, lookup)
        probe.mark()
        await probe.say(MATCHMAKER, wrong)
        await probe.say(STRANGER, right)
        await probe.settled()
        await self.children_are_done()
        await probe.settled()
        check = f"takes only {name} with its number, of its matchmaker"
        probe.silent(check, LOOKUPS, RoundDone, PARENT, lambda done: done.round == self.round)

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
