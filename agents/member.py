"""A household's membership of a run, as a machine: joining, being placed, reporting, leaving.

Enrolling -> placed -> planning -> reporting -> released. At any time it has at most one thing to
say again (to the orchestrator, or its aggregate to its parent) and says it until the answer shows
that it was heard; what it has already handled it ignores. What is said along the tree in stage 1 is
a `Stage`'s: stage_one.py for a household by itself, subtree.py for many at once.
"""

from collections.abc import Callable
from enum import Enum
from typing import Protocol

from agents.chance import JavaRandom
from agents.costs import Arithmetic
from agents.plans import Plans
from protocol.errors import PeerError
from protocol.machine import Envelope
from protocol.messages import (
    Abort,
    Address,
    Course,
    Down,
    Enrol,
    Go,
    Left,
    Message,
    Place,
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


class Stage(Protocol):
    """Stage 1 as its member sees it."""

    @property
    def iteration(self) -> int:
        """The iteration it is in."""
        ...

    @property
    def selections(self) -> list[int]:
        """The selected plan after each iteration so far."""
        ...

    def begin(self, now: float) -> list[Envelope]:
        """Start: everybody is placed. Called once, in phase PLANNING."""
        ...

    def on_up(self, sender: Address, up: Up, now: float) -> list[Envelope]:
        """Answer a child."""
        ...

    def on_down(self, sender: Address, down: Down, now: float) -> list[Envelope]:
        """Answer the parent."""
        ...

    def missing(self) -> tuple[Address, ...]:
        """Whom it waits for."""
        ...


class Member:
    """A household as a member of one run; `stage` makes its stage 1 when it is placed."""

    def __init__(
        self,
        address: Address,
        orchestrator: Address,
        plans: Plans,
        *,
        arithmetic: Arithmetic,
        chance: Callable[[int, str], JavaRandom],
        stage: "Callable[[Member, Place], Stage]",
    ) -> None:
        self.address, self.plans = address, plans
        self.arithmetic, self.chance = arithmetic, chance
        self.phase = Phase.ENROLLING
        self.reason = ""
        """Why the run was aborted."""
        self._orchestrator, self._make_stage = orchestrator, stage
        self._stage: Stage | None = None
        self._place: Place | None = None
        self._saying: list[Envelope] = []
        self._say_again: float | None = None
        self._wait = RESEND_AFTER
        self._said_at = self._round_trip = 0.0
        self._complain: float | None = None
        self._patience = RESEND_AT_MOST

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do for this household."""
        return self.phase in (Phase.RELEASED, Phase.ABORTED)

    @property
    def selections(self) -> list[int]:
        """The selected plan after each iteration of stage 1 so far."""
        return [] if self._stage is None else self._stage.selections

    # -- the machine ------------------------------------------------------------------------------

    def handle(self, envelope: Envelope, now: float) -> list[Envelope]:
        """Answer one message."""
        sender, message = envelope.sender, envelope.message
        match message:
            case Up():
                return self._placed().on_up(sender, message, now)
            case Down():
                return self._placed().on_down(sender, message, now)
            case Place() | Go() | Release() | Abort() if sender != self._orchestrator:
                raise PeerError(f"{sender} is not the orchestrator of {self.address.name}")
            case Place():
                return self._on_place(message, now)
            case Go():
                return self.begin(now) if self.phase is Phase.PLACED else []
            case Release():
                if self.phase not in (Phase.REPORTING, Phase.RELEASED):
                    raise PeerError("released before the end")
                self._leave(Phase.RELEASED)
                return [self.to_orchestrator(Left())]
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
            return self.say([self.to_orchestrator(Enrol(self.plans.slots))], now)
        if self._say_again is not None and now >= self._say_again:
            out += self._saying
            self._wait = min(2 * self._wait, RESEND_AT_MOST)
            self._say_again = now + self._wait
        if self._complain is not None and now >= self._complain:
            self._complain = now + self._patience
            planning = self._stage is not None and self.phase is Phase.PLANNING
            if planning and (missing := self._placed().missing()):
                out.append(self.to_orchestrator(Waiting(self._placed().iteration, missing)))
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
        target = place.terms.target
        if target is not None and len(target) != self.plans.slots:
            raise PeerError(f"a target of {len(target)} slots for {self.plans.slots}")
        self._stage = self._make_stage(self, place)
        self._place, self._patience = place, place.terms.patience
        self.phase = Phase.PLACED
        return self.say([self.to_orchestrator(Ready())], now)

    def _placed(self) -> Stage:
        if self._stage is None:
            raise PeerError("no place in the tree yet")
        return self._stage

    def begin(self, now: float) -> list[Envelope]:
        """Enter stage 1."""
        self.phase = Phase.PLANNING
        return self._placed().begin(now)

    def planned(self, selected: int, course: Course | None, now: float) -> list[Envelope]:
        """Stage 1 is over: report. `course` from those who were the root."""
        assert self._place is not None
        self.phase = Phase.REPORTING
        result = Result(
            selected,
            self._place.terms.beta,
            float(self.plans.discomforts("rmse")[selected]),
            course,
        )
        return self.say([self.to_orchestrator(result)], now)

    def _leave(self, phase: Phase) -> None:
        self.phase, self._saying, self._say_again, self._complain = phase, [], None, None

    # -- saying things, and saying them again -----------------------------------------------------

    def say(self, envelopes: list[Envelope], now: float) -> list[Envelope]:
        """Send now, and again until something else is to be said (or nothing)."""
        if self._saying:
            self._round_trip = now - self._said_at
        self._saying, self._said_at = envelopes, now
        self._wait = min(max(RESEND_AFTER, 3 * self._round_trip), RESEND_AT_MOST)
        self._say_again = now + self._wait if envelopes else None
        self._complain = now + self._patience
        return envelopes

    def to_orchestrator(self, message: Message) -> Envelope:
        """From this household to the orchestrator of its run."""
        return Envelope(self.address, self._orchestrator, message)
