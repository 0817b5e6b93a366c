"""Stage 1 of one household: its messages to its parent and its children, and when it sends them.

Pure, and without timers: the household that owns a stage repeats unanswered messages. This is the
readable reference; subtree.py does the same for all households of a host at once. The plan is
selected in plan_selection.py.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from agents.feeder_sums import by_feeder, width
from agents.planning.costs import EXACT, Arithmetic
from agents.planning.java_random import JavaRandom, household_chance
from agents.planning.plan_selection import PlanSelection
from agents.planning.tree import Overlay
from agents.planning.tree_reorganisation import Memory, due
from agents.plans import Plans
from protocol.errors import PeerError
from protocol.messages import (
    Address,
    Aggregate,
    Down,
    Iteration,
    Place,
    PlanningHistory,
    Progress,
    Up,
)
from protocol.runtime.machine import Envelope
from protocol.terms import Terms
from protocol.vectors import Array


@dataclass(frozen=True, slots=True)
class Participant:
    """A household as stage 1 sees it: its address, its plans, and its arithmetic."""

    address: Address
    orchestrator: Address
    plans: Plans
    arithmetic: Arithmetic = EXACT
    chance: Callable[[int, str], JavaRandom] = household_chance
    """Makes the generator for ties from a seed and a household's name."""
    loop: int = 0
    """Number of exchanges that are over (replanning.py)."""
    selected: int = -1
    """Index of the plan that the first iteration keeps; -1 for none."""

    def iterations(self, terms: Terms) -> range:
        """Return the iterations up to the next exchange."""
        every = terms.exchange_every or terms.iterations
        return range(self.loop * every, min((self.loop + 1) * every, terms.iterations))

    def selection(self, place: Place) -> PlanSelection:
        """Return the plan selection of this household at a place, before the first iteration."""
        return PlanSelection(
            plans=by_feeder(self.plans.values, place.terms),
            discomforts=self.discomforts(place.terms),
            terms=place.terms,
            households=place.households,
            chance=self.chance(place.terms.seed, self.address.name),
            arithmetic=self.arithmetic,
            selected=self.selected,
        )

    def discomforts(self, terms: Terms) -> Array:
        """Return the discomfort of each plan as stage 1 weighs it, float64[k]."""
        own = self.arithmetic.own_discomfort
        return self.plans.discomforts(terms.discomfort) if own is None else own(self.plans)


class PlanningResult(NamedTuple):
    """The end of stage 1 for one household."""

    selected: int
    """Index of the selected plan."""
    history: PlanningHistory | None
    """The iterations in which this household was the root; None if it never was."""
    generator_state: int
    """The state of the generator that breaks ties."""


class Planning(Protocol):
    """Stage 1 of one household, as its household sees it.

    A call returns the messages to send. Afterwards `take_changed` names the households whose state
    has changed; each of them then reads its own stage.
    """

    begun: bool
    """True once this household knows that stage 1 has started."""

    @property
    def iteration(self) -> int:
        """The present iteration, from 0."""
        ...

    @property
    def selections(self) -> list[int]:
        """The selected plan after each iteration so far."""
        ...

    @property
    def unanswered(self) -> Envelope | None:
        """The message to repeat until the parent answers."""
        ...

    @property
    def result(self) -> PlanningResult | None:
        """The result once the last iteration is over, else None."""
        ...

    @property
    def missing(self) -> tuple[Address, ...]:
        """The neighbours whose messages are missing."""
        ...

    def begin(self) -> list[Envelope]:
        """Start stage 1, after the orchestrator's Go."""
        ...

    def on_up(self, sender: Address, up: Up) -> list[Envelope]:
        """Take a child's sums. Raises PeerError if they are not due from that sender."""
        ...

    def on_down(self, sender: Address, down: Down) -> list[Envelope]:
        """Take the parent's answer. Raises PeerError if it is not due from that sender."""
        ...

    def take_changed(self) -> list[Address]:
        """Return the households that wait for another message, or have finished, since the last
        call; in the order in which they act on it."""
        ...


