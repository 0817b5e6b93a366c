"""Scripts of stage 1: the tested household as a leaf, as the root, and between parent and children.

If its plans are known, its decisions are compared with those of our own planner.
"""

from collections.abc import Callable, Sequence

import numpy as np

from agents.plans import Plans
from orchestrator.coordination.nodes import ORCHESTRATOR_ADDRESS
from orchestrator.validation.conformance.household_probe import HouseholdProbe, shown
from orchestrator.validation.conformance.roles import (
    CHILDREN,
    ITERATIONS,
    PARENT,
    STRANGER,
    Twin,
    near,
)
from protocol.messages import Down, Go, Place, Up
from protocol.messages.planning import Aggregate
from protocol.vectors import Array

TREE, DECISIONS = "Stage 1: along the tree", "Decisions of stage 1"
AWAY = 8.0
"""Multiple of the household's own plan that all others seem to use, which makes another plan
better."""


class PlanningScript:
    """The tree around the tested household in one attempt, and the expected decisions."""

    def __init__(
        self, probe: HouseholdProbe, place: Place, plans: Plans | None, slots: int
    ) -> None:
        self.probe, self.place, self.slots = probe, place, slots
        self._twin = None if plans is None else Twin(probe.household, plans, place)

    def ups(self, iteration: int, scale: float = 1.0) -> list[Up]:
        """Return the children's sums, which differ by child and iteration; with `scale` 0 they use
        nothing."""
        slots, attempt = np.arange(self.slots), self.place.attempt
        return [
            Up(
                iteration=iteration,
                size=1,
                response_kwh=scale * (1.0 + np.sin(slots * (number + 1) + iteration)),
                discomfort=scale * 0.25,
                discomfort_squares=scale * 0.0625,
                attempt=attempt,
            )
            for number in range(len(self.place.children))
        ]

    async def tell(self, ups: Sequence[Up]) -> None:
        """Send the children's sums."""
        for child, up in zip(CHILDREN, ups, strict=True):
            await self.probe.say(child, up)

    async def rises(self, check: str, iteration: int, ups: Sequence[Up]) -> Up:
        """Wait for the household's Up of this iteration, and check it."""
        size, attempt = 1 + len(ups), self.place.attempt
        up = await self.probe.expect(
            check,
            TREE,
            Up,
            PARENT,
            f"iteration {iteration}, size {size}, {self.slots} slots, attempt {attempt}",
            pick=lambda up: (up.iteration, up.attempt) == (iteration, attempt),
            right=lambda up: up.size == size and len(up.response_kwh) == self.slots,
        )
        self.decided(ups, up.sums, shown(up))
        return up

    def decided(self, ups: Sequence[Up], sums: Aggregate, came: str) -> None:
        """Check that the sums of its subtree result from the right decisions."""
        check = "chooses the plan that is to be chosen"
        if self._twin is None:
            self.probe.note(check, DECISIONS, None, "to know its plans: --plans FILE", "")
            return
        right = self._twin.bottom_up(list(ups))
        plan = ", ".join(f"{value:.6g}" for value in right.response[:4])
        expected = f"response [{plan}, ...], discomfort {right.discomfort:.9g}"
        self.probe.note(check, DECISIONS, near(sums, right), expected, came)

    async def answer(self, iteration: int, everybody: Aggregate, approved: bool = True) -> Down:
        """Send the parent's answer."""
        down = self.down(iteration, everybody, approved)
        await self.probe.say(PARENT, down)
        if self._twin is not None:
            self._twin.top_down(everybody, approved)
        return down

    def down(
        self, iteration: int, everybody: Aggregate, approved: bool = True, attempt: int = 0
    ) -> Down:
        """Return a Down, of this attempt unless another is named."""
        attempt = attempt or self.place.attempt
        return Down(iteration, *everybody, approved=approved, reorganise=False, attempt=attempt)

    async def passes_on(self, iteration: int, told: Aggregate, flags: Sequence[bool]) -> None:
        """Check its Down to each child: the same sums, and the approval of the child's change."""
        for child, flag in zip(CHILDREN, flags, strict=True):
            await self.probe.expect(
                "passes Down on to its children",
                TREE,
                Down,
                child,
                f"iteration {iteration}, the sums over all, approved {flag}",
                pick=self.of(iteration),
                right=_stands(told, flag),
            )

    def of(self, iteration: int) -> "Picker":
        """Return a filter for the Down messages of one iteration of this attempt."""
        return Picker(iteration, self.place.attempt)

    def approval(self, everybody: Aggregate) -> tuple[bool, ...] | None:
        """Return the right approvals of the children's changes at the root, or None if the plans
        are unknown."""
        return None if self._twin is None else self._twin.top_down(everybody, approved=True)


def _stands(told: Aggregate, flag: bool) -> Callable[[Down], bool]:
    return lambda down: down.approved is flag and near(down.sums, told)


class Picker:
    """A filter for messages of one iteration of one attempt."""

    def __init__(self, iteration: int, attempt: int) -> None:
        self._of = iteration, attempt

    def __call__(self, said: Up | Down) -> bool:
        """Return True if the message belongs to the iteration and the attempt."""
        return (said.iteration, said.attempt) == self._of


def elsewhere(own: Array, sums: Aggregate) -> Aggregate:
    """Return sums over all households in which the others seem to use much of this plan."""
    return Aggregate(sums.response + AWAY * own, sums.discomfort + 1.0, sums.discomfort_squares + 1)


