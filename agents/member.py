"""A household's membership of a run, as a machine: joining, being placed, reporting, leaving.

Enrolling -> placed -> planning -> reporting -> released. At any time it has at most one thing to
say again (to the orchestrator, or its aggregate to its parent) and says it until the answer shows
that it was heard; what it has already handled it ignores. What is said along the tree in stage 1 is
a `Stage`'s: stage_one.py for a household by itself, subtree.py for many at once.
"""

from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from typing import Protocol

from agents.chance import JavaRandom
from agents.closing import Closing
from agents.costs import Arithmetic
from agents.exchange.journal import Journal
from agents.exchange.setting import Setting
from agents.exchange.trader import Trader
from agents.mandate import Mandate
from agents.planner import Aggregate
from agents.plans import Plans
from protocol.errors import PeerError
from protocol.machine import Envelope
from protocol.messages import (
    Abort,
    Address,
    Course,
    Down,
    End,
    Enrol,
    ExchangeCourse,
    Exchanged,
    Go,
    Left,
    Match,
    Message,
    NextRound,
    Outcome,
    Place,
    Proposal,
    Ready,
    Release,
    Result,
    RoundCount,
    RoundDone,
    RoundProgress,
    Up,
    Waiting,
)
from protocol.terms import Terms

RESEND_AFTER = 0.5
"""Seconds until something unanswered is said again, at least; three times what the last answer took
if that is longer; doubled each time, up to RESEND_AT_MOST."""
RESEND_AT_MOST = 4.0


class Phase(Enum):
    """Where a household is in its course through a run."""

    ENROLLING = "enrolling"
    PLACED = "placed"
    PLANNING = "planning"
    EXCHANGING = "exchanging"
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
        journal: Journal,
        mandate: Mandate,
    ) -> None:
        self.address, self.plans = address, plans
        self.arithmetic, self.chance = arithmetic, chance
        self.phase = Phase.ENROLLING
        self.reason = ""
        """Why the run was aborted."""
        self._orchestrator, self._make_stage = orchestrator, stage
        self._journal, self._mandate = journal, mandate
        self._trader: Trader | None = None
        self._closing: Closing | None = None
        self._rounds: list[RoundCount] = []
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
            case Up() if self._closing and message.iteration == self._closing.iteration:
                return self._close(self._closing.on_up(sender, message), now)
            case Down() if self._closing and message.iteration == self._closing.iteration:
                return self._close(self._closing.on_down(sender, message), now)
            case Up():
                return self._placed().on_up(sender, message, now)
            case Down():
                return self._placed().on_down(sender, message, now)
            case Match() | Proposal() | Outcome() | RoundDone() | NextRound() | End():
                if self._trader is None:
                    raise PeerError(f"{self.address.name} does not exchange yet")
                return self._traded(self._trader.handle(envelope, now), now)
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
        if self._trader is not None and self._trader_due() <= now:
            out += self._traded(self._trader.tick(now), now)
        if self._complain is not None and now >= self._complain:
            self._complain = now + self._patience
            if missing := self._missing():
                out.append(self.to_orchestrator(Waiting(self._placed().iteration, missing)))
        return out

    def _missing(self) -> tuple[Address, ...]:
        """Whom this household waits for."""
        match self.phase:
            case Phase.PLANNING:
                return self._placed().missing()
            case Phase.EXCHANGING:
                assert self._trader is not None
                assert self._closing is not None
                return self._closing.missing() if self._trader.finished else self._trader.missing
            case _:
                return ()

    def _trader_due(self) -> float:
        due = None if self._trader is None or self.finished else self._trader.next_deadline()
        return float("inf") if due is None else due

    def next_deadline(self) -> float | None:
        """When something is to be said again."""
        due = float("inf") if self._trader is None else self._trader_due()
        if self._say_again is not None:
            due = min(due, self._say_again)
        if self._complain is not None:
            due = min(due, self._complain)
        return None if due == float("inf") else due

    # -- joining and leaving ----------------------------------------------------------------------

    def _on_place(self, place: Place, now: float) -> list[Envelope]:
        if self.phase is not Phase.ENROLLING:
            return []
        target = place.terms.target
        if target is not None and len(target) != self.plans.slots:
            raise PeerError(f"a target of {len(target)} slots for {self.plans.slots}")
        place = replace(place, terms=self._mandated(place.terms))
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
        """Stage 1 is over: exchange, or report. `course` from those who were the root."""
        assert self._place is not None
        place, terms = self._place, self._place.terms.exchange
        self._result = Result(
            selected,
            place.terms.beta,
            float(self.plans.discomforts("rmse")[selected]),
            course,
        )
        if terms is None:
            return self._report(self._result, now)
        self.phase = Phase.EXCHANGING
        self._closing = Closing(self.address, place)
        self._trader = Trader(
            self.address,
            Setting(place.parent, place.children, place.matchmakers, terms),
            self.plans.values[selected],
            self.plans.preferred,
            self._journal,
            self._mandate,
        )
        return self.say([], now) + self._traded(self._trader.start(now), now)

    def _report(self, result: Result, now: float) -> list[Envelope]:
        self.phase = Phase.REPORTING
        return self.say([self.to_orchestrator(result)], now)

    # -- stage 2 ----------------------------------------------------------------------------------

    def _traded(self, out: list[Envelope], now: float) -> list[Envelope]:
        """After a step of the exchange: tell of a finished round; close when it is over."""
        assert self._trader is not None
        assert self._closing is not None
        progress = self._trader.progress
        if progress is not None and progress[0] + 2 > len(self._rounds):  # rounds count from -1
            self._rounds.append(progress[1])
            out = [*out, self.to_orchestrator(RoundProgress(*progress))]
        if self._trader.finished and self.phase is Phase.EXCHANGING and not self._closing.offered:
            discomfort = self._trader.discomfort
            own = Aggregate(self._trader.schedule, discomfort, discomfort * discomfort)
            out = out + self._close(self._closing.offer(own), now)
        return out

    def _close(self, out: list[Envelope], now: float) -> list[Envelope]:
        """After a step of the last pass: say the own sum until it is answered, then report."""
        assert self._closing is not None
        if self.phase is not Phase.EXCHANGING:
            return out
        if self._closing.result is None:
            return self.say(out, now) if out else out
        assert self._trader is not None
        tally = self._trader.tally
        drift = float(
            self._trader.schedule.sum() - self.plans.values[self._result.selected_plan].sum()
        )
        course = ExchangeCourse(tuple(self._rounds), self._closing.result.response)
        result = replace(
            self._result,
            exchanged=Exchanged(
                self._trader.discomfort, drift, tally.proposals, tally.accepted, tally.refused
            ),
            exchange=course if self._rounds else None,
        )
        return out + self._report(result, now)

    def _mandated(self, terms: Terms) -> Terms:
        """The terms, as far as the people of this household have not said otherwise."""
        alpha, beta = self._mandate.alpha, self._mandate.beta
        return replace(
            terms,
            alpha=terms.alpha if alpha is None else alpha,
            beta=terms.beta if beta is None else beta,
        )

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
