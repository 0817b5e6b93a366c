"""Stage 2 alone in one process: traders and matchmakers on nodes, which exchange bytes and may
crash."""

from collections.abc import Callable, Mapping, Sequence
from random import Random

import numpy as np

from agents.exchange.journal.entries import Entry, MemoryJournal
from agents.exchange.journal.records import Setting
from agents.exchange.trader import Trader
from agents.mandate import FREE, Mandate
from matchmaker.trading_matchmaker import AnyMatchmaker, matchmaker_of
from orchestrator.simulation.network import NO_FAULTS, Network, NetworkFaults
from protocol.messages import Address
from protocol.runtime.machine import Envelope
from protocol.runtime.node import Node
from protocol.terms import ExchangeTerms
from protocol.vectors import Array
from tests.support.gate import Alone

RUN = "test"


class World(Network):
    """Households with schedules and preferred plans on several hosts, and matchmakers."""

    def __init__(
        self,
        schedules: Array,
        preferred: Array,
        terms: ExchangeTerms,
        *,
        hosts: int = 2,
        makers: int = 1,
        arity: int = 2,
        faults: NetworkFaults = NO_FAULTS,
        mandates: Mapping[int, Mandate] | None = None,
        journal: Callable[[], MemoryJournal] = MemoryJournal,
    ) -> None:
        """Set up the hosts; `schedules` and `preferred` are float64[n, d], kWh."""
        super().__init__([], faults)
        self.before, self.preferred, self.terms = schedules, preferred, terms
        count = len(schedules)
        self.places = [Address(f"host{i % hosts}", f"h{i:04}") for i in range(count)]
        self.makers = [Address(f"maker{k}", f"maker{k}") for k in range(makers)]
        self.mandates = mandates or {}
        self.journals = {f"host{k}": journal() for k in range(hosts)}
        self.crashes = 0
        self._arity, self._epoch = arity, 0
        self.traders = [self._new(position) for position in range(count)]
        for maker in self.makers:
            self._start_maker(maker)
        for host in self.journals:
            node = self.nodes[host] = Node(host, RUN, commit=self.journals[host].commit)
            for trader in self.traders:
                if trader.address.host == host:
                    node.machines[trader.address.name] = Alone(trader)
                    node.post(trader.start(0.0))

    def _new(self, position: int) -> Trader:
        place = self.places[position]
        return Trader(
            address=place,
            setting=self._setting(position),
            schedule=self.before[position],
            preferred=self.preferred[position],
            journal=self.journals[place.host],
            mandate=self.mandates.get(position, FREE),
        )

    def _setting(self, position: int) -> Setting:
        parent = None if position == 0 else self.places[(position - 1) // self._arity]
        first = self._arity * position + 1
        children = self.places[first : first + self._arity]
        return Setting(
            parent=parent,
            children=tuple(children),
            matchmakers=tuple(self.makers),
            terms=self.terms,
            position=position,
            households=len(self.places),
            roster=() if self.makers else tuple(self.places),
        )

    def _start_maker(self, maker: Address) -> None:
        self._epoch += 1
        machine = matchmaker_of(maker, self.before.shape[1], self._epoch, terms=self.terms)
        self.nodes[maker.host] = Node(maker.host, RUN, {maker.name: Alone(machine)})

    def crash(self, name: str, chance: Random) -> None:
        """End an endpoint like a killed process, and start it again from its journal."""
        self.crashes += 1
        old = self.nodes.pop(name)
        journal = self.journals.get(name)
        if journal is None:
            self._start_maker(Address(name, name))
        else:
            if chance.random() < 0.5:
                old.flush()  # killed after the commit, before the frames were sent
            journal.crash()
            entries = journal.entries()
            node = Node(name, RUN, commit=journal.commit)
            for position, place in enumerate(self.places):
                if place.host == name:
                    if place.name in entries:
                        trader, sent = self._resumed(position, entries[place.name], journal)
                    else:
                        trader = self._new(position)
                        sent = trader.start(self.now)
                    self.traders[position] = trader
                    node.machines[place.name] = Alone(trader)
                    node.post(sent)
            self.nodes[name] = node
        self._send(name, self.nodes[name].start(self.now))

    def _resumed(
        self, position: int, entries: Sequence[Entry], journal: MemoryJournal
    ) -> tuple[Trader, list[Envelope]]:
        mandate = self.mandates.get(position, FREE)
        return Trader.resume(self.places[position], entries, journal, self.now, mandate)

    # -- results -----------------------------------------------------------------------------------

    def over(self) -> bool:
        return all(trader.finished for trader in self.traders)

    @property
    def after(self) -> Array:
        return np.array([trader.schedule for trader in self.traders])

    def conserved(self) -> bool:
        """Return True if at each slot the values are the same as at the start, in whatever
        order."""
        return bool((np.sort(self.before, axis=0) == np.sort(self.after, axis=0)).all())

    def discomforts(self, schedules: Array) -> Array:
        return np.asarray(np.sqrt(((schedules - self.preferred) ** 2).mean(axis=1)))

    def matchmakers(self) -> Sequence[AnyMatchmaker]:
        return [
            machine.part
            for node in self.nodes.values()
            for machine in node.machines.values()
            if isinstance(machine, Alone) and isinstance(machine.part, AnyMatchmaker)
        ]


def bound(schedules: Array, preferred: Array) -> Array:
    """Return the best reassignment of the values within each slot: the j-th smallest value to the
    j-th smallest preference."""
    best = np.empty_like(schedules)
    for slot in range(schedules.shape[1]):
        order = np.argsort(preferred[:, slot], kind="stable")
        best[order, slot] = np.sort(schedules[:, slot])
    return best
