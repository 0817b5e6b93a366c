"""The coordinator of a run: a machine that enrols households, places and starts them, collects
their results, and releases them.

It decides each household's position in the tree, and when the run begins and ends. It takes no part
in the decisions of a household, and no household waits for it while the stages run.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

from orchestrator.coordination.commissions import Commissions
from orchestrator.coordination.enrolment import Enrolment
from orchestrator.coordination.patience import Patience
from orchestrator.coordination.result_check import Expectation, faults, possible
from orchestrator.coordination.run_journal import RunJournal, Told
from orchestrator.coordination.run_phase import RunPhase
from orchestrator.coordination.run_reports import RunReports
from orchestrator.coordination.standstill import WaitingReports, who_is_missing
from protocol.errors import PeerError
from protocol.messages import (
    Abort,
    Address,
    Application,
    Enrol,
    Failure,
    Go,
    HostTraffic,
    Left,
    Message,
    Progress,
    Ready,
    Release,
    Result,
    RoundProgress,
    Waiting,
)
from protocol.runtime.machine import Envelope, Roles
from protocol.subjects import HOST
from protocol.terms import Terms

RELEASE_AGAIN = 0.5
"""Seconds before a household that has not left is sent its release again."""
PLACE_AGAIN = 1.0
"""Seconds before a household that has not confirmed its place in a new attempt is sent it again."""
ATTEMPTS_MAX = 100
"""How often one household may forget, so that stage 1 begins anew, before the run ends."""
FAREWELL = 5.0
"""Seconds that the orchestrator waits for households to confirm that they have left."""


class RunCoordinator(RunReports):
    """The orchestrator of one run.

    `members` are the household ids in tree order; `terms` returns the terms of one household. The
    run fails after `deadline` seconds without progress, and when it reaches one of the other bounds
    (patience.py); `reason` then says why. A household that enrols again has lost its state. All
    households are then placed again and stage 1 restarts, with the same result.
    """

    def __init__(
        self,
        address: Address,
        members: Sequence[str],
        terms: Callable[[str], Terms],
        *,
        matchmakers: Sequence[Address] = (),
        roster: Mapping[str, str] | None = None,
        secret: bytes | None = None,
        deadline: float = 60.0,
        round_limit: float | None = None,
        limit: float | None = None,
        plans: Mapping[str, int] | None = None,
        journal: RunJournal | None = None,
    ) -> None:
        """Set up a run in which nobody has enrolled. `roster` has the host of each household, as in
        Enrolment; `secret` is as in Commissions. `round_limit` and `limit` bound a stretch and the
        whole run, seconds (Patience). `plans` are the numbers of plans of the households that the
        orchestrator knows. `journal` keeps what another coordinator needs to `resume` the run."""
        super().__init__()
        self.address, self.members = address, tuple(members)
        self.phase, self.reason = RunPhase.ENROLLING, ""
        self.attempt, self.resumed_after = 1, 0
        """Number of the attempt at stage 1, and of exchanges that were over when it began."""
        self._terms, self._deadline, self._plans = terms, deadline, plans or {}
        self._patience = Patience(deadline, stretch_s=round_limit, run_s=limit)
        self.matchmakers = tuple(matchmakers)
        self.commissions = Commissions(secret)
        """What the matchmakers of this run have been given."""
        self._enrolment = Enrolment(
            members,
            terms,
            roster=roster,
            matchmakers=matchmakers,
            matchmaker_keys=self.commissions.public_keys(matchmakers),
        )
        self.journal = RunJournal() if journal is None else journal
        self._ready, self._left = set[str](), set[str]()
        self._begun = Counter[str]()
        """How often stage 1 has begun anew for each household."""
        self._waiting = WaitingReports()
        self._again_at: float | None = None
        """When households that have not answered are placed, or released, again."""

    @property
    def finished(self) -> bool:
        """True once the run is over, with or without a result."""
        return self.phase in (RunPhase.DONE, RunPhase.FAILED)

    @property
    def enrolled(self) -> Mapping[str, Address]:
        """The addresses of the households that have enrolled, by id."""
        return self._enrolment.addresses

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts of the households that have enrolled."""
        return self._enrolment.hosts

    def roles_of(self, sender: Address) -> Roles:
        """Return the roles of a sender. Raises PeerError for one that is not of this run."""
        return self._enrolment.roles_of(sender)

    def handle(self, envelope: Envelope, now: float) -> list[Envelope]:
        """Handle one message and return the answers.

        Raises PeerError if its sender may not send this message now.
        """
        sender, message = envelope.sender, envelope.message
        if isinstance(message, Abort):
            answer = Envelope(self.address, sender, message)  # again, in case it got lost
            return [*self.fail(f"aborted by the operator: {message.reason}", now), answer]
        if sender.name == HOST:
            return self._on_host(envelope, now)
        if isinstance(message, Enrol):
            return self._on_enrol(envelope, message, now)
        if isinstance(message, Application):
            return self._on_application(envelope, message, now)
        self._enrolment.check_enrolled(sender.name)
        self.heard[sender.host] = now
        match message:
            case Ready(attempt=attempt, session=session):
                old = attempt != self.attempt or session < self._enrolment.sessions[sender.name]
                return [] if old else self._on_ready(envelope, now)
            case Progress() | RoundProgress() if not self._may_be_root(sender.name):
                raise PeerError(f"{sender.name} is not the root")
            case Progress() | RoundProgress() if not possible(message, self._terms(sender.name)):
                raise PeerError(f"{sender.name} reports more than the run has")
            case Progress(iteration=iteration):
                rises = self.latest is None or iteration.iteration > self.latest.iteration
                if rises and self.phase in {RunPhase.PLANNING, RunPhase.EXCHANGING}:
                    if self.phase is RunPhase.EXCHANGING:
                        self.journal.note(envelope, now)
                    self.iterations.append(iteration)
                    self._enter(RunPhase.PLANNING, now)
                return []
            case RoundProgress(round=number, count=count):
                if self.round is None or number > self.round[0]:
                    self.rounds.append((number, count))
                    self.exchanges += count.accepted
                    self._stretch(now)
                if self.phase is RunPhase.PLANNING:
                    self.journal.note(envelope, now)
                    self._enter(RunPhase.EXCHANGING, now)
                return []
            case Waiting():
                if self._waiting.take(sender.name, message, now):
                    self._sign(now)
                return []
            case Result():
                return self._on_result(envelope, message, now)
            case Left():
                self._left.add(sender.name)
                if self.phase is RunPhase.RELEASING and len(self._left) == len(self.members):
                    self._enter(RunPhase.DONE, now)
                return []
            case Failure(reason=reason):
                return self.fail(f"{sender.name}: {reason}", now)
            case _:
                raise PeerError(f"{type(message).__name__} is not for the orchestrator")

    def _on_host(self, envelope: Envelope, now: float) -> list[Envelope]:
        """Handle a message of a host or matchmaker itself."""
        host, message = envelope.sender.host, envelope.message
        match message:
            case HostTraffic():
                if self.traffic.get(host) != message:
                    self.journal.note(envelope, now)
                self.traffic[host] = message
                return []
            case Failure(reason=reason):
                return self.fail(f"{host}: {reason}", now)
            case _:
                raise PeerError(f"{type(message).__name__} is not for a host to say")

    def _on_application(
        self, envelope: Envelope, application: Application, now: float
    ) -> list[Envelope]:
        """Give a matchmaker its commission, as soon as all households are known."""
        matchmaker, residents = envelope.sender, self._enrolment.residents
        self.heard[matchmaker.host] = now
        if application.life not in self.commissions.epochs.get(matchmaker.name, ()):
            self.journal.note(envelope, now)
        commission = self.commissions.give(matchmaker.name, application, residents)
        return [] if not residents else [Envelope(self.address, matchmaker, commission)]

    def _may_be_root(self, name: str) -> bool:
        """Return True if this household may count for all: the first, unless the tree changes."""
        return name == self.members[0] or self._terms(name).reorganisation.strategy != "never"

    def resume(self, told: Sequence[Told], now: float) -> None:
        """Take up a run whose coordinator has ended, by what it was told; before anything else.

        The time goes on where it ended. Households repeat what is unanswered.
        """
        journal, self.journal = self.journal, RunJournal()  # so that nothing is kept twice
        journal.began = now - (told[-1].at if told else 0.0)
        self._enter(RunPhase.ENROLLING, journal.began)
        for envelope, at in told:
            self.handle(envelope, journal.began + at)
        self.journal = journal
        self._stretch(now)
        if self.phase is RunPhase.PLACING:
            self._again_at = now

    def tick(self, now: float) -> list[Envelope]:
        """Fail a run without progress; repeat messages that households have not answered."""
        if self._patience.deadline is None and not self.finished:
            self._enter(RunPhase.ENROLLING, now)
        if bound := self._patience.reached(now):
            if self.phase is not RunPhase.RELEASING:
                return self.fail(self._standstill(bound, now), now)
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
        dues = [due for due in (self._patience.deadline, self._again_at) if due is not None]
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
        self._stretch(now)

    def _stretch(self, now: float) -> None:
        """Begin another stretch of the run: a phase, an iteration, or a round."""
        if self.finished:
            self._patience.stop()
        elif self.phase is RunPhase.RELEASING:
            self._patience.farewell(now + FAREWELL)
        else:
            self._patience.stretch(now)

    def _sign(self, now: float) -> None:
        """Take a sign of progress within a stretch."""
        if not self.finished and self.phase is not RunPhase.RELEASING:
            self._patience.sign(now)

    def _on_enrol(self, envelope: Envelope, enrol: Enrol, now: float) -> list[Envelope]:
        enrolment, sender = self._enrolment, envelope.sender
        new = sender.name not in enrolment.addresses
        before = enrolment.enrol(sender, enrol)
        if new or enrol.session > before:
            self.journal.note(envelope, now)
        if new:
            self._sign(now)
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
                    return self._restart_planning(sender.name, enrol.loop, now)
                return self.fail(f"{sender.name} has lost its journal of the exchange", now)
            case _:
                return []

    def _restart_planning(self, name: str, loop: int, now: float) -> list[Envelope]:
        """Restart stage 1 for all after `loop` exchanges, because this household has lost its
        memory; nothing has been exchanged since."""
        self._begun[name] += 1
        if self._begun[name] > ATTEMPTS_MAX:
            return self.fail(f"{name} has lost its memory {ATTEMPTS_MAX} times", now)
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

    def _on_ready(self, envelope: Envelope, now: float) -> list[Envelope]:
        sender = envelope.sender
        if self.phase in (RunPhase.PLANNING, RunPhase.EXCHANGING):  # its Go got lost
            return [Envelope(self.address, sender, Go(self.attempt))]
        if self.phase is not RunPhase.PLACING:
            return []
        if sender.name not in self._ready:
            self.journal.note(envelope, now)
            self._ready.add(sender.name)
            self._sign(now)
        if len(self._ready) < len(self.members):
            return []
        self._enter(RunPhase.PLANNING, now)
        return self._to_all(Go(self.attempt))

    def _on_result(self, envelope: Envelope, result: Result, now: float) -> list[Envelope]:
        sender = envelope.sender
        if sender.name not in self.results:
            fault = next(faults(result, self._expected(sender.name)), None)
            if fault is not None:
                return self.fail(f"{sender.name} reports what cannot be: {fault}", now)
            self.journal.note(envelope, now)
            self.results[sender.name] = result
            self._sign(now)
        running = self.phase in (RunPhase.PLANNING, RunPhase.EXCHANGING)
        if running and len(self.results) == len(self.members):
            self._enter(RunPhase.RELEASING, now)
            self._again_at = now + RELEASE_AGAIN
            return self._release()
        return []

    def _expected(self, name: str) -> Expectation:
        """Return what the result of this household must be like."""
        assert self._enrolment.slots is not None, "it has enrolled"
        return Expectation(
            terms=self._terms(name),
            slots=self._enrolment.slots,
            is_root=name == self.members[0],
            plans=self._plans.get(name),
        )

    def _release(self) -> list[Envelope]:
        """Release all that have not left: hosts first, since they then report their traffic."""
        staying = self._to_all(Release(), skip=self._left)
        hosts = dict.fromkeys(envelope.to.host for envelope in staying)
        hosts.update(dict.fromkeys(a.host for a in self.matchmakers if a.host not in self.traffic))
        return [
            *(Envelope(self.address, Address(host, HOST), Release()) for host in hosts),
            *staying,
        ]

    def _to_all(self, message: Message, skip: Collection[str] = ()) -> list[Envelope]:
        return [
            Envelope(self.address, address, message)
            for name, address in self.enrolled.items()
            if name not in skip
        ]

    def _standstill(self, bound: str, now: float) -> str:
        """Return which bound is reached, and who is missing, if known."""
        missing = who_is_missing(
            self.phase,
            self.members,
            enrolled=self.enrolled,
            ready=self._ready,
            waiting=self._waiting.since(now - self._deadline),
            results=self.results,
        )
        return f"{bound} while {self.phase.value}: {missing}"
