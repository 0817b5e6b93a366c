"""The coordinator of a run: a machine that enrols households, places and starts them, collects
their results, and releases them.

It decides each household's position in the tree, and when the run begins and ends. It takes no part
in the decisions of a household, and no household waits for it while the stages run.
"""

from collections.abc import Callable, Mapping, Sequence

from orchestrator.coordination.enrolment import Enrolment
from orchestrator.coordination.result_check import Expectation, faults
from orchestrator.coordination.run_phase import RunPhase
from orchestrator.coordination.standstill import name_some, to_blame
from protocol.errors import PeerError
from protocol.messages import (
    Abort,
    Address,
    Enrol,
    ExchangeHistory,
    Failure,
    Go,
    HostTraffic,
    Iteration,
    Left,
    Message,
    PlanningHistory,
    Progress,
    Ready,
    Release,
    Result,
    RoundCount,
    RoundProgress,
    Waiting,
)
from protocol.runtime.machine import Envelope
from protocol.subjects import HOST, OPERATOR
from protocol.terms import Terms

RELEASE_AGAIN = 0.5
"""Seconds before a household that has not left is sent its release again."""
PLACE_AGAIN = 1.0
"""Seconds before a household that has not confirmed its place in a new attempt is sent it again."""
FAREWELL = 5.0
"""Seconds that the orchestrator waits for households to confirm that they have left."""

_OPERATOR = Address(OPERATOR, OPERATOR)


