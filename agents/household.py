"""One household as a machine on the bus: its course through a run, and what it says to whom.

Enrolling -> placed -> planning -> reporting -> released. At any time it has at most one thing to
say again (to the orchestrator, or its aggregate to its parent) and says it until the answer shows
that it was heard; what it has already handled it ignores. What to decide is in planner.py.
"""

from collections.abc import Callable
from enum import Enum

from agents.chance import JavaRandom, household_chance
from agents.costs import EXACT, Arithmetic
from agents.planner import Aggregate, Planner
from agents.plans import Plans
from agents.reorganisation import Memory, due
from agents.tree import Overlay
from protocol.errors import PeerError
from protocol.machine import Envelope
from protocol.messages import (
    Abort,
    Address,
    Course,
    Down,
    Enrol,
    Go,
    Iteration,
    Left,
    Message,
    Place,
    Progress,
    Ready,
    Release,
    Result,
    Up,
    Waiting,
)

RESEND_AFTER = 0.5
"""Seconds until something unanswered is said again, at least; three times what the last answer took
if that is longer; doubled each time, up to RESEND_AT_MOST."""
RESEND_AT_MOST = 4.0


class Phase(Enum):
    """Where a household is in its course through a run."""

    ENROLLING = "enrolling"
    PLACED = "placed"
    PLANNING = "planning"
    REPORTING = "reporting"
    RELEASED = "released"
    ABORTED = "aborted"


