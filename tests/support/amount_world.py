"""Homes that exchange amounts on nodes, which exchange bytes and may crash."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from agents.devices.home import Home, Schedules
from agents.exchange.amounts.held_home import ROUNDING, HeldHome
from agents.exchange.journal.entries import Entry, MemoryJournal
from agents.exchange.journal.records import Setting
from agents.exchange.trader import Trader
from orchestrator.simulation.network import NO_FAULTS, NetworkFaults
from protocol.runtime.machine import Envelope
from protocol.terms import ExchangeTerms
from protocol.vectors import Array
from tests.support.exchange_world import World


class AmountWorld(World):
    """Homes on several hosts, and a matchmaker."""

    def __init__(
        self,
        homes: Sequence[tuple[Home, Schedules]],
        terms: ExchangeTerms,
        *,
        hosts: int = 2,
        faults: NetworkFaults = NO_FAULTS,
        feeders: Sequence[int] = (),
    ) -> None:
        """Set up the hosts with homes at these schedules; `feeders` has the feeder of each, all at
        one if empty."""
        self.homes, self.feeders = homes, tuple(feeders) or (0,) * len(homes)
        totals = np.array([home.total(schedules) for home, schedules in homes])
        super().__init__(totals, totals, terms, hosts=hosts, faults=faults)
        self.began = [held.squares for held in self.held]

    def _setting(self, position: int) -> Setting:
        return replace(super()._setting(position), feeder=self.feeders[position])

    def _new(self, position: int) -> Trader:
        place = self.places[position]
        return Trader(
            address=place,
            setting=self._setting(position),
            schedule=self.before[position],
            preferred=self.preferred[position],
            journal=self.journals[place.host],
            held=HeldHome(*self.homes[position], rule=self.terms.rule),
        )

    def _resumed(
        self, position: int, entries: Sequence[Entry], journal: MemoryJournal
    ) -> tuple[Trader, list[Envelope]]:
        home, _ = self.homes[position]
        return Trader.resume(self.places[position], entries, journal, self.now, home=home)

    @property
    def held(self) -> list[HeldHome]:
        """What every home holds now."""
        found = [trader.held for trader in self.traders]
        return [held for held in found if held is not None]

    def feasible(self) -> bool:
        """Return True if the devices of every home can follow what it holds, at no greater
        discomfort than at the start, and the trader's schedule is the home's total."""
        return all(
            held.home.fault(held.schedules) is None
            and held.squares <= began + ROUNDING
            and np.array_equal(held.total, trader.schedule)
            for held, trader, began in zip(self.held, self.traders, self.began, strict=True)
        )

    def conserved(self) -> bool:
        """Return True if the sum over the homes at each feeder is in every slot what it was, and
        each home has kept its own energy."""
        after: Array = self.after
        return bool(
            np.array_equal(self.by_feeder(after), self.by_feeder(self.before))
            and (after.sum(axis=1) == self.before.sum(axis=1)).all()
        )

    def by_feeder(self, schedules: Array) -> Array:
        """Return the sums over the homes at each feeder, float64[n, d] -> float64[F + 1, d]."""
        sums = np.zeros((max(self.feeders) + 1, schedules.shape[1]))
        np.add.at(sums, list(self.feeders), schedules)
        return sums

    @property
    def made(self) -> int:
        """Number of exchanges so far, counted by requesters."""
        return sum(trader.counts.accepted for trader in self.traders)
