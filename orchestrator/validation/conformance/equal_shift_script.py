"""Script of stage 2 by the equal shift: one sum up the tree, and one division down.

The children take part at some slots and have an excess of their own, so that the division leaves a
rest there.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from agents.exchange.equal_shift import divide, excess_of
from agents.plans import Plans
from orchestrator.validation.conformance.checks import StuckError
from orchestrator.validation.conformance.expected_state import ExpectedState
from orchestrator.validation.conformance.final_sum_script import ROUNDING, FinalSumScript
from orchestrator.validation.conformance.household_probe import shown
from orchestrator.validation.conformance.planning_script import PlanningScript
from orchestrator.validation.conformance.roles import CHILDREN, PARENT, STRANGER
from protocol.messages import Excess, Result, Shares, Up
from protocol.messages.equal_shift import UNIT_KWH
from protocol.vectors import Array, Int64Array

SECTION = "Equal shift"
MUCH_KWH = 1024.0
"""Energy that is more than anybody uses in a slot, kWh."""


class EqualShiftScript:
    """The equal shift of the tested household between a parent and two children."""

    def __init__(self, tree: PlanningScript, planned: Up, plans: Plans | None) -> None:
        """Set up the script. `planned` has the household's sums at the end of stage 1."""
        self._tree, self._probe, self._planned, self._plans = tree, tree.probe, planned, plans
        self._attempt, self._slots = tree.place.attempt, tree.slots
        self._parts = [self._of_child(number) for number in range(len(CHILDREN))]
        self._shared = [np.zeros(self._slots, np.int64)] * len(CHILDREN)
        """The right shares of each child, once they are known."""

    async def run(self) -> Result:
        """Run stage 2, from the children's sums to the result."""
        risen = await self._rises()
        takers, own = await self._takes_part(risen)
        moved = await self._shares(risen, takers, own)
        held = self._planned.response_kwh + moved * UNIT_KWH
        final = FinalSumScript(self._tree, ExpectedState(held), self._planned)
        return await final.sums_up(
            "holds its share in the end, taken once",
            self._repeat,
            tolerance_kwh=ROUNDING,
            clipped=lambda held: self._clipped(held, takers),
        )

    def _of_child(self, number: int) -> Excess:
        """Return the sums of a child: the second takes part at every other slot."""
        takers = np.ones(self._slots, np.int64)
        takers[1::2] = 1 - number
        excess = (np.arange(self._slots) * 1001 - 7000 * number) * takers
        return Excess(households=1, takers=takers, excess=excess, attempt=self._attempt)

    # -- up ---------------------------------------------------------------------------------------

    async def _rises(self) -> Excess:
        """Check what the household adds up, and when it says so."""
        probe, (first, second) = self._probe, self._parts
        probe.mark()
        await probe.say(CHILDREN[0], first)
        for wrong in (
            replace(second, attempt=self._attempt + 1),
            replace(second, excess=np.zeros(self._slots + 1, np.int64)),
            replace(second, takers=second.takers + 1),
        ):
            await probe.say(CHILDREN[1], wrong)
        await probe.say(STRANGER, second)
        await probe.settled()
        check = "waits for the sums of its children; hears none of a stranger or of nonsense"
        probe.silent(
            check,
            SECTION,
            Excess,
            PARENT,
            lambda said: said.attempt == self._attempt,
            ever=True,
        )
        await probe.say(CHILDREN[1], second)
        await probe.say(CHILDREN[0], first)
        await probe.settled()
        check = "answers no sum before it knows the shares"
        probe.silent(check, SECTION, Shares, CHILDREN[0], lambda said: True)
        risen = await probe.expect(
            "adds up the sums of its children and its own",
            SECTION,
            Excess,
            PARENT,
            f"households 3, {self._slots} slots, attempt {self._attempt}",
            right=lambda said: (
                (said.households, said.attempt) == (3, self._attempt)
                and len(said.takers) == len(said.excess) == self._slots
            ),
        )
        if not len(risen.takers) == len(risen.excess) == self._slots:
            raise StuckError("adds up")
        await probe.again("repeats its sum until Shares comes", SECTION, PARENT, risen)
        return risen

    async def _takes_part(self, risen: Excess) -> tuple[Int64Array, Int64Array]:
        """Check the household's own part of its sums; return where it takes part, and its excess,
        int64[d] each."""
        takers = risen.takers - sum(part.takers for part in self._parts)
        own = risen.excess - sum(part.excess for part in self._parts)
        right = bool(np.isin(takers, (0, 1)).all()) and not own[takers == 0].any()
        expected = "takers 0 or 1 for itself, no excess where it takes no part"
        self._probe.note(
            "takes part at a slot or not", SECTION, right, expected, f"{takers[:4]}, {own[:4]}"
        )
        check = "names the energy that it has beyond its preferred plan"
        if self._plans is None:
            self._probe.note(check, SECTION, None, "to know its plans: --plans FILE", "")
        else:
            excess = excess_of(self._planned.response_kwh, self._plans.preferred, takers)
            came = shown(risen)
            self._probe.note(check, SECTION, bool((own == excess).all()), f"{excess[:4]}", came)
        return takers, own

    # -- down -------------------------------------------------------------------------------------

    async def _shares(self, risen: Excess, takers: Int64Array, own: Int64Array) -> Int64Array:
        """Give the subtree its shares, and check how the household divides them.

        Returns the change of its own schedule, int64[d], in units.
        """
        probe, slots = self._probe, self._slots
        # Divided by two or three there is a rest at many slots; at the first, all end below zero.
        given = np.arange(slots) * 500 - 3000 + np.arange(slots) % 3
        given[0] = -MUCH_KWH / UNIT_KWH
        given *= risen.takers > 0
        shares = Shares(given, attempt=self._attempt)
        probe.mark()
        await probe.say(STRANGER, shares)
        await probe.say(PARENT, replace(shares, attempt=self._attempt + 1))
        await probe.say(PARENT, replace(shares, shares=np.zeros(slots + 1, np.int64)))
        await probe.settled()
        check = "hears no Shares of a stranger, of another attempt or length"
        for child in CHILDREN:
            probe.silent(check, SECTION, Shares, child, lambda said: True)
        part, *below = divide(given, [takers, *(each.takers for each in self._parts)])
        probe.mark()
        await probe.say(PARENT, shares)
        await self._passes_on(
            "divides the shares equally, the rest in the order of the tree", below
        )
        await probe.say(PARENT, replace(shares, shares=given + 3 * (risen.takers > 0)))
        await probe.settled()
        probe.mark()
        for child, each in zip(CHILDREN, self._parts, strict=True):
            await probe.say(child, each)
        await self._passes_on("answers a repeated sum with the same shares", below)
        self._shared = below
        return np.asarray(part - own)

    async def _passes_on(self, check: str, below: Sequence[Int64Array]) -> None:
        for child, part in zip(CHILDREN, below, strict=False):
            await self._probe.expect(
                check,
                SECTION,
                Shares,
                child,
                f"shares {part[:4]}, ..., attempt {self._attempt}",
                right=self._are(part),
            )

    def _are(self, part: Int64Array) -> Callable[[Shares], bool]:
        """Return a check of the shares of one child."""
        return lambda said: said.attempt == self._attempt and np.array_equal(said.shares, part)

    async def _repeat(self) -> None:
        """Repeat a child's sum after stage 2, as a child that has missed the answer."""
        self._probe.mark()
        await self._probe.say(CHILDREN[0], self._parts[0])
        check = "answers a repeated sum with the same shares"
        await self._passes_on(check, self._shared[:1])

    def _clipped(self, held: Array, takers: Int64Array) -> tuple[int, float]:
        """Return the slots and the energy below zero that the household must report."""
        preferred = np.zeros(self._slots) if self._plans is None else self._plans.preferred
        below = (takers > 0) & (held < 0) & (preferred >= 0)
        return int(below.sum()), float(-held[below].sum())
