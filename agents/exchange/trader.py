"""The trader: one household's exchange as a machine, which owns the schedule during stage 2.

It joins the holding (holding.py), the exchange of single slots (slot_exchange.py) or of bundles
(bundle_exchange.py), and the rounds (rounds.py), and decides only when to move from one to the
next. None of its messages may leave the host before its journal is committed.
"""

from collections.abc import Sequence

from agents.devices.home import Home
from agents.exchange.amounts.amount_exchange import AmountExchange
from agents.exchange.amounts.held_home import HeldHome
from agents.exchange.amounts.home_record import held_at_start, setbacks_of
from agents.exchange.bundles.bundle_content import BundleContent
from agents.exchange.bundles.bundle_exchange import BundleExchange
from agents.exchange.contents import ContentExchange, exchange_of
from agents.exchange.cycles.cycle_exchange import trades_follow
from agents.exchange.disclosure import FLOOR
from agents.exchange.holding import Holding
from agents.exchange.journal import records
from agents.exchange.journal.amount_records import AmountRecord, write_amounts
from agents.exchange.journal.another_exchange import AnotherExchange, read_another, write_another
from agents.exchange.journal.entries import Entry, Journal, Kind
from agents.exchange.journal.home_facts import write_home
from agents.exchange.journal.records import Setting
from agents.exchange.negotiations import ExchangeCounts
from agents.exchange.rounds import ENTER, GATHER, Rounds, what_follows
from agents.exchange.traffic_count import TrafficCount
from agents.mandate import FREE, Mandate
from agents.own_functions import AcceptanceRule
from agents.retransmission import NEVER
from protocol.errors import PeerError
from protocol.messages import Address, BundleProposal, End, NextRound, RoundDone, Trace
from protocol.messages.exchange import RoundCount
from protocol.messages.results import HomeComfort
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
        held: HeldHome | None = None,
    ) -> None:
        """Set up a trader that has not sent anything yet.

        `schedule` is the selected plan of stage 1; both plans are float64[d], kWh. `session` must
        rise whenever the household restarts. `traffic` is the traffic count of its host. `accepts`
        takes the place of the run's acceptance rule. `held` is the home of content amounts; its
        total is `schedule`.
        """
        self.address, self.setting = address, setting
        self.counted: list[RoundCount] = []
        """The counts of each completed round, from GATHER on; at the root only."""
        self.gathers = [GATHER]
        """The round in which each exchange began."""
        self.ends: list[tuple[Array, float]] = []
        """Schedule and energy drift after each exchange that is over, kWh."""
        terms = setting.terms
        self._journal, self._mandate = journal, mandate
        self._traffic = TrafficCount() if traffic is None else traffic
        self._holding = Holding(schedule, preferred, terms=terms, mandate=mandate, accepts=accepts)
        self.held = held
        """The home of content amounts, else None."""
        self._exchange: ContentExchange = exchange_of(
            address, setting, self._holding, journal=journal, session=session, held=held
        )
        sequential = terms.order == "sequential"
        self._rounds = Rounds(
            address,
            setting.parent,
            setting.children,
            sequential=sequential,
            attempt=setting.attempt,
        )
        self._in_pass = False
        """True while the household goes through its own slots."""
        self._before = ExchangeCounts()
        """The counts at the time of its last report for a round."""
        self._began = self._measure()
        """Discomfort, and mean squared deviation, at the beginning of the round."""
        self._scale_kwh2 = 0.0

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
        """True once the whole subtree is known to be in this exchange."""
        return self.begun or self._rounds.risen is not None

    @property
    def begun(self) -> bool:
        """True once the whole tree is known to be in this exchange."""
        return self.round > self.gathers[-1]

    @property
    def counts(self) -> ExchangeCounts:
        """Counts of the household's part in stage 2 so far."""
        return self._exchange.counts

    def bundles_for(self, sender: Address, proposal: BundleProposal) -> BundleContent | None:
        """Return what decides about a proposal; None if it is not to be decided about."""
        own = self._exchange
        return own.bundles_for(sender, proposal) if isinstance(own, BundleExchange) else None

    @property
    def amounts(self) -> AmountExchange | None:
        """Return the exchange of amounts; None if the household exchanges something else."""
        return self._exchange if isinstance(self._exchange, AmountExchange) else None

    @property
    def trace(self) -> Trace:
        """The exchanges made so far."""
        return self._exchange.trace()

    @property
    def schedule(self) -> Array:
        """The values held now, float64[d], kWh."""
        return self._holding.schedule

    @property
    def discomfort(self) -> float:
        """RMSE against the preferred plan, kWh (source, eq. 1)."""
        return self._holding.discomfort()

    @property
    def comfort(self) -> HomeComfort | None:
        """The comfort of the people of a home that exchanges amounts, else None."""
        if self.held is None:
            return None
        own = self.held.home.comfort(self.held.schedules)
        return HomeComfort(
            discomfort=own.discomfort,
            minutes_late=own.minutes_late,
            degrees_short=own.degrees_short,
            hours_late=own.hours_late,
        )

    @property
    def missing(self) -> tuple[Address, ...]:
        """The partners, matchmakers or tree neighbours whose answers are missing."""
        return self._exchange.missing or self._rounds.missing

    # -- start and restart ------------------------------------------------------------------------

    def start(self, now: float) -> list[Envelope]:
        """Begin stage 2."""
        holding = self._holding
        beginning = records.Beginning(
            self.setting, self._mandate, schedule=holding.schedule, preferred=holding.preference
        )
        self._note("begin", records.write_beginning(beginning))
        if self.held is not None:
            self._note("home", write_home(self.held.home))
            schedules = self.held.schedules
            devices = AmountRecord(schedules, setbacks=setbacks_of(self.held.home, schedules))
            self._note("devices", write_amounts(devices))
        return self._sent(self._finish_pass(now))

    def start_another(self, another: AnotherExchange, now: float) -> list[Envelope]:
        """Begin another exchange, after planning again."""
        self._note("replanned", write_another(another))
        self._reopen(another)
        return self._sent(self._finish_pass(now))

    def _reopen(self, another: AnotherExchange) -> None:
        self._holding.replan(another.schedule, another.drift_kwh)
        self._began = self._measure()
        self._rounds.reopen(another.attempt)
        self._exchange.enter(self.round)
        self.gathers.append(self.round)

    def withdraw(self) -> None:
        """Leave the present exchange before it has begun: stage 1 begins anew."""
        self._note("withdrawn")
        self._withdraw()

    def _withdraw(self) -> None:
        self.gathers.pop()
        self._exchange.end()
        self._rounds.withdraw()

    @classmethod
    def resume(
        cls,
        address: Address,
        entries: Sequence[Entry],
        journal: Journal,
        now: float,
        mandate: Mandate = FREE,
        traffic: TrafficCount | None = None,
        home: Home | None = None,
    ) -> tuple["Trader", list[Envelope]]:
        """Return a trader restarted from its journal (`begin` first), and its first messages.
        `home` is that of the household; the journal has the schedules of its devices."""
        setting, _, schedule, preferred = records.read_beginning(entries[0].data)
        session = 2 + sum(entry.kind == "resume" for entry in entries)
        rule, caps = mandate.rule or setting.terms.rule, mandate.device_caps
        held = None if home is None else held_at_start(home, entries, rule=rule, caps=caps)
        trader = cls(
            address,
            setting,
            schedule=schedule,
            preferred=preferred,
            journal=journal,
            mandate=mandate,
            session=session,
            traffic=traffic,
            held=held,
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
                    self._before = self.counts.copy()
                    self._share(last)
                    self._exchange.enter(last.round)
                    self._holding.settle()
                    self._began = self._measure()
                case "risen":
                    risen, self._before = records.read_done(entry.data), self.counts.copy()
                case "counted":
                    self.counted.append(records.read_done(entry.data).count)
                    self._before = self.counts.copy()
                case "over":
                    self._rounds.round = entry.round
                    self._finish(End(entry.round))
                case "replanned":
                    last = risen = None
                    self._before = self.counts.copy()
                    self._reopen(read_another(entry.data))
                case "withdrawn":
                    self._withdraw()
                case _:
                    self._exchange.replay(entry, now)
        if self.finished:
            return []
        out = self._exchange.repeat(now)
        if last is None:
            return out + self._finish_pass(now)
        out += self._rounds.begin(last)
        self._exchange.announce()
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
            case RoundDone():
                out = self._rounds.on_done(sender, message) + self._complete(now)
            case NextRound():
                out = self._begin(message, now) if self._rounds.follows(sender, message) else []
            case End():
                out = self._end(message) if self._rounds.follows(sender, message) else []
            case _:
                out = self._exchange.handle(sender, message, now)
        return self._sent(out + self._go_on(now))

    def tick(self, now: float) -> list[Envelope]:
        """Repeat unanswered messages, and look up again after waiting for busy partners."""
        out = self._rounds.repeat(now) + self._exchange.repeat(now)
        return self._sent(out + self._go_on(now))

    def next_deadline(self) -> float | None:
        """Return when to call `tick`; None for never."""
        due = min(self._rounds.retransmission.deadline, self._exchange.wake)
        return None if due == NEVER else due

    # -- rounds -----------------------------------------------------------------------------------

    def _begin(self, following: NextRound, now: float) -> list[Envelope]:
        """Begin the next round."""
        changed = following.changed
        if changed and not 0 <= min(changed) <= max(changed) < self._holding.slots:
            raise PeerError(f"a round beyond the {self._holding.slots} slots")
        self._note("round", records.write_round(following), following.round)
        self._holding.settle()
        self._began = self._measure()
        self._share(following)
        self._exchange.enter(following.round)
        out = self._rounds.begin(following)
        if following.round == self.gathers[-1] + 1:
            self._exchange.announce()
        self._ask(following)
        return out + self._go_on(now)

    def _share(self, following: NextRound) -> None:
        """Take the numbers of a round that all households share."""
        terms, self._scale_kwh2 = self.setting.terms, following.scale_kwh2
        least_gain = 0.0 if terms.rule == "paper" else terms.min_gain * following.scale_kwh2
        self._exchange.share(following.scale_kwh2, least_gain, FLOOR * following.scale_kwh2**0.5)

    def _ask(self, following: NextRound) -> None:
        """Start looking up partners in this round."""
        self._in_pass = True
        self._exchange.ask(following)

    def _finish_pass(self, now: float) -> list[Envelope]:
        self._in_pass = False
        now_is = self.counts.copy()
        count = now_is.since(self._before, *self._began, *self._traffic.take())
        self._before = now_is
        out = self._rounds.done(count, self._exchange.changed, self._exchange.balance)
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
        if done.round == self.gathers[-1]:
            self._scale_kwh2 = done.count.deviation_kwh2 / done.count.households
        following = self._following(done)
        return self._end(following) if isinstance(following, End) else self._begin(following, now)

    def _following(self, done: RoundDone) -> NextRound | End:
        """Return the root's decision after this round."""
        if self.setting.terms.rule == "ttc":
            return trades_follow(done, self._scale_kwh2)
        exchange = self._exchange
        first = max(self.gathers[-1], ENTER) + 2  # counts begin with GATHER
        looked_up = self.counted[first + exchange.partial_rounds :]
        recent = looked_up[-exchange.quiet_rounds :]
        exchanges = sum(count.accepted for count in recent)
        everybody = sum(
            count.lookups if exchange.quiet_among_lookups else count.households for count in recent
        )
        return what_follows(
            done,
            self._scale_kwh2,
            slots=self._holding.slots,
            rounds_max=self.setting.terms.rounds,
            quiet=len(recent) == exchange.quiet_rounds
            and exchanges <= exchange.quiet_share * everybody,
            gather=self.gathers[-1],
        )

    def _end(self, end: End) -> list[Envelope]:
        self._note("over", round=end.round)
        return self._finish(end)

    def _finish(self, end: End) -> list[Envelope]:
        self._exchange.end()
        self.ends.append((self.schedule, self._holding.drift_kwh))
        return self._rounds.end(end)

    def _go_on(self, now: float) -> list[Envelope]:
        """Send what is due, and finish the own part of the round when nothing is open."""
        out = self._exchange.go_on(now, asking=self._in_pass)
        if self._in_pass and self._exchange.idle:
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
