"""Stage 2 of one household: the exchange, then a final sum over all schedules.

It joins the trader, which decides (trader.py), or the equal shift in its place (equal_shift.py),
with the final sum (final_sum.py), and journals what a household needs to continue after its host
was killed. If exchanges take place between iterations (`exchange_every`), it has one exchange after
another; the first iteration after each takes the place of the final sum. What comes before, between
and after is decided in agents/household.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgpack

from agents.devices.home import Home
from agents.exchange.amounts.held_home import HeldHome
from agents.exchange.bundles.bundle_content import BundleContent
from agents.exchange.equal_shift import EqualShift
from agents.exchange.final_sum import FinalSum
from agents.exchange.journal.another_exchange import AnotherExchange, read_another
from agents.exchange.journal.entries import Entry, Journal
from agents.exchange.journal.records import Setting, read_beginning
from agents.exchange.trader import Trader
from agents.exchange.traffic_count import TrafficCount
from agents.feeder_sums import by_feeder, width
from agents.mandate import Mandate
from agents.own_functions import AcceptanceRule
from agents.retransmission import Retransmission
from protocol.codec import decode_message, encode_message
from protocol.messages import (
    Address,
    BundleProposal,
    Down,
    Exchanged,
    ExchangeHistory,
    Place,
    Result,
    RoundProgress,
    Up,
)
from protocol.messages.planning import Aggregate
from protocol.runtime.machine import Envelope
from protocol.vectors import Array


@dataclass(frozen=True, slots=True)
class PlannedHousehold:
    """A household that enters stage 2: its addresses, its place, and its result of stage 1."""

    address: Address
    orchestrator: Address
    place: Place
    planned: Result
    """The result so far: the fields of stage 1."""

    @property
    def setting(self) -> Setting:
        """Return the part of the place that a trader needs. Only called in a run with stage 2."""
        terms = self.place.terms.exchange
        assert terms is not None
        place = self.place
        return Setting(
            parent=place.parent,
            children=place.children,
            matchmakers=place.matchmakers,
            terms=terms,
            attempt=place.attempt,
            position=place.position,
            households=place.households,
            roster=() if place.matchmakers else place.roster,
            matchmaker_keys=place.matchmaker_keys,
            feeder=place.terms.feeder,
        )


def remembered(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Return the entries of a household that still count: those since stage 1 last ended."""
    for place in reversed(range(len(entries))):
        if entries[place].kind == "anew":
            return ()
        if entries[place].kind == "planned":
            return entries[place:]
    return ()


