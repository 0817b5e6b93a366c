"""Scripts of stage 2: the tested household offers, looks up, goes through rounds, and adds up the
final sum.

The household has a parent and two children without any energy use, and its rule is `mutual`. Its
partners are played by partner_script.py.
"""

from dataclasses import replace

import numpy as np

from agents.exchange.disclosure import FLOOR, limit_named
from agents.plans import Plans
from orchestrator.coordination.nodes import ORCHESTRATOR_ADDRESS
from orchestrator.validation.conformance.household_probe import shown
from orchestrator.validation.conformance.matchmaker_role import SECTION as LOOKUPS
from orchestrator.validation.conformance.matchmaker_role import MatchmakerRole
from orchestrator.validation.conformance.partner_script import PartnerScript
from orchestrator.validation.conformance.planning_script import PlanningScript
from orchestrator.validation.conformance.roles import (
    CHILDREN,
    ITERATIONS,
    MATCHMAKER,
    PARENT,
    STRANGER,
)
from protocol.messages import (
    Down,
    End,
    Lookup,
    NextRound,
    Result,
    RoundDone,
    Up,
)
from protocol.messages.exchange import RoundCount
from protocol.vectors import Array

STAGE = "Stage 2: lookups, proposals, rounds"
ROUNDS, AFTER, COUNTS = f"{STAGE}, Rounds", f"{STAGE}, After stage 2", f"{STAGE}, Counts"
NEEDED = 3
"""Number of slots at which the household must want another value; with fewer, proposals cannot be
tested."""
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
ROUNDING = 1e-9


