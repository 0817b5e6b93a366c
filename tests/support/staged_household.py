"""A household in stage 2 with its journal, and what others send it in tests."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from agents.exchange.journal.entries import Entry, MemoryJournal
from agents.exchange.stage import ExchangeStage, PlannedHousehold, remembered
from agents.exchange.traffic_count import TrafficCount
from agents.mandate import FREE, Mandate
from agents.own_functions import AcceptanceRule
from protocol.messages import (
    Address,
    Down,
    End,
    Lookup,
    Match,
    NextRound,
    Outcome,
    Place,
    Proposal,
    Result,
    RoundDone,
    RoundProgress,
    Up,
)
from protocol.messages.exchange import Lease, LeaseId, RoundCount
from protocol.runtime.machine import Envelope
from protocol.runtime.node import Counters
from protocol.terms import ExchangeTerms, Terms

OWN, PARENT = Address("host0", "own"), Address("host1", "parent")
MAKER, ORCHESTRATOR = Address("maker", "maker"), Address("home", "orchestrator")
PARTNER = Address("host2", "partner")
HELD, PREFERRED = np.array([1.0, 2.0]), np.array([2.0, 2.0])
NOTHING = RoundCount(**dict.fromkeys(RoundCount._fields, 0))
SHARES = np.array([-3 * 2**20, 0])
PLANNED = Result(selected_plan=3, beta=0.5, discomfort_planned_kwh=0.7)


class Household:
    """A household in stage 2 with its journal; the root if it has no parent."""

    def __init__(
        self,
        parent: Address | None = None,
        *,
        mandate: Mandate = FREE,
        children: tuple[Address, ...] = (),
        accepts: AcceptanceRule | None = None,
        every: int = 0,
        **terms: Any,
    ) -> None:
        exchange = ExchangeTerms(**{"order": "concurrent", "min_gain": 0.0, **terms})
        run = Terms(iterations=7, exchange=exchange, exchange_every=every)
        place = Place(0, 1, parent, children, run, (MAKER,), attempt=3)
        self.household, self.mandate = PlannedHousehold(OWN, ORCHESTRATOR, place, PLANNED), mandate
        self.journal, self.traffic = MemoryJournal(), TrafficCount(Counters(frames=5, bytes=70))
        self.stage, self.sent = ExchangeStage.begin(
            household=self.household,
            schedule=HELD,
            preferred=PREFERRED,
            journal=self.journal,
            mandate=mandate,
            traffic=self.traffic,
            now=0.0,
            accepts=accepts,
        )

    @property
    def written(self) -> Sequence[Entry]:
        self.journal.commit()
        return self.journal.entries()["own"]

    def hear(self, sender: Address, message: object, now: float = 1.0) -> None:
        assert isinstance(
            message, NextRound | End | Match | Outcome | Proposal | RoundDone | Up | Down
        )
        self.sent = self.stage.handle(Envelope(sender, OWN, message), now)

    def answer(self, *, leases: tuple[Lease, ...] = (), none: tuple[int, ...] = ()) -> None:
        """Let the matchmaker answer the last lookup."""
        lookup = self.lookup
        self.hear(MAKER, Match(lookup.session, lookup.number, 9, False, False, leases, none, ()))

    @property
    def lookup(self) -> Lookup:
        (lookup,) = (each.message for each in self.sent if isinstance(each.message, Lookup))
        return lookup

    def resume(self, now: float) -> None:
        """Kill the household and start it again from its journal."""
        self.stage, self.sent = ExchangeStage.resume(
            address=OWN,
            orchestrator=ORCHESTRATOR,
            entries=remembered(self.written),
            journal=self.journal,
            mandate=self.mandate,
            traffic=self.traffic,
            now=now,
        )

    def enter(self) -> None:
        """Go as far as the lookup of round 1, for a household with a parent."""
        self.hear(PARENT, NextRound(0, (), 0.5))
        self.answer()
        self.hear(PARENT, NextRound(1, (0, 1), 0.5))


def lease(slot: int, number: int, value: float = 2.0) -> Lease:
    return Lease(LeaseId(9, number), slot, PARTNER, value, 15.0)


def reported(sent: Sequence[Envelope]) -> list[tuple[Address, int]]:
    """Return the receivers of reports on rounds, with the number of each round."""
    return [(one.to, one.message.round) for one in sent if isinstance(one.message, RoundProgress)]


def rises(sent: Sequence[Envelope]) -> list[Up]:
    return [one.message for one in sent if isinstance(one.message, Up)]


def proposal(number: int = 5) -> Proposal:
    return Proposal(LeaseId(9, number), 0, 2.0, 1.0, 0.0)