class ExchangeStage:
    """One household's part in stage 2, from `begin` (or `resume`) until there is a `result`."""

    def __init__(
        self,
        household: PlannedHousehold,
        schedule: Array,
        journal: Journal,
        trader: Trader | EqualShift,
        states: list[int],
    ) -> None:
        """Take over from stage 1, whose selected plan is `schedule`, float64[d], kWh."""
        self.trader = trader
        self.result: Result | None = None
        """The result of both stages, once it is known."""
        self._household, self._journal = household, journal
        self.planned_schedule = schedule
        """The first selected plan of stage 1, float64[d], kWh."""
        self._states = states
        """The state of the generator for ties before each exchange, from the first to this one."""
        self._closing = FinalSum(
            household.address, household.place, width(len(schedule), household.place.terms)
        )
        self._told = 0
        """Number of rounds reported to the orchestrator."""
        self._unanswered: list[Envelope] = []
        """The own sum, while the sums over all households are missing."""
        self._retransmission = Retransmission()

    @classmethod
    def begin(
        cls,
        *,
        household: PlannedHousehold,
        schedule: Array,
        preferred: Array,
        journal: Journal,
        mandate: Mandate,
        traffic: TrafficCount,
        now: float,
        accepts: AcceptanceRule | None = None,
        held: HeldHome | None = None,
        generator_state: int = 0,
    ) -> "tuple[ExchangeStage, list[Envelope]]":
        """Enter stage 2. Both plans are float64[d], kWh. `accepts` takes the place of the run's
        acceptance rule; `held` is the home of content amounts. `generator_state` is that of the
        generator for ties after stage 1."""
        said = encode_message(household.place), encode_message(household.planned)
        data = msgpack.packb([*said, generator_state])
        journal.append(Entry(household.address.name, "planned", data=data))
        trader: Trader | EqualShift
        if household.setting.terms.equal_shift:
            trader = EqualShift(
                household.address,
                household.setting,
                schedule=schedule,
                preferred=preferred,
                journal=journal,
                mandate=mandate,
            )
        else:
            trader = Trader(
                address=household.address,
                setting=household.setting,
                schedule=schedule,
                preferred=preferred,
                journal=journal,
                mandate=mandate,
                traffic=traffic,
                accepts=accepts,
                held=held,
            )
        stage = cls(household, schedule, journal, trader=trader, states=[generator_state])
        return stage, stage._go_on(trader.start(now), now)

    @classmethod
    def resume(
        cls,
        *,
        address: Address,
        orchestrator: Address,
        entries: Sequence[Entry],
        journal: Journal,
        mandate: Mandate,
        traffic: TrafficCount,
        now: float,
        home: Home | None = None,
    ) -> "tuple[ExchangeStage, list[Envelope]]":
        """Enter stage 2 again, with the entries from `remembered`, at least one. `home` is that of
        the household, if it is one."""
        *said, state = msgpack.unpackb(entries[0].data)
        states = [state]
        place, planned = map(decode_message, said)
        assert isinstance(place, Place)
        assert isinstance(planned, Result)
        for entry in entries:
            if entry.kind == "replanned":
                another = read_another(entry.data)
                place, planned = replace(place, attempt=another.attempt), another.planned
                states.append(another.generator_state)
            elif entry.kind == "withdrawn":
                planned = replace(planned, replanned=planned.replanned[:-1])
                states.pop()
        own = [entry for entry in entries[1:] if entry.kind != "closed"]
        beginning = read_beginning(own[0].data)
        trader: Trader | EqualShift
        if beginning.setting.terms.equal_shift:
            trader, out = EqualShift.resume(address, own, journal, now)
        else:
            trader, out = Trader.resume(address, own, journal, now, mandate, traffic, home)
        stage = cls(
            PlannedHousehold(
                address=address, orchestrator=orchestrator, place=place, planned=planned
            ),
            beginning.schedule,
            journal,
            trader=trader,
            states=states,
        )
        closed = [entry for entry in entries if entry.kind == "closed"]
        if closed:
            down = decode_message(closed[-1].data)
            assert isinstance(down, Down)
            everybody = down.sums
            stage._closing.result = everybody
            stage.result = stage._conclude(everybody)
        return stage, stage._go_on(out, now)

    @property
    def household(self) -> PlannedHousehold:
        """The household, as it entered stage 2."""
        return self._household

    @property
    def held(self) -> HeldHome | None:
        """The home as it is now; None unless it exchanges amounts."""
        return self.trader.held if isinstance(self.trader, Trader) else None

    def bundles_for(self, sender: Address, proposal: BundleProposal) -> BundleContent | None:
        """Return what decides about a proposal; None if it is not to be decided about."""
        trader = self.trader
        return trader.bundles_for(sender, proposal) if isinstance(trader, Trader) else None

    @property
    def gathered(self) -> bool:
        """True once the whole subtree is known to be in stage 2."""
        return self.trader.gathered

    @property
    def begun(self) -> bool:
        """True once the whole tree is known to be in this exchange, until it is over."""
        return self.trader.begun and not self.paused

    @property
    def loop(self) -> int:
        """Number of exchanges that are over."""
        return len(self.ends)

    @property
    def ends(self) -> list[tuple[Array, float]]:
        """Schedule and energy drift after each exchange between pairs that is over, kWh."""
        return self.trader.ends if isinstance(self.trader, Trader) else []

    @property
    def paused(self) -> bool:
        """True from the end of an exchange that is not the last until another one starts."""
        over = self.loop if self.trader.finished else 0
        return 0 < over < self._household.place.terms.exchanges

    @property
    def generator_state(self) -> int:
        """The state of the generator for ties, as stage 1 left it."""
        return self._states[-1]

    @property
    def missing(self) -> tuple[Address, ...]:
        """The addresses whose messages are missing."""
        return self._closing.missing() if self.trader.finished else self.trader.missing

    @property
    def progress(self) -> int:
        """A number that rises while the household makes progress."""
        counts = self.trader.counts
        return counts.lookups + counts.given + counts.withheld

    # -- the machine ------------------------------------------------------------------------------

    def handle(self, envelope: Envelope, now: float) -> list[Envelope]:
        """Answer one message of stage 2."""
        sender, message = envelope.sender, envelope.message
        match message:
            case Up():
                out = self._closing.on_up(sender, message)
            case Down():
                out = self._closing.on_down(sender, message)
            case _:
                out = self.trader.handle(envelope, now)
        return self._go_on(out, now)

    def tick(self, now: float) -> list[Envelope]:
        """Repeat unanswered messages."""
        again = list(self._unanswered) if self._retransmission.due(now) else []
        out: list[Envelope] = []
        due = self.trader.next_deadline()
        if due is not None and due <= now:
            out += self.trader.tick(now)
        return again + self._go_on(out, now)

    def next_deadline(self) -> float:
        """Return when to call `tick`; NEVER if nothing is due."""
        due = self.trader.next_deadline()
        own = self._retransmission.deadline
        return own if due is None else min(due, own)

    def closes_with(self, message: Up | Down) -> bool:
        """Return True if this message belongs to the final sum, and not to stage 1."""
        return message.iteration == self._closing.iteration

    # -- another exchange -------------------------------------------------------------------------

    def start_another(self, place: Place, another: AnotherExchange, now: float) -> list[Envelope]:
        """Begin another exchange after planning again."""
        assert isinstance(self.trader, Trader)
        self._household = replace(self._household, place=place, planned=another.planned)
        self._closing = FinalSum(self._household.address, place, len(self.planned_schedule))
        self._states.append(another.generator_state)
        return self._go_on(self.trader.start_another(another, now), now)

    def withdraw(self) -> None:
        """Leave the present exchange before it has begun, because stage 1 begins anew."""
        assert isinstance(self.trader, Trader)
        planned = self._household.planned
        self._household = replace(
            self._household, planned=replace(planned, replanned=planned.replanned[:-1])
        )
        self._states.pop()
        self.trader.withdraw()

    # -- the final sum ----------------------------------------------------------------------------

    def _go_on(self, out: list[Envelope], now: float) -> list[Envelope]:
        """Report finished rounds, add up after the exchange, and conclude once the sums are
        known."""
        trader, closing, household = self.trader, self._closing, self._household
        for round in range(self._told, len(trader.counted)):
            progress = RoundProgress(round - 1, trader.counted[round])  # rounds count from -1
            out = [*out, Envelope(household.address, household.orchestrator, progress)]
        self._told = len(trader.counted)
        if trader.finished and not self.paused and not closing.offered and closing.result is None:
            discomfort = trader.discomfort
            schedule = by_feeder(trader.schedule, household.place.terms)
            out = out + closing.offer(Aggregate(schedule, discomfort, discomfort * discomfort))
        if closing.result is None:
            ups = [envelope for envelope in out if isinstance(envelope.message, Up)]
            if ups:
                self._unanswered = ups
                self._retransmission.sent(now)
        elif self.result is None:
            self._unanswered = []
            self._retransmission.stop()
            down = closing.answer(closing.result)
            self._journal.append(Entry(household.address.name, "closed", data=encode_message(down)))
            self.result = self._conclude(closing.result)
        return out

    def _conclude(self, everybody: Aggregate) -> Result:
        trader, counts = self.trader, self.trader.counts
        drift = float(trader.schedule.sum() - self.planned_schedule.sum())
        counted = trader.counted
        clipped_slots, clipped_kwh = trader.clipped if isinstance(trader, EqualShift) else (0, 0.0)
        return replace(
            self._household.planned,
            exchanged=Exchanged(
                discomfort_kwh=trader.discomfort,
                energy_drift_kwh=drift,
                requests=counts.proposals,
                accepted=counts.accepted,
                refused=counts.refused,
                trace=trader.trace if trader.setting.terms.trace else None,
                clipped_slots=clipped_slots,
                clipped_kwh=clipped_kwh,
                comfort=trader.comfort if isinstance(trader, Trader) else None,
            ),
            exchange_history=ExchangeHistory(
                tuple(counted), everybody.response, gathers=tuple(trader.gathers)
            )
            if counted
            else None,
        )