async def as_leaf(tree: PlanningScript) -> None:
    """Test a household that has been placed as a leaf: Up, repetitions, and messages it must
    ignore."""
    probe, slots = tree.probe, tree.slots
    probe.mark()
    await probe.say(ORCHESTRATOR_ADDRESS, Go(tree.place.attempt))
    first = said = await tree.rises("begins with Up after Go", 0, [])
    squares = first.discomfort**2
    probe.note(
        "the squares in a leaf's Up are its discomfort, squared",
        TREE,
        abs(first.discomfort_squares - squares) <= 1e-9 * max(1.0, squares),
        f"discomfort_squares about {squares:.6g}",
        shown(first),
    )
    await probe.again("repeats Up until Down comes", TREE, PARENT, first)
    everybody = elsewhere(first.response_kwh, first.sums)
    probe.mark()
    await probe.say(STRANGER, tree.down(0, everybody))
    await probe.say(PARENT, tree.down(0, everybody, attempt=tree.place.attempt + 5))
    await probe.say(PARENT, tree.down(2, everybody))
    await probe.say(PARENT, tree.down(0, Aggregate(np.zeros(slots + 1), 0.0, 0.0)))
    await probe.settled()
    check = "hears no Down of a stranger, of another attempt, iteration or length"
    probe.silent(check, TREE, Up, PARENT, lambda up: up.iteration > 0)
    for iteration, approved in ((0, True), (1, False)):
        probe.mark()
        down = await tree.answer(iteration, elsewhere(first.response_kwh, said.sums), approved)
        said = await tree.rises("goes on with the next Up after Down", iteration + 1, [])
        await probe.say(PARENT, down)
        await probe.settled()
        beyond = Picker(iteration + 2, tree.place.attempt)
        probe.silent("ignores a doubled Down", TREE, Up, PARENT, beyond)
    probe.mark()
    await tree.answer(ITERATIONS - 1, elsewhere(first.response_kwh, said.sums))


async def as_root(tree: PlanningScript) -> None:
    """Test the household as the root: it adds up all households, and approves the changes
    itself."""
    probe = tree.probe
    for iteration in range(ITERATIONS):
        probe.mark()
        if not iteration:
            await probe.say(ORCHESTRATOR_ADDRESS, Go(tree.place.attempt))
        ups = tree.ups(iteration)
        await tree.tell(ups)
        told = await probe.expect(
            "as the root it answers with the sums over all",
            TREE,
            Down,
            CHILDREN[0],
            f"iteration {iteration}, {tree.slots} slots, attempt {tree.place.attempt}",
            pick=tree.of(iteration),
            right=lambda down: len(down.response_kwh) == tree.slots,
        )
        everybody = told.sums
        tree.decided(ups, everybody, shown(told))
        flags = tree.approval(everybody)
        if flags is not None:
            await tree.passes_on(iteration, everybody, flags)
        if not iteration:
            probe.mark()
            await probe.say(CHILDREN[0], ups[0])
            check = "answers a doubled Up of an iteration that is over with the same Down"
            await probe.expect(check, TREE, Down, CHILDREN[0], "iteration 0", pick=tree.of(0))


async def as_inner(tree: PlanningScript) -> Up:
    """Test the household between a parent and children that use nothing, so that the sums are its
    own plan.

    Returns its sums of the last iteration. Go does not reach it.
    """
    probe, first = tree.probe, np.zeros(tree.slots)
    for iteration in range(ITERATIONS):
        ups = tree.ups(iteration, 0.0)
        if not iteration:
            await _begins_by_itself(tree, ups)
        else:
            probe.mark()
            await tree.tell(ups)
        said = await tree.rises("sums up its children and itself", iteration, ups)
        if not iteration:
            first = said.response_kwh
        probe.mark()
        await probe.say(CHILDREN[1], ups[1])
        await probe.settled()
        check = "does not answer a doubled Up of the running iteration before Down comes"
        probe.silent(check, TREE, Down, CHILDREN[1], lambda down: True)
        probe.mark()
        approved = iteration != 1
        everybody = elsewhere(first, said.sums)
        await tree.answer(iteration, everybody, approved)
        if (
            iteration < 2
        ):  # after that the children's changes need not be approved together with its own
            await tree.passes_on(iteration, everybody, [approved] * 2)
    check, last = "answers its children after the last iteration", tree.of(ITERATIONS - 1)
    await probe.expect(check, TREE, Down, CHILDREN[0], "the last Down", pick=last)
    probe.mark()
    await probe.say(CHILDREN[0], ups[0])
    check = "answers in stage 2 a child that did not hear the last Down of stage 1"
    await probe.expect(check, TREE, Down, CHILDREN[0], "the last Down", pick=last)
    return said


async def _begins_by_itself(tree: PlanningScript, ups: Sequence[Up]) -> None:
    probe = tree.probe
    probe.mark()
    old = Up(
        iteration=0,
        size=1,
        response_kwh=ups[0].response_kwh,
        discomfort=0.0,
        discomfort_squares=0.0,
        attempt=tree.place.attempt - 1,
    )
    await probe.say(CHILDREN[0], old)
    await probe.say(CHILDREN[1], old)
    await probe.say(STRANGER, ups[0])
    await probe.settled()
    check = "hears no Up of another attempt, or of who is not its child"
    probe.silent(check, TREE, Up, PARENT, tree.of(0))
    await tree.tell(ups)
