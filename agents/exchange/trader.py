"""The trader: one household's exchange as a machine, which owns the schedule during stage 2.

It joins the holding (holding.py), the search for partners (partner_search.py), the
negotiations with partners (negotiations.py) and the rounds (rounds.py), and decides only when to
move from one to the next. None of its messages may leave the host before its journal is committed.
"""

from collections.abc import Sequence

from agents.exchange.disclosure import FLOOR
from agents.exchange.holding import Holding
from agents.exchange.journal import records
from agents.exchange.journal.entries import Entry, Journal, Kind
from agents.exchange.journal.records import Setting
from agents.exchange.negotiations import ExchangeCounts, Negotiations, ending
from agents.exchange.partner_search import PartnerSearch
from agents.exchange.rounds import ENTER, GATHER, Rounds, what_follows
from agents.exchange.traffic_count import TrafficCount
from agents.mandate import FREE, Mandate
from agents.own_functions import AcceptanceRule
from agents.retransmission import NEVER
from protocol.errors import PeerError
from protocol.messages import Address, End, Match, NextRound, Outcome, Proposal, RoundDone, Trace
from protocol.messages.exchange import Closed, RoundCount
from protocol.runtime.machine import Envelope
from protocol.vectors import Array


class Trader:
    """The trader of one household, from `start` (or `resume`) until `finished`."""

    def __init__(
        self,
        address: Address,
        setting: Setting,
        *,
        schedule: Array,
        preferred: Array,
        journal: Journal,
        mandate: Mandate = FREE,
        session: int = 1,
        traffic: TrafficCount | None = None,
        accepts: AcceptanceRule | None = None,
    ) -> None:
        """Set up a trader that has not sent anything yet.

        `schedule` is the selected plan of stage 1; both plans are float64[d], kWh. `session` must
        rise whenever the household restarts. `traffic` is the traffic count of its host. `accepts`
        takes the place of the run's acceptance rule.
        """
        self.address, self.setting = address, setting
        self.counted: list[RoundCount] = []
        """The counts of each completed round, from GATHER on; at the root only."""
        terms = setting.terms
        self._journal, self._mandate = journal, mandate
        self._traffic = TrafficCount() if traffic is None else traffic
        self._holding = Holding(schedule, preferred, terms=terms, mandate=mandate, accepts=accepts)
        self._negotiations = Negotiations(address, self._holding, journal)
        self._in_waves = terms.order == "waves"
        sequential = terms.order == "sequential"
        self._rounds = Rounds(
            address,
            setting.parent,
            setting.children,
            sequential=sequential,
            attempt=setting.attempt,
        )
        self._search = PartnerSearch(
            matchmakers=setting.matchmakers,
            session=session,
            slots=len(schedule),
            attempts_max=terms.attempts,
            waves=self._in_waves,
        )
        self._in_pass = False
        """True while the household goes through its own slots."""
        self._held_back: dict[Address, list[Envelope]] = {}
        """Answers held back until the matchmaker knows of the exchange (sequential order)."""
        self._outcomes: dict[int, tuple[Address, Outcome]] = {}
        """Answers by slot that wait for those to all open proposals (waves)."""
        self._exchanged: set[int] = set()
        """Slots at which the household exchanged a value in this round, as requester."""
        self._before = ExchangeCounts()
        """The counts at the time of its last report for a round."""
        self._began = self._measure()
        """Discomfort, and mean squared deviation, at the beginning of the round."""
        self._scale_kwh2 = self._min_gain_kwh2 = self._least_limit_kwh = 0.0

    # -- for reading ------------------------------------------------------------------------------

    @property
    def finished(self) -> bool:
        """True when stage 2 is over."""
        return self._rounds.over

    @property
    def round(self) -> int:
        """The present round; -1 and 0 come before the first exchange."""
        return self._rounds.round

    @property
    def gathered(self) -> bool:
        """True once the whole subtree is known to be in stage 2."""
        return self.round > GATHER or self._rounds.risen is not None

    @property
    def counts(self) -> ExchangeCounts:
        """Counts of the household's part in stage 2 so far."""
        return self._negotiations.counts

    @property
    def trace(self) -> Trace:
        """The exchanges made so far."""
        return self._negotiations.trace(by_lease=self._in_waves)

    @property
    def schedule(self) -> Array:
        """The values held now, float64[d], kWh."""
        return self._holding.schedule

    @property
    def discomfort(self) -> float:
        """RMSE against the preferred plan, kWh (source, eq. 1)."""
        return self._holding.discomfort()

    @property
    def missing(self) -> tuple[Address, ...]:
        """The partners, matchmakers or tree neighbours whose answers are missing."""
        return self._negotiations.partners or self._search.missing or self._rounds.missing

    # -- start and restart ------------------------------------------------------------------------

    def start(self, now: float) -> list[Envelope]:
        """Begin stage 2."""
        holding = self._holding
        beginning = records.Beginning(
            self.setting, self._mandate, schedule=holding.schedule, preferred=holding.preference
        )
        self._note("begin", records.write_beginning(beginning))
        return self._sent(self._finish_pass(now))

    @classmethod
    def resume(
        cls,
        address: Address,
        entries: Sequence[Entry],
        journal: Journal,
        now: float,
        mandate: Mandate = FREE,
        traffic: TrafficCount | None = None,
    ) -> tuple["Trader", list[Envelope]]:
        """Return a trader restarted from its journal (`begin` first), and its first messages."""
        setting, _, schedule, preferred = records.read_beginning(entries[0].data)
        session = 2 + sum(entry.kind == "resume" for entry in entries)
        trader = cls(
            address,
            setting,
            schedule=schedule,
            preferred=preferred,
            journal=journal,
            mandate=mandate,
            session=session,
            traffic=traffic,
        )
        trader._note("resume")
        return trader, trader._sent(trader._replay(entries[1:], now))

    def _replay(self, entries: Sequence[Entry], now: float) -> list[Envelope]:
        last: NextRound | None = None
        risen: RoundDone | None = None
        for entry in entries:
            match entry.kind:
                case "round":
                    last, risen = records.read_round(entry.data), None
                    self._before, self._exchanged = self.counts.copy(), set()
                    self._holding.settle()
                    self._began = self._measure()
                case "risen":
                    risen, self._before = records.read_done(entry.data), self.counts.copy()
                case "counted":
                    self.counted.append(records.read_done(entry.data).count)
                    self._before = self.counts.copy()
                case "over":
                    self._rounds.round = entry.round
                    self._rounds.end(End(entry.round))
                case _:
                    self._negotiations.replay(entry, now)
                    if entry.kind == "done":
                        self._exchanged.add(entry.slot)
        if self.finished:
            return []
        out = self._negotiations.repeat(now)
        if last is None:
            return out + self._finish_pass(now)
        out += self._enter(last)
        self._search.announce()
        if risen is not None:
            out += self._rounds.rise(risen, now)
        else:
            self._ask(last)
        return out + self._go_on(now)

    # -- the machine ------------------------------------------------------------------------------

    def handle(self, envelope: Envelope, now: float) -> list[Envelope]:
        """Answer one message of stage 2."""
        sender, message = envelope.sender, envelope.message
        match message:
            case Match():
                out = self._on_match(sender, message, now)
            case Proposal():
                out = self._on_proposal(sender, message)
            case Outcome():
                out = self._on_outcome(sender, message, now)
            case RoundDone():
                out = self._rounds.on_done(sender, message) + self._complete(now)
            case NextRound():
                out = self._begin(message, now) if self._rounds.follows(sender, message) else []
            case End():
                out = self._end(message) if self._rounds.follows(sender, message) else []
            case _:
                raise PeerError(f"{type(message).__name__} is not for a household in stage 2")
        return self._sent(out + self._go_on(now))

    def tick(self, now: float) -> list[Envelope]:
        """Repeat unanswered messages, and look up again after waiting for busy partners."""
        out = self._rounds.repeat(now) + self._negotiations.repeat(now)
        for client in self._search.clients:
            lookup = client.repeat(now)
            if lookup is not None:
                out.append(Envelope(self.address, client.matchmaker, lookup))
        return self._sent(out + self._go_on(now))

    def next_deadline(self) -> float | None:
        """Return when to call `tick`; None for never."""
        due = min(self._rounds.retransmission.deadline, self._negotiations.wake, self._search.wake)
        return None if due == NEVER else due

    # -- rounds -----------------------------------------------------------------------------------

    def _begin(self, following: NextRound, now: float) -> list[Envelope]:
        """Begin the next round."""
        changed = following.changed
        if changed and not 0 <= min(changed) <= max(changed) < self._holding.slots:
            raise PeerError(f"a round beyond the {self._holding.slots} slots")
        self._note("round", records.write_round(following), following.round)
        self._exchanged = set()
        self._holding.settle()
        self._began = self._measure()
        out = self._enter(following)
        if following.round == ENTER:
            self._search.announce()
        self._ask(following)
        return out + self._go_on(now)

    def _enter(self, following: NextRound) -> list[Envelope]:
        terms = self.setting.terms
        self._min_gain_kwh2 = (
            0.0 if terms.rule == "paper" else terms.min_gain * following.scale_kwh2
        )
        self._scale_kwh2, self._least_limit_kwh = (
            following.scale_kwh2,
            FLOOR * following.scale_kwh2**0.5,
        )
        self._holding.gain_before_losses_kwh2 = following.scale_kwh2
        return self._rounds.begin(following)

    def _ask(self, following: NextRound) -> None:
        """Start looking up partners for the own slots of this round."""
        self._in_pass = True
        self._search.begin(self._holding, following.changed)

    def _finish_pass(self, now: float) -> list[Envelope]:
        self._in_pass = False
        now_is = self.counts.copy()
        count = now_is.since(self._before, *self._began, *self._traffic.take())
        self._before = now_is
        out = self._rounds.done(count, tuple(sorted(self._exchanged)))
        return out + self._complete(now)

    def _complete(self, now: float) -> list[Envelope]:
        """Report to the parent when the subtree has finished; at the root, decide what follows."""
        done = self._rounds.complete()
        if done is None:
            return []
        if self.setting.parent is not None:
            self._note("risen", records.write_done(done), done.round)
            return self._rounds.rise(done, now)
        self.counted.append(done.count)
        self._note("counted", records.write_done(done), done.round)
        if done.round == GATHER:
            self._scale_kwh2 = done.count.deviation_kwh2 / done.count.households
        following = what_follows(
            done, self._scale_kwh2, slots=self._holding.slots, rounds_max=self.setting.terms.rounds
        )
        return self._end(following) if isinstance(following, End) else self._begin(following, now)

    def _end(self, end: End) -> list[Envelope]:
        self._note("over", round=end.round)
        return self._rounds.end(end)

    # -- lookups and negotiations -----------------------------------------------------------------

    def _on_match(self, sender: Address, match: Match, now: float) -> list[Envelope]:
        client = self._search.client_at(sender)
        if client is None:
            raise PeerError(f"{sender} is not a matchmaker of this run")
        if not client.heard(match, now):
            return []
        out = []
        self.counts.answers += 1
        self.counts.lookups += len(match.none) + len(match.busy) + len(match.leases)
        self.counts.matches += len(match.leases)
        for lease in match.leases:
            if lease.slot not in client.asked:
                raise PeerError(f"{sender} finds what was not looked for")
            done = self._negotiations.consider(lease, self.round, self._min_gain_kwh2, now)
            if isinstance(done, Closed):
                self._search.close(lease.slot, done)
                self._search.failed(lease.slot)
            else:
                out.append(done)
        return out

    def _on_outcome(self, sender: Address, outcome: Outcome, now: float) -> list[Envelope]:
        if not self._in_waves:
            self._conclude(sender, outcome, now)
        elif self._negotiations.awaits(sender, outcome):
            self._outcomes[outcome.slot] = sender, outcome
            if len(self._outcomes) == self._negotiations.open:
                # In an order that does not depend on which answer was faster.
                for _, answer in sorted(self._outcomes.items()):
                    self._conclude(*answer, now)
                self._outcomes.clear()
        return []

    def _conclude(self, sender: Address, outcome: Outcome, now: float) -> None:
        closed = self._negotiations.conclude(sender, outcome, self.round, now)
        if closed is not None:
            self._search.close(outcome.slot, closed)
            if outcome.accepted:
                self._exchanged.add(outcome.slot)
            else:
                self._search.failed(outcome.slot)

    def _on_proposal(self, sender: Address, proposal: Proposal) -> list[Envelope]:
        said = self._negotiations.answered(sender, proposal)
        client = self._search.client_of(proposal.slot)
        if said is not None:
            return [] if said in self._held_back.get(client.matchmaker, ()) else [said]
        if self.round < ENTER or self.finished:
            raise PeerError(f"{sender} proposes something outside the rounds")
        out = self._negotiations.answer(sender, proposal, self.round, self._min_gain_kwh2)
        assert isinstance(out.message, Outcome)
        self._search.close(proposal.slot, Closed(proposal.lease, ending(out.message.reason)))
        client.resting = 0.0
        if self.setting.terms.order == "sequential":
            # The next lookup of any household must see the effect of this exchange.
            self._held_back.setdefault(client.matchmaker, []).append(out)
            return []
        return [out]

    def _go_on(self, now: float) -> list[Envelope]:
        """Send lookups, and finish the own pass through the slots when nothing is open."""
        out: list[Envelope] = []
        if self._in_waves and self._negotiations.open:
            return out  # one lookup reports the ends of all
        room = self.setting.terms.leases_at_once - self._negotiations.open if self._in_pass else 0
        for client in self._search.clients:
            lookup = client.next_lookup(
                self._holding, self.round, self._min_gain_kwh2, self._least_limit_kwh, room, now
            )
            if lookup is not None:
                out.append(Envelope(self.address, client.matchmaker, lookup))
            elif self._held_back and client.informed:
                out += self._held_back.pop(client.matchmaker, [])
        if self._in_pass and not self._negotiations.open and self._search.idle:
            out += self._finish_pass(now)
        return out

    def _measure(self) -> tuple[float, float]:
        holding = self._holding
        return holding.discomfort(), holding.squares() / holding.slots

    def _sent(self, out: list[Envelope]) -> list[Envelope]:
        self.counts.messages += len(out)
        return out

    def _note(self, kind: Kind, data: bytes = b"", round: int = GATHER) -> None:
        self._journal.append(Entry(self.address.name, kind, round, data=data))
