"""Stage 1 of one household on the bus: what it says to its parent and children, and when.

Reference for subtree.py, which does the same for many. What to decide is in planner.py.
"""

from agents.member import Member, Phase
from agents.planning.plan_selection import PlanSelection
from agents.planning.tree import Overlay
from agents.planning.tree_reorganisation import Memory, due
from protocol.errors import PeerError
from protocol.messages import Address, Down, Iteration, Place, PlanningHistory, Progress, Up
from protocol.messages.planning import Aggregate
from protocol.runtime.machine import Envelope


class PlanningStage:
    """One household among parent and children.

    Invariant: in phase PLANNING it either collects its children's messages of `iteration`, or has
    sent its own and waits for its parent's answer (`_risen`).
    """

    def __init__(self, member: Member, place: Place) -> None:
        terms = place.terms
        if terms.reorganisation.strategy != "never" and len(place.roster) != place.households:
            raise PeerError("the tree may change, but not all who stand in it are named")
        self._member, self._place = member, place
        self._parent, self._children = place.parent, place.children
        self._slots = member.plans.slots
        self._planner = PlanSelection(
            member.plans.values,
            member.plans.discomforts(terms.discomfort),
            terms,
            place.households,
            member.chance(terms.seed, member.address.name),
            member.arithmetic,
        )
        self._memory = Memory(terms.reorganisation)
        self._overlay = (
            Overlay(place.roster, terms.arity, terms.reorganisation.seed) if place.roster else None
        )
        self.iteration = 0
        self.selections: list[int] = []
        self._risen, self._fresh = False, True
        self._received: dict[Address, Up] = {}
        self._early: dict[Address, Up] = {}
        self._answers: dict[Address, Down] = {}
        self._course: list[Iteration] = []

    def begin(self, now: float) -> list[Envelope]:
        """Start."""
        return self._collect(now)

    def missing(self) -> tuple[Address, ...]:
        """Whom this household waits for."""
        if not self._risen:
            return tuple(child for child in self._children if child not in self._received)
        return () if self._parent is None else (self._parent,)

    def on_up(self, sender: Address, up: Up, now: float) -> list[Envelope]:
        """A child's aggregate."""
        member = self._member
        over = member.phase not in (Phase.PLACED, Phase.PLANNING)
        if over or up.iteration < self.iteration:
            return [Envelope(member.address, sender, late_answer(self._answers, sender, up))]
        if len(up.response) != self._slots:
            raise PeerError(f"{sender} speaks of {len(up.response)} slots")
        if up.iteration == self.iteration and sender in self._children:
            if self._risen:
                return []
            self._received.setdefault(sender, up)
            if member.phase is Phase.PLACED:
                return member.begin(now)  # the start was heard by others, so it has been given
            return self._collect(now)
        if up.iteration == self.iteration + 1 and sender in self._place.roster:
            # On its way to a new tree, where this household is not yet.
            self._early[sender] = up
            return []
        raise PeerError(f"{sender} is not a child in iteration {up.iteration}")

    def _collect(self, now: float) -> list[Envelope]:
        """Go on with the iteration if all children have reported."""
        out: list[Envelope] = []
        while self._member.phase is Phase.PLANNING:  # a root without children goes on to the end
            if len(self._received) < len(self._children):
                return out + self._member.say([], now)
            ups = [self._received[child] for child in self._children]
            size = 1 + sum(up.size for up in ups)
            known = size if self.iteration == 0 else self._place.households
            aggregate = self._planner.bottom_up([up.sums for up in ups], known)
            self._received, self._risen = {}, True
            if self._parent is not None:
                up = Up(self.iteration, size, *aggregate, self._place.attempt)
                envelope = Envelope(self._member.address, self._parent, up)
                return out + self._member.say([envelope], now)
            out += self._conclude(aggregate, now)
        return out

    def _conclude(self, everybody: Aggregate, now: float) -> list[Envelope]:
        """The root: its aggregate is the global plan."""
        before = None if self._fresh else self._planner.response
        self._planner.top_down(everybody, approved=True)
        row = Iteration(self.iteration, *self._planner.summary())
        self._course.append(row)
        reorganise = due(
            self._place.terms.reorganisation,
            self.iteration,
            None if before is None else (before, everybody.response),
            self._planner.cost,
        )
        out = self._pass_on(everybody, reorganise, now)
        return [*out, self._member.to_orchestrator(Progress(row))]

    def on_down(self, sender: Address, down: Down, now: float) -> list[Envelope]:
        """The parent's answer."""
        if sender != self._parent:
            if down.iteration < self.iteration:
                return []  # from the parent of a tree that is gone
            raise PeerError(f"{sender} is not the parent of {self._member.address.name}")
        if down.iteration < self.iteration or self._member.phase is not Phase.PLANNING:
            return []
        if down.iteration > self.iteration or not self._risen:
            raise PeerError(f"{sender} answers iteration {down.iteration} before it was asked")
        if len(down.response) != self._slots:
            raise PeerError(f"{sender} speaks of {len(down.response)} slots")
        everybody = down.sums
        self._planner.top_down(everybody, down.approved)
        return self._pass_on(everybody, down.reorganise, now) + self._collect(now)

    def _pass_on(self, everybody: Aggregate, reorganise: bool, now: float) -> list[Envelope]:
        """Answer the children; the next iteration, or the end of the stage."""
        address = self._member.address
        self._answers = {
            child: Down(
                self.iteration,
                *everybody,
                approved=flag,
                reorganise=reorganise,
                attempt=self._place.attempt,
            )
            for child, flag in zip(self._children, self._planner.flags, strict=True)
        }
        out = [Envelope(address, child, down) for child, down in self._answers.items()]
        self.selections.append(self._planner.selected)
        if self._overlay is not None:
            self._memory.note(self.iteration, self._planner.selected)
        if self.iteration + 1 == self._place.terms.iterations:
            course = (
                PlanningHistory(tuple(self._course), self._planner.response)
                if self._course
                else None
            )
            return out + self._member.planned(self._planner.selected, course, now)
        if reorganise and self._overlay is not None:
            self._overlay.reorganise()
            self._parent, self._children = self._overlay.parent_and_children(address)
            self._planner.start_anew(self._memory.reorganise(self.iteration))
        self._fresh = reorganise
        self.iteration += 1
        self._risen = False
        self._received = {}
        if self._early:
            early, self._early = self._early, {}
            self._received = {child: early[child] for child in self._children if child in early}
        return out


def late_answer(answers: dict[Address, Down], sender: Address, up: Up) -> Down:
    """For a child that has not heard the answer of an iteration that is over here."""
    answer = answers.get(sender)
    if answer is None or answer.iteration != up.iteration:
        raise PeerError(f"{sender} speaks of iteration {up.iteration}, long over")
    return answer
