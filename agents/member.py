"""A household's membership of a run, as a machine: joining, being placed, reporting, leaving.

Enrolling -> placed -> planning -> exchanging -> reporting -> released. At any time it has at most
one thing to say again (to the orchestrator, or its aggregate to its parent) and says it until the
answer shows that it was heard; what it has already handled it ignores. What is said along the tree
in stage 1 is a `Stage`'s: stage_one.py for a household by itself, subtree.py for many at once; what
is said in stage 2, exchanging.py's.

Started again after its host was killed, it goes on with stage 2 from its journal; without that it
enrols anew, and stage 1 begins again for all, with the same result.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import Enum
from typing import Protocol

from agents.exchange.journal.entries import Entry, Journal
from agents.exchange.negotiations import ExchangeCounts
from agents.exchange.stage import ExchangeStage, Seat, remembered
from agents.exchange.traffic_count import TrafficCount
from agents.mandate import Mandate
from agents.planning.costs import Arithmetic
from agents.planning.java_random import JavaRandom
from agents.plans import Plans
from protocol.errors import PeerError
from protocol.messages import (
    Abort,
    Address,
    Down,
    End,
    Enrol,
    Go,
    Left,
    Match,
    Message,
    NextRound,
    Outcome,
    Place,
    PlanningHistory,
    Proposal,
    Ready,
    Release,
    Result,
    RoundDone,
    Up,
    Waiting,
)
from protocol.runtime.machine import Envelope
from protocol.terms import Terms
from protocol.vectors import Array

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
        session: int,
        entries: Sequence[Entry],
        meter: TrafficCount,
    ) -> None:
        """`session` rises whenever the household starts again; `entries` are what its journal then
        holds."""
        self.address, self.plans = address, plans
        self.arithmetic, self.chance = arithmetic, chance
        self.phase = Phase.ENROLLING
        self.reason = ""
        """Why the run was aborted."""
        self._orchestrator, self._make_stage = orchestrator, stage
        self._journal, self._mandate, self._meter = journal, mandate, meter
        self._session, self._remembered = session, remembered(entries)
        self._exchanging: ExchangeStage | None = None
        self._stage: Stage | None = None
        self._place: Place | None = None
        self._attempt = 0
        """Of stage 1, as the orchestrator counts them."""
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

    @property
    def iteration(self) -> int:
        """The iteration of stage 1 it is in; 0 before."""
        return 0 if self._stage is None else self._stage.iteration

    @property
    def tally(self) -> ExchangeCounts:
        """What it did in stage 2."""
        return ExchangeCounts() if self._exchanging is None else self._exchanging.trader.tally

    @property
    def planned_schedule(self) -> Array:
        """What stage 1 has chosen so far, float64[d], kWh."""
        if self._exchanging is not None:
            return self._exchanging.planned_schedule
        schedule: Array = self.plans.values[self._placed().selections[-1]]
        return schedule

    @property
    def schedule(self) -> Array | None:
        """What it holds in stage 2, float64[d], kWh; None before."""
        return None if self._exchanging is None else self._exchanging.trader.schedule

    # -- the machine ------------------------------------------------------------------------------

    def handle(self, envelope: Envelope, now: float) -> list[Envelope]:
        """Answer one message."""
        sender, message = envelope.sender, envelope.message
        exchanging = self._exchanging
        match message:
            case Up() | Down() if self._attempt and message.attempt != self._attempt:
                return []
            case Up() | Down() if exchanging and exchanging.closes_with(message):
                return self._exchanged(exchanging, exchanging.handle(envelope, now), now)
            case Up() | Down() if exchanging and self._stage is None:
                return self._on_forgotten(exchanging, message, now)
            case Up():
                return self._placed().on_up(sender, message, now)
            case Down():
                return self._placed().on_down(sender, message, now)
            case Match() | Proposal() | Outcome() | RoundDone() | NextRound() | End():
                if exchanging is None:
                    raise PeerError(f"{self.address.name} does not exchange yet")
                return self._exchanged(exchanging, exchanging.handle(envelope, now), now)
            case Place() | Go() | Release() | Abort() if sender != self._orchestrator:
                raise PeerError(f"{sender} is not the orchestrator of {self.address.name}")
            case Place():
                return self._on_place(message, now)
            case Go():
                started = self.phase is not Phase.PLACED or message.attempt != self._attempt
                return [] if started else self.begin(now)
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
        if self.phase is Phase.ENROLLING and not self._saying:
            return self._go_on_or_enrol(now)
        out: list[Envelope] = []
        if self._say_again is not None and now >= self._say_again:
            out += self._saying
            self._wait = min(2 * self._wait, RESEND_AT_MOST)
            self._say_again = now + self._wait
        exchanging = self._exchanging
        if exchanging is not None and self._exchanging_due() <= now:
            out += self._exchanged(exchanging, exchanging.tick(now), now)
        if self._complain is not None and now >= self._complain:
            self._complain = now + self._patience
            out += self._waiting()
        return out

    def _waiting(self) -> list[Envelope]:
        """What the orchestrator is told when nothing was said for long."""
        missing: tuple[Address, ...] = ()
        iteration, done = -1, 0
        match self.phase:
            case Phase.PLANNING:
                missing, iteration = self._placed().missing(), self._placed().iteration
            case Phase.EXCHANGING:
                assert self._exchanging is not None
                missing, done = self._exchanging.missing, self._exchanging.done
                iteration = self._exchanging.seat.place.terms.iterations
        if self.phase is Phase.EXCHANGING or missing:
            return [self.to_orchestrator(Waiting(iteration, missing, done))]
        return []

    def _exchanging_due(self) -> float:
        if self._exchanging is None or self.finished:
            return float("inf")
        return self._exchanging.next_deadline()

    def next_deadline(self) -> float | None:
        """When something is to be said again."""
        due = self._exchanging_due()
        if self._say_again is not None:
            due = min(due, self._say_again)
        if self._complain is not None:
            due = min(due, self._complain)
        return None if due == float("inf") else due

    # -- joining and leaving ----------------------------------------------------------------------

    def _go_on_or_enrol(self, now: float) -> list[Envelope]:
        """The first words: stage 2 goes on where the journal ends, or the household enrols."""
        if not self._remembered:
            return self._enrol(now)
        self.phase = Phase.EXCHANGING
        exchanging, out = ExchangeStage.resume(
            self.address,
            self._orchestrator,
            self._remembered,
            self._journal,
            self._mandate,
            self._meter,
            now,
        )
        self._exchanging, place = exchanging, exchanging.seat.place
        self._attempt, self._patience = place.attempt, place.terms.patience
        self._complain = now + self._patience
        return self._exchanged(exchanging, out, now)

    def _enrol(self, now: float) -> list[Envelope]:
        return self.say([self.to_orchestrator(Enrol(self.plans.slots, self._session))], now)

    def _on_forgotten(
        self, exchanging: ExchangeStage, said: Up | Down, now: float
    ) -> list[Envelope]:
        """Somebody is still in stage 1, of which the journal holds nothing but the end. A child
        that waits for its answer cannot have it: stage 1 begins anew for all. That is still right,
        since nobody exchanges before all of the tree has entered stage 2; and once this subtree is
        known to have entered, what was said is old."""
        if isinstance(said, Down) or exchanging.gathered:
            return []
        self._forget()
        self.phase, self._session = Phase.ENROLLING, self._session + 1
        return self._enrol(now)

    def _forget(self) -> None:
        """Nothing of stage 2 counts any more."""
        if self._exchanging is not None:
            self._journal.append(Entry(self.address.name, "anew"))
        self._exchanging = None

    def _on_place(self, place: Place, now: float) -> list[Envelope]:
        if place.attempt <= self._attempt or self.finished:
            # Begun already, perhaps, by what a child said in the attempt before.
            return [self.to_orchestrator(Ready(place.attempt, self._session))]
        if self._exchanging is not None and self._exchanging.begun:
            raise PeerError("the exchange has begun: nobody may begin anew")
        target = place.terms.target
        if target is not None and len(target) != self.plans.slots:
            raise PeerError(f"a target of {len(target)} slots for {self.plans.slots}")
        self._forget()
        place = replace(place, terms=self._mandated(place.terms))
        self._stage = self._make_stage(self, place)
        self._place, self._patience = place, place.terms.patience
        self.phase, self._attempt = Phase.PLACED, place.attempt
        return self.say([self.to_orchestrator(Ready(place.attempt, self._session))], now)

    def _placed(self) -> Stage:
        if self._stage is None:
            raise PeerError("no place in the tree yet")
        return self._stage

    def begin(self, now: float) -> list[Envelope]:
        """Enter stage 1."""
        self.phase = Phase.PLANNING
        return self._placed().begin(now)

    def planned(self, selected: int, course: PlanningHistory | None, now: float) -> list[Envelope]:
        """Stage 1 is over: exchange, or report. `course` from those who were the root."""
        assert self._place is not None
        place, terms = self._place, self._place.terms.exchange
        result = Result(
            selected,
            place.terms.beta,
            float(self.plans.discomforts("rmse")[selected]),
            course,
        )
        if terms is None:
            return self._report(result, now)
        self.phase = Phase.EXCHANGING
        self._exchanging, out = ExchangeStage.begin(
            Seat(self.address, self._orchestrator, place, result),
            self.plans.values[selected],
            self.plans.preferred,
            self._journal,
            self._mandate,
            self._meter,
            now,
        )
        return self.say([], now) + self._exchanged(self._exchanging, out, now)

    def _exchanged(
        self, exchanging: ExchangeStage, out: list[Envelope], now: float
    ) -> list[Envelope]:
        """After a step of stage 2: report when it is over."""
        if exchanging.outcome is None or self.phase is not Phase.EXCHANGING:
            return out
        return out + self._report(exchanging.outcome, now)

    def _report(self, result: Result, now: float) -> list[Envelope]:
        self.phase = Phase.REPORTING
        return self.say([self.to_orchestrator(result)], now)

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