class PlanningStage:
    """One household between its parent and its children.

    Invariant: from `begin` to `result` it either collects its children's Up messages of
    `iteration`, or has sent its own (`unanswered`) and waits for its parent's answer.
    """

    def __init__(self, participant: Participant, place: Place) -> None:
        """Set up stage 1 at a place. Raises PeerError if the tree may change and `place` does not
        name all households."""
        terms = place.terms
        if terms.reorganisation.strategy != "never" and len(place.roster) != place.households:
            raise PeerError("the tree may change, but the roster does not name all households")
        self._place = place
        self._address, self._orchestrator = participant.address, participant.orchestrator
        self._width = width(participant.plans.slots, terms)
        self._parent, self._children = place.parent, place.children
        self._selection = participant.selection(place)
        self._memory = Memory(terms.reorganisation)
        changes = terms.reorganisation.strategy != "never"
        self._overlay = (
            Overlay(place.roster, terms.arity, terms.reorganisation.seed) if changes else None
        )
        self._iterations = participant.iterations(terms)
        self.begun = False
        self.iteration = self._iterations.start
        self.selections: list[int] = []
        self.unanswered: Envelope | None = None
        self.result: PlanningResult | None = None
        self._changed = False
        self._first_on_tree = True
        """True in the first iteration on a tree."""
        self._received: dict[Address, Up] = {}
        self._early: dict[Address, Up] = {}
        """Up messages from children on the next tree."""
        self._answers: dict[Address, Down] = {}
        """The answers of the last iteration, for children that have missed them."""
        self._history: list[Iteration] = []
        self._summed: Array | None = None
        """The global plan after the first iteration, if that one kept all plans."""

    @property
    def missing(self) -> tuple[Address, ...]:
        """The neighbours whose messages are missing."""
        if self.unanswered is not None:
            return (self.unanswered.to,)
        return tuple(child for child in self._children if child not in self._received)

    def take_changed(self) -> list[Address]:
        """Return this household's address if its state has changed since the last call."""
        changed, self._changed = self._changed, False
        return [self._address] if changed else []

    def begin(self) -> list[Envelope]:
        """Start stage 1."""
        self.begun = True
        return self._collect()

    def on_up(self, sender: Address, up: Up) -> list[Envelope]:
        """Take a child's sums; answer again if the iteration is over."""
        if self.result is not None or up.iteration < self.iteration:
            return [Envelope(self._address, sender, late_answer(self._answers, sender, up))]
        if len(up.response_kwh) != self._width:
            raise PeerError(f"{sender} speaks of {len(up.response_kwh)} slots")
        if up.iteration == self.iteration and sender in self._children:
            if self.unanswered is not None:
                return []
            self._received.setdefault(sender, up)
            # If this household missed the start, a child that has begun has heard it.
            return self.begin()
        if up.iteration == self.iteration + 1 and sender in self._place.roster:
            # The sender is already on the next tree; this household is not.
            self._early[sender] = up
            return []
        raise PeerError(f"{sender} is not a child in iteration {up.iteration}")

    def _collect(self) -> list[Envelope]:
        """Go on with the iteration if all children have reported."""
        self._changed = True
        out: list[Envelope] = []
        while self.result is None:  # a root without children goes on until the end
            if len(self._received) < len(self._children):
                return out
            ups = [self._received[child] for child in self._children]
            size = 1 + sum(up.size for up in ups)
            known = size if self.iteration == 0 else self._place.households
            sums = self._selection.bottom_up([up.sums for up in ups], known)
            self._received = {}
            if self._parent is not None:
                up = Up(self.iteration, size, *sums, attempt=self._place.attempt)
                self.unanswered = Envelope(self._address, self._parent, up)
                return [*out, self.unanswered]
            out += self._conclude(sums)
        return out

    def _conclude(self, total: Aggregate) -> list[Envelope]:
        """Finish an iteration at the root, whose sums cover all households."""
        before = None if self._first_on_tree else self._selection.response
        self._selection.top_down(total, approved=True)
        row = Iteration(self.iteration, *self._selection.summary())
        self._history.append(row)
        if self.iteration and self.iteration == self._iterations.start:
            self._summed = total.response
        reorganise = due(
            self._place.terms.reorganisation,
            self.iteration,
            None if before is None else (before, total.response),
            cost=self._selection.cost,
        )
        out = self._pass_on(total, reorganise)
        return [*out, Envelope(self._address, self._orchestrator, Progress(row))]

    def on_down(self, sender: Address, down: Down) -> list[Envelope]:
        """Take the parent's answer: answer the children, and go on to the next iteration."""
        if sender != self._parent:
            if down.iteration < self.iteration:
                return []  # from the parent in an earlier tree
            raise PeerError(f"{sender} is not the parent of {self._address.name}")
        if down.iteration < self.iteration or self.result is not None:
            return []
        if down.iteration > self.iteration or self.unanswered is None:
            raise PeerError(f"{sender} answers iteration {down.iteration} before it was asked")
        check_answer(sender, down, self._width, first=self._first_on_tree)
        self._selection.top_down(down.sums, down.approved)
        return self._pass_on(down.sums, down.reorganise) + self._collect()

    def _pass_on(self, total: Aggregate, reorganise: bool) -> list[Envelope]:
        """Answer the children; go on to the next iteration, or end the stage."""
        flags = self._selection.flags
        self._answers = {
            child: Down(
                self.iteration,
                *total,
                approved=flag,
                reorganise=reorganise,
                attempt=self._place.attempt,
            )
            for child, flag in zip(self._children, flags, strict=True)
        }
        out = [Envelope(self._address, child, down) for child, down in self._answers.items()]
        self.unanswered, selected = None, self._selection.selected
        self.selections.append(selected)
        if self._overlay is not None:
            self._memory.note(self.iteration, selected)
        if self.iteration + 1 == self._iterations.stop:
            self.result = PlanningResult(
                selected,
                planning_history(self._history, self._selection.response, self._summed),
                generator_state=self._selection.generator_state,
            )
            return out
        if reorganise and self._overlay is not None:
            self._overlay.reorganise()
            self._parent, self._children = self._overlay.parent_and_children(self._address)
            self._selection.start_anew(self._memory.reorganise(self.iteration))
        self._first_on_tree = reorganise
        self.iteration += 1
        early, self._early = self._early, {}
        self._received = {child: early[child] for child in self._children if child in early}
        return out


def planning_history(
    iterations: Sequence[Iteration], response: Array, summed: Array | None
) -> PlanningHistory | None:
    """Return the history of the iterations that a root has seen, or None if there are none."""
    return PlanningHistory(tuple(iterations), response, summed) if iterations else None


def check_answer(sender: Address, down: Down, slots: int, *, first: bool) -> None:
    """Raise PeerError if a parent's answer is not about as many slots, or refuses the choice of the
    first iteration on a tree, before which there is none to return to."""
    if len(down.response_kwh) != slots:
        raise PeerError(f"{sender} speaks of {len(down.response_kwh)} slots")
    if first and not down.approved:
        raise PeerError(f"{sender} does not approve the first iteration")


def late_answer(answers: dict[Address, Down], sender: Address, up: Up) -> Down:
    """Return the kept answer for a child that repeats an Up of a finished iteration. Raises
    PeerError if there is none."""
    answer = answers.get(sender)
    if answer is None or answer.iteration != up.iteration:
        raise PeerError(f"{sender} speaks of iteration {up.iteration}, long over")
    return answer
