"""One household through a run: it joins, is placed, plans, exchanges, reports and leaves.

A pure machine. Its phases, and the messages that are legal in each, are in phases.py. What passes
along the tree in stage 1 is decided in planning/, stage 2 in exchange/. This module joins them to
the orchestrator and repeats whatever is unanswered: at any time at most one message to the
orchestrator or to the parent. A message that has been handled already is ignored.

A household that starts again after its host was killed goes on with stage 2 from its journal. One
without a journal enrols again, and stage 1 begins again for everybody, with the same result.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from agents.exchange.amounts.home_record import held_home
from agents.exchange.journal.entries import Entry, Journal, MemoryJournal
from agents.exchange.negotiations import ExchangeCounts
from agents.exchange.stage import ExchangeStage, PlannedHousehold, remembered
from agents.exchange.traffic_count import TrafficCount
from agents.mandate import FREE, Mandate
from agents.own_functions import AcceptanceRule
from agents.peers import Peers
from agents.phases import Phase, check_legal
from agents.place_check import check_place
from agents.planning.costs import EXACT, Arithmetic
from agents.planning.java_random import JavaRandom, household_chance
from agents.planning.stage import Participant, Planning, PlanningResult, PlanningStage
from agents.planning_loop import another_exchange, planner_after
from agents.plans import Plans
from agents.retransmission import NEVER
from agents.unanswered import Unanswered
from protocol.errors import PeerError
from protocol.messages import (
    Abort,
    Address,
    Down,
    Enrol,
    Failure,
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
from protocol.runtime.machine import Envelope, Roles
from protocol.vectors import Array


class Household:
    """A household in one run."""

    def __init__(
        self,
        address: Address,
        orchestrator: Address,
        plans: Plans,
        *,
        arithmetic: Arithmetic = EXACT,
        chance: Callable[[int, str], JavaRandom] = household_chance,
        planning: Callable[[Participant, Place], Planning] = PlanningStage,
        companions: "dict[Address, Household] | None" = None,
        journal: Journal | None = None,
        mandate: Mandate = FREE,
        session: int = 1,
        entries: Sequence[Entry] = (),
        traffic: TrafficCount | None = None,
        accepts: AcceptanceRule | None = None,
    ) -> None:
        """Set up a household that has not sent anything yet.

        `planning` makes its stage 1 when it is placed. `companions` are the households on the same
        host that decide stage 1 together; the household joins them. `session` must rise whenever
        the household starts again. `entries` are the entries already in its journal. `traffic` is
        the traffic count of its host. `accepts` takes the place of the run's acceptance rule.
        """
        self.address, self.plans = address, plans
        self.phase = Phase.ENROLLING
        self.reason = ""
        """The reason why the run was aborted."""
        self._participant = Participant(
            address=address,
            orchestrator=orchestrator,
            plans=plans.offered,
            arithmetic=arithmetic,
            chance=chance,
        )
        self._orchestrator, self._make_planning = orchestrator, planning
        self._peers = Peers(address, orchestrator)
        self._companions = {} if companions is None else companions
        self._companions[address] = self
        self._journal = MemoryJournal() if journal is None else journal
        self._traffic = TrafficCount() if traffic is None else traffic
        self._mandate, self._accepts = mandate, accepts
        self._session, self._remembered = session, remembered(entries)
        self._place: Place | None = None
        self._planning: Planning | None = None
        self._exchange: ExchangeStage | None = None
        self._attempt = 0
        """Number of the attempt at stage 1, as counted by the orchestrator; 0 before the first."""
        self._unanswered = Unanswered()

    @property
    def finished(self) -> bool:
        """True when the household has nothing left to do."""
        return self.phase in (Phase.RELEASED, Phase.ABORTED)

    @property
    def selections(self) -> list[int]:
        """The selected plan after each iteration of stage 1 so far."""
        planning = self._planning
        return [] if planning is None else [self._chosen(each) for each in planning.selections]

    @property
    def iteration(self) -> int:
        """The present iteration of stage 1; 0 before stage 1."""
        return 0 if self._planning is None else self._planning.iteration

    @property
    def counts(self) -> ExchangeCounts:
        """Counts of the household's part in stage 2 so far."""
        return ExchangeCounts() if self._exchange is None else self._exchange.trader.counts

    @property
    def planned_schedule(self) -> Array:
        """The plan that stage 1 has selected so far, float64[d], kWh."""
        if self._exchange is not None:
            return self._exchange.planned_schedule
        schedule: Array = self.plans.values[self._chosen(self._placed().selections[-1])]
        return schedule

    @property
    def schedule(self) -> Array | None:
        """The schedule held in stage 2, float64[d], kWh; None before stage 2."""
        return None if self._exchange is None else self._exchange.trader.schedule

    @property
    def exchange(self) -> ExchangeStage | None:
        """Its stage 2; None before that."""
        return self._exchange

    def roles_of(self, sender: Address) -> Roles:
        """Return what a sender is to this household: by its place, and by the talks it has had."""
        return self._peers.roles_of(sender)

    def handle(self, envelope: Envelope, now: float) -> list[Envelope]:
        """Answer one message. Raises PeerError if it is not legal now."""
        message = envelope.message
        if isinstance(message, Up | Down) and self._attempt not in (0, message.attempt):
            return []
        check_legal(message, self.phase)
        match message:
            case Up() | Down():
                return self._on_tree(envelope, message, now)
            case Place():
                return self._on_place(message, now)
            case Go():
                started = self.phase is not Phase.PLACED or message.attempt != self._attempt
                return [] if started else self._follow(self._placed().begin(), now)
            case Release():
                self._leave(Phase.RELEASED)
                return [self._to_orchestrator(Left())]
            case Abort():
                self.reason = message.reason
                self._leave(Phase.ABORTED)
                return []
            case _:
                if self._exchange is None:
                    raise PeerError(f"{self.address.name} takes part in no exchange")
                out = self._exchange.handle(envelope, now)
                self._peers.meet_requester(envelope)
                return self._exchanged(out, now)

    def tick(self, now: float) -> list[Envelope]:
        """Repeat what is unanswered; tell the orchestrator when that lasts too long."""
        if self.phase is Phase.ENROLLING and self._unanswered.message is None:
            return self._resume(now) if self._remembered else self._enrol(now)
        out = self._unanswered.again(now)
        if self._exchange is not None and self._exchange_due() <= now:
            out += self._exchanged(self._exchange.tick(now), now)
        if self._unanswered.too_long(now):
            out += self._complaint()
        return out

    def break_down(self, reason: str, now: float) -> list[Envelope]:
        """Stop after a defect, which may have left anything half done, and tell the orchestrator
        why until it ends the run. What the journal holds stands."""
        self.phase = Phase.BROKEN
        return self._send(self._to_orchestrator(Failure(reason)), now)

    def next_deadline(self) -> float | None:
        """Return when to call `tick`; None for never."""
        due = min(self._unanswered.deadline, self._exchange_due())
        return None if due == NEVER else due

    def _exchange_due(self) -> float:
        if self._exchange is None or self.finished or self.phase is Phase.BROKEN:
            return NEVER
        return self._exchange.next_deadline()

    def _complaint(self) -> list[Envelope]:
        """Report the neighbours for whom this household has waited too long, if there are any."""
        exchange, planning = self._exchange, self._planning
        if self.phase is Phase.EXCHANGING and exchange is not None:
            iterations = exchange.household.place.terms.iterations
            return [self._to_orchestrator(Waiting(iterations, exchange.missing, exchange.progress))]
        if self.phase is Phase.PLANNING and planning is not None and planning.missing:
            return [self._to_orchestrator(Waiting(planning.iteration, planning.missing))]
        return []

    # -- joining and leaving ----------------------------------------------------------------------

    def _enrol(self, now: float) -> list[Envelope]:
        self.phase, enrol = Phase.ENROLLING, Enrol(self.plans.slots, self._session, self._loop)
        return self._send(self._to_orchestrator(enrol), now)

    @property
    def _loop(self) -> int:
        """Number of exchanges that are over."""
        return 0 if self._exchange is None else self._exchange.loop

    def _resume(self, now: float) -> list[Envelope]:
        """Go on with stage 2 where the journal ends."""
        self.phase = Phase.EXCHANGING
        self._exchange, out = ExchangeStage.resume(
            address=self.address,
            orchestrator=self._orchestrator,
            entries=self._remembered,
            journal=self._journal,
            mandate=self._mandate,
            traffic=self._traffic,
            now=now,
            home=None if self.plans.home is None else self.plans.home.home,
        )
        place = self._exchange.household.place
        self._peers.resume(place, self._remembered)
        self._attempt, self._unanswered.patience_s = place.attempt, place.terms.patience_seconds
        self._unanswered.expect(now)
        if self._exchange.paused:  # the iterations since the exchange are lost
            return out + self._enrol(now)
        return self._exchanged(out, now)

    def _on_place(self, place: Place, now: float) -> list[Envelope]:
        ready = self._to_orchestrator(Ready(place.attempt, self._session))
        if place.attempt <= self._attempt or self.finished:
            # A repetition, or a child's message has already started this attempt: confirm it again.
            return [ready]
        if self._exchange is not None and self._exchange.begun:
            raise PeerError("the exchange has begun: nobody may begin anew")
        if place.loop != self._loop:
            raise PeerError(f"planning begins after {place.loop} exchanges, not {self._loop}")
        check_place(self.address, place, self.plans)
        self._forget_exchange()
        self._plan(replace(place, terms=self._mandate.weighted(place.terms)))
        self.phase, self._attempt = Phase.PLACED, place.attempt
        return self._send(ready, now)

    def _plan(self, place: Place) -> None:
        """Set up stage 1 at this place, at its beginning or after an exchange."""
        self._place, self._unanswered.patience_s = place, place.terms.patience_seconds
        self._peers.place(place)
        planner = planner_after(self._exchange, self._participant)
        self._planning = self._make_planning(planner, place)

    def _leave(self, phase: Phase) -> None:
        self.phase = phase
        self._unanswered.stop()

    # -- stage 1 ----------------------------------------------------------------------------------

    def _placed(self) -> Planning:
        if self._planning is None:
            raise PeerError("no place in the tree yet")
        return self._planning

    def _on_tree(self, envelope: Envelope, message: Up | Down, now: float) -> list[Envelope]:
        """Take a message along the tree: of stage 1, or of the final sum after stage 2."""
        exchange = self._exchange
        if exchange is not None and exchange.closes_with(message):
            return self._exchanged(exchange.handle(envelope, now), now)
        if exchange is not None and self._planning is None:
            return self._on_forgotten(exchange, message, now)
        planning, sender = self._placed(), envelope.sender
        said = (
            planning.on_up(sender, message)
            if isinstance(message, Up)
            else planning.on_down(sender, message)
        )
        return self._follow(said, now)

    def _chosen(self, selected: int) -> int:
        """Return the index among all plans of one that stage 1 selected among those offered."""
        return self.plans.start_index if self.plans.fixed else selected

    def _follow(self, out: list[Envelope], now: float) -> list[Envelope]:
        """Add the messages of all households that a step of stage 1 has affected."""
        for address in self._placed().take_changed():
            out = out + self._companions[address]._planned(now)
        return out

    def _planned(self, now: float) -> list[Envelope]:
        """Act on the state of stage 1 after a step: wait for an answer, or go on to stage 2."""
        planning = self._placed()
        if self.phase is Phase.PLACED and planning.begun:
            self.phase = Phase.PLANNING
        if self.phase is not Phase.PLANNING:
            return []
        if planning.result is not None:
            return self._finish_planning(planning.result, now)
        self._unanswered.put(planning.unanswered, now)
        return []

    def _finish_planning(self, planned: PlanningResult, now: float) -> list[Envelope]:
        """Enter stage 2, or report if there is none."""
        assert self._place is not None
        place, selected = self._place, self._chosen(planned.selected)
        if place.terms.exchange is not None:
            self.phase = Phase.EXCHANGING
            self._unanswered.put(None, now)
        if self._exchange is not None:
            another = another_exchange(self._exchange, self._participant, planned, place=place)
            return self._exchanged(self._exchange.start_another(place, another, now), now)
        result = Result(
            selected_plan=selected,
            beta=place.terms.beta,
            discomfort_planned_kwh=float(self.plans.discomforts("rmse")[selected]),
            planning_history=planned.history,
        )
        if place.terms.exchange is None:
            return self._report(result, now)
        self._exchange, out = ExchangeStage.begin(
            household=PlannedHousehold(
                address=self.address, orchestrator=self._orchestrator, place=place, planned=result
            ),
            schedule=self.plans.values[selected],
            preferred=self.plans.preferred,
            journal=self._journal,
            mandate=self._mandate,
            traffic=self._traffic,
            now=now,
            accepts=self._accepts,
            held=held_home(self.plans.home, selected, place.terms.exchange, self._mandate),
            generator_state=planned.generator_state,
        )
        return self._exchanged(out, now)

    # -- stage 2 ----------------------------------------------------------------------------------

    def _exchanged(self, out: list[Envelope], now: float) -> list[Envelope]:
        """Report after a step of stage 2 if that was the last."""
        exchange = self._exchange
        self._peers.meet_partners(out)
        if exchange is None or self.phase is not Phase.EXCHANGING:
            return out
        if exchange.paused:
            self.phase = Phase.PLANNING
            self._plan(exchange.household.place)
            return out + self._follow(self._placed().begin(), now)
        return out if exchange.result is None else out + self._report(exchange.result, now)

    def _report(self, result: Result, now: float) -> list[Envelope]:
        self.phase = Phase.REPORTING
        return self._send(self._to_orchestrator(result), now)

    def _on_forgotten(self, exchange: ExchangeStage, said: Up | Down, now: float) -> list[Envelope]:
        """Handle a message of stage 1 when the journal holds only the end of that stage.

        A child that waits for an answer cannot get one, so stage 1 starts again for all households.
        That is safe: nobody exchanges before the whole tree has entered stage 2. Once this subtree
        is known to have entered stage 2, the message is out of date and ignored.
        """
        if isinstance(said, Down) or exchange.gathered:
            return []
        self._forget_exchange()
        self._session += 1
        return self._enrol(now)

    def _forget_exchange(self) -> None:
        """Discard what this household knows of an exchange that has not begun."""
        exchange = self._exchange
        if exchange is None or exchange.paused:
            return
        if exchange.loop:
            exchange.withdraw()
        else:
            self._journal.append(Entry(self.address.name, "anew"))
            self._exchange = None

    # -- sending, and sending again ---------------------------------------------------------------

    def _send(self, envelope: Envelope, now: float) -> list[Envelope]:
        """Send a message now, and repeat it until another one takes its place."""
        self._unanswered.put(envelope, now)
        return [envelope]

    def _to_orchestrator(self, message: Message) -> Envelope:
        return Envelope(self.address, self._orchestrator, message)