class RunCoordinator:
    """The orchestrator of one run.

    `members` are the household ids in tree order; `terms` returns the terms of one household. The
    run fails after `deadline` seconds without progress; `reason` then says why. A household that
    enrols again has lost its state. All households are then placed again and stage 1 restarts,
    with the same result.
    """

    def __init__(
        self,
        address: Address,
        members: Sequence[str],
        terms: Callable[[str], Terms],
        *,
        matchmakers: Sequence[Address] = (),
        roster: Mapping[str, str] | None = None,
        deadline: float = 60.0,
        plans: Mapping[str, int] | None = None,
    ) -> None:
        """Set up a run in which nobody has enrolled. `roster` has the host of each household, as in
        Enrolment. `plans` are the numbers of plans of the households that the orchestrator
        knows."""
        self.address, self.members = address, tuple(members)
        self.phase, self.reason = RunPhase.ENROLLING, ""
        self.results: dict[str, Result] = {}
        self.iterations: list[Iteration] = []
        """The iterations of this attempt that the root has reported, in order."""
        self.traffic: dict[str, HostTraffic] = {}
        """Traffic of each host until its release."""
        self.marks: dict[RunPhase, float] = {}
        """Time at which each phase began."""
        self.rounds: list[tuple[int, RoundCount]] = []
        """The rounds of stage 2 that the root has reported, in order, each with its counts."""
        self.exchanges = 0
        """Number of exchanges up to and including the last of them."""
        self.heard: dict[str, float] = {}
        """Time at which each host was last heard from."""
        self.attempt, self.resumed_after = 1, 0
        """Number of the attempt at stage 1, and of exchanges that were over when it began."""
        self._terms, self._deadline, self._plans = terms, deadline, plans or {}
        self.matchmakers = tuple(matchmakers)
        self._enrolment = Enrolment(members, terms, roster=roster, matchmakers=matchmakers)
        self._ready: set[str] = set()
        self._left: set[str] = set()
        self._waiting: dict[str, tuple[Address, ...]] = {}
        self._done: dict[str, int] = {}
        """The progress in stage 2 that each household has reported."""
        self._fail_at: float | None = None
        self._again_at: float | None = None
        """When households that have not answered are placed, or released, again."""

    @property
    def finished(self) -> bool:
        """True once the run is over, with or without a result."""
        return self.phase in (RunPhase.DONE, RunPhase.FAILED)

    @property
    def planning_history(self) -> PlanningHistory:
        """The history of stage 1, from the result of the root."""
        parts = [
            result.planning_history
            for result in self.results.values()
            if result.planning_history is not None
        ]
        rows = sorted(row for part in parts for row in part.iterations)
        return PlanningHistory(tuple(rows), parts[0].response_kwh)

    @property
    def exchange_history(self) -> ExchangeHistory | None:
        """The history of stage 2; None without a stage 2."""
        reported = (result.exchange_history for result in self.results.values())
        return next((history for history in reported if history is not None), None)

    @property
    def enrolled(self) -> Mapping[str, Address]:
        """The addresses of the households that have enrolled, by id."""
        return self._enrolment.addresses

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts of the households that have enrolled."""
        return self._enrolment.hosts

    def handle(self, envelope: Envelope, now: float) -> list[Envelope]:
        """Handle one message and return the answers.

        Raises PeerError if its sender may not send this message now.
        """
        sender, message = envelope.sender, envelope.message
        if sender == _OPERATOR and isinstance(message, Abort):
            answer = Envelope(self.address, sender, message)  # again, in case it got lost
            return [*self.fail(f"aborted by the operator: {message.reason}", now), answer]
        if sender.name == HOST:
            return self._on_host(sender.host, message, now)
        if isinstance(message, Enrol):
            return self._on_enrol(sender, message, now)
        self._enrolment.check_enrolled(sender)
        self.heard[sender.host] = now
        match message:
            case Ready(attempt=attempt, session=session):
                old = attempt != self.attempt or session < self._enrolment.sessions[sender.name]
                return [] if old else self._on_ready(sender, now)
            case Progress() | RoundProgress() if not self._may_be_root(sender.name):
                raise PeerError(f"{sender.name} is not the root")
            case Progress(iteration=iteration):
                rises = self.latest is None or iteration.iteration > self.latest.iteration
                if rises and self.phase in {RunPhase.PLANNING, RunPhase.EXCHANGING}:
                    self.iterations.append(iteration)
                    self._enter(RunPhase.PLANNING, now)
                return []
            case RoundProgress(round=number, count=count):
                if self.round is None or number > self.round[0]:
                    self.rounds.append((number, count))
                    self.exchanges += count.accepted
                    self._progress(now)
                if self.phase is RunPhase.PLANNING:
                    self._enter(RunPhase.EXCHANGING, now)
                return []
            case Waiting(missing=missing, done=done):
                if done != self._done.get(sender.name, 0):
                    self._progress(now)
                self._waiting[sender.name], self._done[sender.name] = missing, done
                return []
            case Result():
                return self._on_result(sender, message, now)
            case Left():
                self._left.add(sender.name)
                if self.phase is RunPhase.RELEASING and len(self._left) == len(self.members):
                    self._enter(RunPhase.DONE, now)
                return []
            case Failure(reason=reason):
                return self.fail(f"{sender.name}: {reason}", now)
            case _:
                raise PeerError(f"{type(message).__name__} is not for the orchestrator")

    def _on_host(self, host: str, message: Message, now: float) -> list[Envelope]:
        """Handle a message of a host or matchmaker itself."""
        matchmakers = {address.host for address in self.matchmakers}
        if host not in matchmakers and not self._enrolment.is_host(host):
            raise PeerError(f"{host} is not a host of this run")
        match message:
            case HostTraffic():
                self.traffic[host] = message
                return []
            case Failure(reason=reason):
                return self.fail(f"{host}: {reason}", now)
            case _:
                raise PeerError(f"{type(message).__name__} is not for a host to say")

    def _may_be_root(self, name: str) -> bool:
        """Return True if this household may count for all: the first, unless the tree changes."""
        changes = self._terms(self.members[0]).reorganisation.strategy != "never"
        return changes or name == self.members[0]

    @property
    def latest(self) -> Iteration | None:
        """The newest iteration that the root has reported."""
        return self.iterations[-1] if self.iterations else None

    @property
    def round(self) -> tuple[int, RoundCount] | None:
        """The newest round of stage 2 that the root has reported, and its counts."""
        return self.rounds[-1] if self.rounds else None

    def tick(self, now: float) -> list[Envelope]:
        """Fail a run without progress; repeat messages that households have not answered."""
        if self._fail_at is None and not self.finished:
            self._enter(RunPhase.ENROLLING, now)
        if self._fail_at is not None and now >= self._fail_at:
            if self.phase is not RunPhase.RELEASING:
                return self.fail(self._standstill(), now)
            self._enter(RunPhase.DONE, now)
        if self._again_at is None or now < self._again_at:
            return []
        match self.phase:
            case RunPhase.PLACING:
                self._again_at = now + PLACE_AGAIN
                return [self._place(name) for name in self.members if name not in self._ready]
            case RunPhase.RELEASING:
                self._again_at = now + RELEASE_AGAIN
                return self._release()
            case _:
                return []

    def next_deadline(self) -> float | None:
        """Return the time of the next `tick` that is needed if no message arrives."""
        dues = [due for due in (self._fail_at, self._again_at) if due is not None]
        return min(dues, default=None)

    def fail(self, reason: str, now: float) -> list[Envelope]:
        """End the run without a result, and send the reason to all parts."""
        if self.finished:
            return []
        self.reason = reason
        self._enter(RunPhase.FAILED, now)
        matchmakers = (Address(address.host, HOST) for address in self.matchmakers)
        return [
            *self._to_all(Abort(reason)),
            *(Envelope(self.address, to, Abort(reason)) for to in matchmakers),
        ]

    def _enter(self, phase: RunPhase, now: float) -> None:
        self.phase, self._again_at = phase, None
        self.marks.setdefault(phase, now)
        self._progress(now)

    def _progress(self, now: float) -> None:
        self._waiting.clear()
        patience = FAREWELL if self.phase is RunPhase.RELEASING else self._deadline
        self._fail_at = None if self.finished else now + patience

    def _on_enrol(self, sender: Address, enrol: Enrol, now: float) -> list[Envelope]:
        enrolment = self._enrolment
        new = sender.name not in enrolment.addresses
        before = enrolment.enrol(sender, enrol)
        if new:
            self._progress(now)
        self.heard[sender.host] = now
        if enrol.slots != enrolment.slots:
            return self.fail(
                f"{sender.name} has plans of {enrol.slots} slots, others of {enrolment.slots}", now
            )
        match self.phase:
            case RunPhase.ENROLLING:
                if not enrolment.complete:
                    return []
                self._enter(RunPhase.PLACING, now)
                return [self._place(name) for name in self.members]
            case RunPhase.PLACING:  # its Place got lost, or was forgotten
                self._ready.discard(sender.name)
                return [self._place(sender.name)]
            case RunPhase.PLANNING | RunPhase.EXCHANGING if enrol.session > before:
                if enrol.loop or RunPhase.EXCHANGING not in self.marks:
                    return self._restart_planning(enrol.loop, now)
                return self.fail(f"{sender.name} has lost its journal of the exchange", now)
            case _:
                return []

    def _restart_planning(self, loop: int, now: float) -> list[Envelope]:
        """Restart stage 1 for all after `loop` exchanges; nothing has been exchanged since."""
        self.attempt += 1
        self.resumed_after = loop
        self._ready.clear()
        self.results.clear()
        self.iterations.clear()
        self._enter(RunPhase.PLACING, now)
        self._again_at = now + PLACE_AGAIN
        return [self._place(name) for name in self.members]

    def _place(self, name: str) -> Envelope:
        place = self._enrolment.place(name, attempt=self.attempt, loop=self.resumed_after)
        return Envelope(self.address, self.enrolled[name], place)

    def _on_ready(self, sender: Address, now: float) -> list[Envelope]:
        if self.phase in (RunPhase.PLANNING, RunPhase.EXCHANGING):  # its Go got lost
            return [Envelope(self.address, sender, Go(self.attempt))]
        if self.phase is not RunPhase.PLACING:
            return []
        if sender.name not in self._ready:
            self._ready.add(sender.name)
            self._progress(now)
        if len(self._ready) < len(self.members):
            return []
        self._enter(RunPhase.PLANNING, now)
        return self._to_all(Go(self.attempt))

    def _on_result(self, sender: Address, result: Result, now: float) -> list[Envelope]:
        if sender.name not in self.results:
            fault = next(faults(result, self._expected(sender.name)), None)
            if fault is not None:
                return self.fail(f"{sender.name} reports what cannot be: {fault}", now)
            self.results[sender.name] = result
            self._progress(now)
        running = self.phase in (RunPhase.PLANNING, RunPhase.EXCHANGING)
        if running and len(self.results) == len(self.members):
            self._enter(RunPhase.RELEASING, now)
            self._again_at = now + RELEASE_AGAIN
            return self._release()
        return []

    def _expected(self, name: str) -> Expectation:
        """Return what the result of this household must be like."""
        slots = self._enrolment.slots
        assert slots is not None, "it has enrolled"
        return Expectation(
            terms=self._terms(name),
            slots=slots,
            is_root=name == self.members[0],
            plans=self._plans.get(name),
        )

    def _release(self) -> list[Envelope]:
        """Release all households that have not left.

        Hosts are released first, so that their traffic counts arrive before the households leave.
        """
        staying = self._to_all(Release(), skip=self._left)
        hosts = dict.fromkeys(envelope.to.host for envelope in staying)
        hosts.update(dict.fromkeys(a.host for a in self.matchmakers if a.host not in self.traffic))
        return [
            *(Envelope(self.address, Address(host, HOST), Release()) for host in hosts),
            *staying,
        ]

    def _to_all(
        self, message: Message, skip: frozenset[str] | set[str] = frozenset()
    ) -> list[Envelope]:
        return [
            Envelope(self.address, address, message)
            for name, address in self.enrolled.items()
            if name not in skip
        ]

    def _standstill(self) -> str:
        """Return why the run makes no progress; it names those who are missing, if known."""
        match self.phase:
            case RunPhase.ENROLLING:
                missing, what = self._enrolment.missing, "{} did not enrol"
            case RunPhase.PLACING:
                missing, what = set(self.members) - self._ready, "{} did not confirm their place"
            case _:
                missing, what = to_blame(self.members, self._waiting), "no answer from {}"
                if not missing:
                    missing, what = set(self.members) - set(self.results), "no result of {}"
        return f"no progress for {self._deadline:g} s while {self.phase.value}: " + what.format(
            name_some(self.members, missing)
        )