class ExchangeScript:
    """Stage 2 of the tested household, round by round."""

    def __init__(self, tree: PlanningScript, schedule: Array, plans: Plans | None) -> None:
        self.tree, self.probe, self.matchmaker = tree, tree.probe, MatchmakerRole(tree.probe)
        self.partners = PartnerScript(self.matchmaker, schedule)
        self._schedule, self._plans = schedule, plans
        self._round, self._scale, self._discomfort = -1, 0.0, 0.0

    async def run(self) -> Result:
        """Run stage 2, from round -1 to the result."""
        await self._gathers()
        await self._offers()
        await self._begins(1)
        slots = self.partners.wished(self._enough)
        if len(slots) < NEEDED:
            expected = f"{NEEDED} slots at which it wants something else: give it other plans"
            self.probe.note("exchanges values", STAGE, None, expected, f"{len(slots)}")
        else:
            await self._asks()
            await self.partners.asks(slots[0])
            await self.partners.is_asked(slots[1])
            await self._is_done()
            await self._begins(2)
            await self._is_forgotten()
        await self._is_done()
        return await self._sums_up()

    @property
    def held(self) -> Array:
        """The schedule that the household must hold now, float64[d], kWh."""
        return self.partners.held

    @property
    def _enough(self) -> float:
        terms = self.tree.place.terms.exchange
        assert terms is not None
        return terms.min_gain * self._scale

    # -- rounds -----------------------------------------------------------------------------------

    async def _gathers(self) -> None:
        probe, attempt = self.probe, self.tree.place.attempt
        probe.mark()
        await probe.settled()
        check = "waits for its children's RoundDone before its own"
        probe.silent(check, ROUNDS, RoundDone, PARENT, lambda done: done.attempt == attempt)
        done = await self._is_done()
        own = done.count.discomfort_kwh - 2 * CHILD.discomfort_kwh
        deviation = done.count.deviation_kwh2 - 2 * CHILD.deviation_kwh2
        self.probe.note(
            "counts its discomfort, and its mean squared deviation",
            COUNTS,
            abs(deviation - own * own) <= ROUNDING * max(1.0, own * own),
            f"the square of its discomfort, {own * own:.6g}, among the deviations",
            shown(done),
        )
        self._discomfort = own
        self._scale = done.count.deviation_kwh2 / done.count.households
        await probe.again("repeats RoundDone until the next round comes", ROUNDS, PARENT, done)

    async def _is_done(self) -> RoundDone:
        """Finish the round: the matchmaker finds nothing more and the children report, so the
        household must report, too."""
        probe, attempt, matchmaker, round = (
            self.probe,
            self.tree.place.attempt,
            self.matchmaker,
            self._round,
        )
        probe.mark()
        changed = () if round < 1 else (0,)
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
        expected = f"RoundDone to {PARENT.name} of round {round}"
        while not isinstance(
            done := await probe.require(check, ROUNDS, expected, found), RoundDone
        ):
            await matchmaker.answer()
        exchanged = {*changed, *self.partners.exchanged}
        right = done.count.households == 3 and exchanged <= set(done.changed)
        expected += f" with 3 households, and {sorted(exchanged)} among those that changed"
        probe.note(check, ROUNDS, right, expected, shown(done))
        return done

    async def _begins(self, round: int) -> None:
        """Begin the next round, which the household must pass on."""
        probe, self._round, self.partners.exchanged = self.probe, round, set()
        everything = tuple(range(len(self.held))) if round else ()
        following = NextRound(round, everything, self._scale)
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

    # -- offers and lookups -----------------------------------------------------------------------

    async def _offers(self) -> None:
        probe, matchmaker = self.probe, self.matchmaker
        await self._begins(0)
        lookup = await matchmaker.lookup("tells all its offers in round 0", "epoch 0, no wants")
        told = (lookup.epoch, lookup.round, lookup.wants) == (0, 0, ())
        probe.note(
            "tells all its offers in round 0", LOOKUPS, told, "epoch 0, no wants", shown(lookup)
        )
        self._offers_are_right()
        await probe.again("repeats a lookup until Match comes", LOOKUPS, MATCHMAKER, lookup)
        probe.mark()
        right = matchmaker.match(lookup)
        await probe.say(MATCHMAKER, replace(right, number=right.number + 1))
        await probe.say(STRANGER, right)
        await probe.settled()
        await self._silent_about_rounds("takes only Match with its number, of its matchmaker")
        await matchmaker.answer()
        await self._is_done()
        probe.mark()
        await probe.say(
            CHILDREN[1],
            RoundDone(round=-1, count=CHILD, changed=(), attempt=self.tree.place.attempt),
        )
        check = "tells a child that did not hear it what round there is"
        late = CHILDREN[1]
        await probe.expect(check, ROUNDS, NextRound, late, "0", pick=lambda said: said.round == 0)

    async def _silent_about_rounds(self, check: str) -> None:
        for child in CHILDREN:
            await self.probe.say(
                child, RoundDone(round=0, count=CHILD, changed=(), attempt=self.tree.place.attempt)
            )
        await self.probe.settled()
        self.probe.silent(check, LOOKUPS, RoundDone, PARENT, lambda done: done.round == 0)

    def _offers_are_right(self) -> None:
        """Check the offers: the values held, at the slots where the household wants another
        value."""
        offers, probe = self.matchmaker.offers, self.probe
        values = {slot: value for slot, (value, _) in offers.items()}
        wrong = {s: v for s, v in values.items() if s >= len(self.held) or v != self.held[s]}
        expected = "at each slot the value that it holds"
        probe.note("offers what it holds", LOOKUPS, not wrong, expected, f"{wrong}")
        if self._plans is None:
            return
        lowest, preferred = FLOOR * self._scale**0.5, self._plans.preferred.tolist()
        right = {
            slot: limit_named(held, wanted, lowest)
            for slot, (held, wanted) in enumerate(zip(self.held.tolist(), preferred, strict=True))
            if held != wanted
        }
        check = "offers the slots at which it does not hold what it prefers"
        probe.note(check, STAGE, set(right) == set(offers), f"{sorted(right)}", f"{sorted(offers)}")
        limits = {slot: limit for slot, (_, limit) in offers.items()}
        far = {s: x for s, x in limits.items() if abs(x - right.get(s, x)) > ROUNDING * abs(x)}
        nearest = {slot: right[slot] for slot in far}
        check = "names limits as they are to be named"
        probe.note(check, LOOKUPS, not far, f"{nearest}", f"{far}")

    async def _asks(self) -> None:
        """Check the first lookup that asks for partners."""
        terms = self.tree.place.terms.exchange
        assert terms is not None
        min_gain_kwh2, leases_max = self._enough, terms.at_once
        check, expected = (
            "looks for partners in round 1",
            f"min_gain_kwh2 {min_gain_kwh2:.6g}, leases_max 1 to {leases_max}",
        )
        lookup = await self.matchmaker.lookup(check, expected, lambda lookup: bool(lookup.wants))
        right = (
            abs(lookup.min_gain_kwh2 - min_gain_kwh2) <= ROUNDING * min_gain_kwh2
            and 1 <= lookup.leases_max <= leases_max
        )
        right = right and (lookup.round, lookup.epoch) == (1, self.matchmaker.epoch)
        self.probe.note(check, LOOKUPS, right, expected, shown(lookup))

    # -- the end ----------------------------------------------------------------------------------

    async def _is_forgotten(self) -> None:
        """Play a matchmaker that has restarted and knows no offers."""
        probe, matchmaker = self.probe, self.matchmaker
        check = "tells a matchmaker that does not know it all its offers"
        lookup = await matchmaker.lookup(check, "of round 2", lambda lookup: bool(lookup.wants))
        before = matchmaker.offers
        matchmaker.epoch += 1
        await matchmaker.answer(anew=True)
        lookup = await matchmaker.lookup(check, "epoch 0")
        same = lookup.epoch == 0 and matchmaker.offers == before
        probe.note(check, LOOKUPS, same, f"epoch 0, {len(before)} offers", shown(lookup))
        self._offers_are_right()

    async def _sums_up(self) -> Result:
        probe, tree = self.probe, self.tree
        probe.mark()
        await probe.say(PARENT, End(self._round))
        for child in CHILDREN:
            await probe.expect("passes End on", ROUNDS, End, child, f"{self._round}")
        ups = tree.ups(ITERATIONS, 0.0)
        await tree.tell(ups)
        up = await probe.expect(
            "holds in the end what it was given for what it gave, and nothing twice",
            AFTER,
            Up,
            PARENT,
            f"iteration {ITERATIONS}, size 3, the values that it holds",
            pick=lambda up: up.iteration == ITERATIONS,
            right=lambda up: up.size == 3 and np.array_equal(up.response_kwh, self.held),
        )
        await probe.again("repeats the last Up until Down comes", AFTER, PARENT, up)
        await self.partners.repeat_themselves()
        probe.mark()
        down = tree.down(ITERATIONS, up.sums)
        await probe.say(PARENT, down)
        for child in CHILDREN:
            await probe.expect("passes the last Down on", AFTER, Down, child, "approved")
        drift = float(self.held.sum() - self._schedule.sum())
        partners = self.partners
        asked = partners.asked, partners.agreed, partners.asked - partners.agreed
        return await probe.expect(
            "says what came out",
            "Joining and leaving",
            Result,
            ORCHESTRATOR_ADDRESS,
            f"requests, accepted, refused {asked}, energy_drift {drift:.6g}",
            right=lambda result: self._is_result(result, asked, drift, up.discomfort),
        )

    def _is_result(
        self, result: Result, asked: tuple[int, int, int], drift: float, discomfort: float
    ) -> bool:
        made = result.exchanged
        return (
            made is not None
            and (made.requests, made.accepted, made.refused) == asked
            and abs(made.energy_drift_kwh - drift) <= ROUNDING * max(1.0, abs(drift))
            and abs(made.discomfort_kwh - discomfort) <= ROUNDING
            and abs(result.discomfort_planned_kwh - self._discomfort) <= ROUNDING
        )