class Household:
    """A household of one run.

    Invariant: in phase PLANNING it either collects its children's messages of `iteration`, or has
    sent its own and waits for its parent's answer (`_risen`).
    """

    def __init__(
        self,
        address: Address,
        orchestrator: Address,
        plans: Plans,
        *,
        arithmetic: Arithmetic = EXACT,
        chance: Callable[[int, str], JavaRandom] = household_chance,
    ) -> None:
        self.address, self.plans = address, plans
        self.phase = Phase.ENROLLING
        self.reason = ""
        """Why the run was aborted."""
        self.selections: list[int] = []
        """The selected plan after each iteration."""
        self._orchestrator, self._arithmetic, self._chance = orchestrator, arithmetic, chance
        self._saying: list[Envelope] = []
        self._say_again: float | None = None
        self._wait = RESEND_AFTER
        self._said_at = self._round_trip = 0.0
        self._complain: float | None = None
        self._patience = RESEND_AT_MOST
        self._place: Place | None = None
        self._slots = plans.slots

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do for this household."""
        return self.phase in (Phase.RELEASED, Phase.ABORTED)

    # -- the machine ------------------------------------------------------------------------------

    def handle(self, envelope: Envelope, now: float) -> list[Envelope]:
        """Answer one message."""
        sender, message = envelope.sender, envelope.message
        match message:
            case Up():
                return self._on_up(sender, message, now)
            case Down():
                return self._on_down(sender, message, now)
            case Place() | Go() | Release() | Abort() if sender != self._orchestrator:
                raise PeerError(f"{sender} is not the orchestrator of {self.address.name}")
            case Place():
                return self._on_place(message, now)
            case Go():
                return self._begin(now) if self.phase is Phase.PLACED else []
            case Release():
                if self.phase not in (Phase.REPORTING, Phase.RELEASED):
                    raise PeerError("released before the end")
                self._leave(Phase.RELEASED)
                return [self._to_orchestrator(Left())]
            case Abort():
                self.reason = message.reason
                self._leave(Phase.ABORTED)
                return []
            case _:
                raise PeerError(f"{type(message).__name__} is not for a household")

    def tick(self, now: float) -> list[Envelope]:
        """Say again what is unanswered; tell the orchestrator when that lasts too long."""
        out: list[Envelope] = []
        if self.phase is Phase.ENROLLING and not self._saying:
            return self._say([self._to_orchestrator(Enrol(self._slots))], now)
        if self._say_again is not None and now >= self._say_again:
            out += self._saying
            self._wait = min(2 * self._wait, RESEND_AT_MOST)
            self._say_again = now + self._wait
        if self._complain is not None and now >= self._complain:
            self._complain = now + self._patience
            missing = self._missing()
            if missing:
                at = self._iteration if self.phase is Phase.PLANNING else -1
                out.append(self._to_orchestrator(Waiting(at, missing)))
        return out

    def next_deadline(self) -> float | None:
        """When something is to be said again."""
        if self._say_again is None or self._complain is None:
            return self._say_again if self._complain is None else self._complain
        return min(self._say_again, self._complain)

    # -- joining and leaving ----------------------------------------------------------------------

    def _on_place(self, place: Place, now: float) -> list[Envelope]:
        if self.phase is not Phase.ENROLLING:
            return []
        terms = place.terms
        if terms.target is not None and len(terms.target) != self._slots:
            raise PeerError(f"a target of {len(terms.target)} slots for {self._slots}")
        self._place, self._parent, self._children = place, place.parent, place.children
        self._planner = Planner(
            self.plans.values,
            self.plans.discomforts(terms.discomfort),
            terms,
            place.households,
            self._chance(terms.seed, self.address.name),
            self._arithmetic,
        )
        self._patience = terms.patience
        self._memory = Memory(terms.reorganisation)
        self._overlay = (
            Overlay(place.roster, terms.arity, terms.reorganisation.seed) if place.roster else None
        )
        self._iteration, self._risen, self._fresh = 0, False, True
        self._received: dict[Address, Up] = {}
        self._early: dict[Address, Up] = {}
        self._answers: dict[Address, Down] = {}
        self._course: list[Iteration] = []
        self.phase = Phase.PLACED
        return self._say([self._to_orchestrator(Ready())], now)

    def _begin(self, now: float) -> list[Envelope]:
        self.phase = Phase.PLANNING
        return self._collect(now)

    def _leave(self, phase: Phase) -> None:
        self.phase, self._saying, self._say_again, self._complain = phase, [], None, None

    # -- stage 1 ----------------------------------------------------------------------------------

    def _on_up(self, sender: Address, up: Up, now: float) -> list[Envelope]:
        if self._place is None:
            raise PeerError("no place in the tree yet")
        if up.iteration < self._iteration or self.phase is Phase.REPORTING or self.finished:
            # The child has not heard the answer of an iteration that is over here.
            answer = self._answers.get(sender)
            if answer is None or answer.iteration != up.iteration:
                raise PeerError(f"{sender} speaks of iteration {up.iteration}, long over")
            return [Envelope(self.address, sender, answer)]
        if len(up.response) != self._slots:
            raise PeerError(f"{sender} speaks of {len(up.response)} slots")
        if up.iteration == self._iteration and sender in self._children:
            if self._risen:
                return []
            self._received.setdefault(sender, up)
            if self.phase is Phase.PLACED:
                return self._begin(now)  # the start was heard by others, so it has been given
            return self._collect(now)
        if up.iteration == self._iteration + 1 and sender in self._place.roster:
            # On its way to a new tree, where this household is not yet.
            self._early[sender] = up
            return []
        raise PeerError(f"{sender} is not a child in iteration {up.iteration}")

    def _collect(self, now: float) -> list[Envelope]:
        """Go on with the iteration if all children have reported."""
        assert self._place is not None
        if len(self._received) < len(self._children):
            return self._say([], now)
        ups = [self._received[child] for child in self._children]
        size = 1 + sum(up.size for up in ups)
        known = size if self._iteration == 0 else self._place.households
        aggregate = self._planner.rise(
            [Aggregate(up.response, up.discomfort, up.discomfort_squares) for up in ups], known
        )
        self._received, self._risen = {}, True
        if self._parent is None:
            return self._conclude(aggregate, now)
        up = Up(self._iteration, size, *aggregate)
        return self._say([Envelope(self.address, self._parent, up)], now)

    def _conclude(self, everybody: Aggregate, now: float) -> list[Envelope]:
        """The root: its aggregate is the global plan."""
        assert self._place is not None
        before = None if self._fresh else self._planner.response
        self._planner.settle(everybody, approved=True)
        row = Iteration(self._iteration, *self._planner.summary())
        self._course.append(row)
        reorganise = due(
            self._place.terms.reorganisation,
            self._iteration,
            None if before is None else (before, everybody.response),
            self._planner.cost,
        )
        out = self._pass_on(everybody, reorganise, now)
        return [*out, self._to_orchestrator(Progress(row))]

    def _on_down(self, sender: Address, down: Down, now: float) -> list[Envelope]:
        if self._place is None or sender != self._parent:
            if self._place is not None and down.iteration < self._iteration:
                return []  # from the parent of a tree that is gone
            raise PeerError(f"{sender} is not the parent of {self.address.name}")
        if down.iteration < self._iteration or self.phase is not Phase.PLANNING:
            return []
        if down.iteration > self._iteration or not self._risen:
            raise PeerError(f"{sender} answers iteration {down.iteration} before it was asked")
        if len(down.response) != self._slots:
            raise PeerError(f"{sender} speaks of {len(down.response)} slots")
        everybody = Aggregate(down.response, down.discomfort, down.discomfort_squares)
        self._planner.settle(everybody, down.approved)
        return self._pass_on(everybody, down.reorganise, now)

    def _pass_on(self, everybody: Aggregate, reorganise: bool, now: float) -> list[Envelope]:
        """Answer the children, then begin the next iteration or end the stage."""
        assert self._place is not None
        self._answers = {
            child: Down(self._iteration, *everybody, approved=flag, reorganise=reorganise)
            for child, flag in zip(self._children, self._planner.flags, strict=True)
        }
        out = [Envelope(self.address, child, down) for child, down in self._answers.items()]
        self.selections.append(self._planner.selected)
        self._memory.note(self._iteration, self._planner.selected)
        if self._iteration + 1 == self._place.terms.iterations:
            return out + self._report(now)
        if reorganise and self._overlay is not None:
            self._overlay.reorganise()
            self._parent, self._children = self._overlay.parent_and_children(self.address)
            self._planner.start_anew(self._memory.reorganise(self._iteration))
        self._fresh = reorganise
        self._iteration += 1
        self._risen = False
        early, self._early = self._early, {}
        self._received = {child: early[child] for child in self._children if child in early}
        return out + self._collect(now)

    def _report(self, now: float) -> list[Envelope]:
        assert self._place is not None
        self.phase = Phase.REPORTING
        selected = self._planner.selected
        course = Course(tuple(self._course), self._planner.response) if self._course else None
        result = Result(
            selected,
            self._place.terms.beta,
            float(self.plans.discomforts("rmse")[selected]),
            course,
        )
        return self._say([self._to_orchestrator(result)], now)

    # -- saying things, and saying them again -----------------------------------------------------

    def _say(self, envelopes: list[Envelope], now: float) -> list[Envelope]:
        """Send now, and again until something else is to be said (or nothing)."""
        if self._saying:
            self._round_trip = now - self._said_at
        self._saying, self._said_at = envelopes, now
        self._wait = min(max(RESEND_AFTER, 3 * self._round_trip), RESEND_AT_MOST)
        self._say_again = now + self._wait if envelopes else None
        self._complain = now + self._patience
        return envelopes

    def _missing(self) -> tuple[Address, ...]:
        """Whom this household waits for."""
        if self.phase is Phase.PLANNING and not self._risen:
            return tuple(child for child in self._children if child not in self._received)
        if self.phase is Phase.PLANNING and self._parent is not None:
            return (self._parent,)
        return ()

    def _to_orchestrator(self, message: Message) -> Envelope:
        return Envelope(self.address, self._orchestrator, message)
