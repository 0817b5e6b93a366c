"""Stage 2 in memory: from what stage 1 selected to the schedules in the end, with at most one
household that lies.

The machines are those of every run. Messages are handled in the order in which they are sent, none
is lost, and nothing is journaled; so an outcome depends on nothing but its arguments. Rules that
are computed in one place (`ttc`, `equal`) are, since that is faster.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from agents.exchange.journal.entries import Entry
from agents.exchange.journal.records import Setting
from agents.exchange.trader import Trader
from agents.mandate import FREE, Mandate
from matchmaker.trading_matchmaker import AnyMatchmaker, matchmaker_of
from orchestrator.baselines.trading_cycles import precedence, taken_from
from orchestrator.manipulation.dishonesty import refusal, spoken
from orchestrator.manipulation.lies import Case, Lie, pretended_wish, withheld_slots
from protocol.errors import RunError
from protocol.messages import Address
from protocol.runtime.machine import Envelope
from protocol.terms import ExchangeTerms
from protocol.vectors import Array

HOST, MAKER = "host", Address("matchmaker-1", "matchmaker-1")


@dataclass(frozen=True, slots=True)
class Start:
    """A population when stage 2 begins."""

    households: tuple[str, ...]
    schedules: Array
    """Selected plans, float64[n, d], kWh."""
    preferred: Array
    """Preferred plans, float64[n, d], kWh."""
    terms: Mapping[Case, ExchangeTerms]
    """The terms of each case; of all but `equal`."""
    seed: int

    @property
    def shift(self) -> Array:
        """The equal share of what is planned beyond all preferred plans, float64[d], kWh."""
        return np.asarray((self.schedules - self.preferred).mean(axis=0))

    def discomforts(self, schedules: Array) -> Array:
        """Return the true discomforts of all households, float64[n], kWh."""
        return np.asarray(np.sqrt(((schedules - self.preferred) ** 2).mean(axis=1)))


def outcome(start: Start, case: Case, liar: int = 0, lie: Lie | None = None) -> Array:
    """Return the schedules after stage 2, float64[n, d], kWh, if the household number `liar` tells
    this lie and all others are honest."""
    held, preferred = start.schedules[liar], start.preferred[liar]
    wishes = start.preferred.copy()
    wishes[liar] = pretended_wish(lie, held, preferred, shift=start.shift)
    withheld = withheld_slots(lie, held, preferred)
    match case.rule:
        case "equal":
            shift = (start.schedules - wishes).mean(axis=0)
            return np.asarray(wishes + shift)
        case "ttc":
            # What is withheld takes part in no cycle, like a value that is wanted already.
            wishes[liar, list(withheld)] = held[list(withheld)]
            return _in_cycles(start, wishes)
        case _:
            mandate = _mandate(lie, start, liar, withheld)
            return _Exchange(start, case, wishes, liar=liar, lie=lie, mandate=mandate).run()


def _in_cycles(start: Start, wishes: Array) -> Array:
    traded = start.schedules.copy()
    for slot in range(traded.shape[1]):
        held = start.schedules[:, slot]
        places = precedence(start.households, slot, seed=start.seed)
        traded[:, slot] = held[taken_from(held, wishes[:, slot], places)]
    return traded


def _mandate(lie: Lie | None, start: Start, liar: int, withheld: frozenset[int]) -> Mandate:
    if lie is not None and lie.kind == "discomfort cap":
        cap = lie.factor * float(start.discomforts(start.schedules)[liar])
        return Mandate(discomfort=cap)
    return Mandate(never=withheld) if withheld else FREE


class _NoJournal:
    """A journal for households that are never restarted."""

    def append(self, entry: Entry) -> None:
        """Keep nothing."""

    def commit(self) -> None:
        """Keep nothing."""

    def entries(self) -> dict[str, list[Entry]]:
        """Return no entries."""
        return {}


class _Exchange:
    """One stage 2: the traders, a matchmaker, and the messages under way."""

    def __init__(
        self,
        start: Start,
        case: Case,
        wishes: Array,
        *,
        liar: int,
        lie: Lie | None,
        mandate: Mandate,
    ) -> None:
        terms = start.terms[case]
        self._lie = lie
        places = [Address(HOST, name) for name in start.households]
        self._liar = places[liar]
        self._messages: deque[Envelope] = deque()
        self._traders: dict[Address, Trader] = {}
        self._maker: AnyMatchmaker = matchmaker_of(MAKER, wishes.shape[1], 1, terms=terms)
        journal = _NoJournal()
        for number, place in enumerate(places):
            # All households are children of the first: which tree it is changes no exchange.
            setting = Setting(
                parent=places[0] if number else None,
                children=() if number else tuple(places[1:]),
                matchmakers=(MAKER,),
                terms=terms,
                households=len(places),
            )
            self._traders[place] = Trader(
                place,
                setting,
                schedule=start.schedules[number],
                preferred=wishes[number],
                journal=journal,
                mandate=mandate if number == liar else FREE,
            )

    def run(self) -> Array:
        """Run to the end. Raises RunError if nothing more can happen before it."""
        now = 0.0
        for trader in self._traders.values():
            self._send(trader.start(now))
        while not all(trader.finished for trader in self._traders.values()):
            while self._messages:
                self._deliver(self._messages.popleft(), now)
            machines = [self._maker, *self._traders.values()]
            dues = [due for machine in machines if (due := machine.next_deadline()) is not None]
            if not dues:
                break
            now = max(now, min(dues))
            for machine in machines:
                due = machine.next_deadline()
                if due is not None and due <= now:
                    self._send(machine.tick(now))
        if not all(trader.finished for trader in self._traders.values()):
            raise RunError("stage 2 does not end")
        return np.array([trader.schedule for trader in self._traders.values()])

    def _deliver(self, envelope: Envelope, now: float) -> None:
        if self._lie is not None and envelope.to == self._liar:
            refused = refusal(self._lie, envelope)
            if refused is not None:
                self._messages.append(refused)
                return
        if envelope.to == MAKER:
            self._send(self._maker.handle(envelope, now))
        else:
            self._send(self._traders[envelope.to].handle(envelope, now))

    def _send(self, envelopes: list[Envelope]) -> None:
        for envelope in envelopes:
            if self._lie is not None and envelope.sender == self._liar:
                envelope = envelope._replace(message=spoken(self._lie, envelope.message))
            self._messages.append(envelope)
