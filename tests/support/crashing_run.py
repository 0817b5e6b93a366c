"""A small run in simulation whose hosts and matchmakers can be killed at any moment."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np

from agents.devices.home import PlannedHome
from agents.exchange.journal.entries import MemoryJournal
from agents.plans import Plans
from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.coordination.nodes import (
    host_node,
    households_of,
    matchmaker_node,
    orchestrator_node,
)
from orchestrator.coordination.outcomes.loop_rows import histories_of
from orchestrator.coordination.run_journal import RunJournal
from orchestrator.results.audit import audit_words
from orchestrator.results.audit_checks import audit_of
from orchestrator.results.audit_evidence import Evidence
from orchestrator.scenario.scenario import Isolation, matchmaker_addresses
from orchestrator.simulation.network import Network, NetworkFaults
from protocol.runtime.node import Node
from protocol.subjects import ORCHESTRATOR
from protocol.terms import ExchangeTerms, RuleName, Terms
from protocol.vectors import Array
from tests.support.random_homes import SLOTS, random_home

ISOLATIONS: tuple[Isolation, ...] = ("task", "subtree")
RULES: tuple[RuleName, ...] = ("mutual", "cooperative", "ttc")
"""Those of bundles first."""


def plans_of_home(seed: int, name: str) -> Plans:
    """Return the plans of a random home: one, which its devices follow."""
    held = random_home(1000 * seed + int(name[1:]))
    own = PlannedHome(held.home, plans=(held.schedules,))
    return Plans(held.total[None], np.ones(1), home=own)


class CrashingRun(Network):
    """A small run whose hosts can be killed, and start again from their journals."""

    def __init__(
        self, seed: int, *, looped: bool = False, equal_shift: bool = False, homes: bool = False
    ) -> None:
        """Draw a run by a seed; in a third of them leases are sealed. `looped` for exchanges of
        bundles between iterations, with one matchmaker, with several, or with none; `homes` for
        homes that exchange amounts."""
        chance = Random(seed)
        count, self.slots = chance.randint(2, 6), chance.randint(1, 3) + 3 * looped
        draws = np.random.default_rng(seed)
        self.plans = {
            f"h{number}": Plans(draws.integers(0, 12, (3, self.slots)) / 4.0, np.ones(3))
            for number in range(count)
        }
        if homes:
            self.slots = SLOTS
            self.plans = {name: plans_of_home(seed, name) for name in self.plans}
        self.isolation = chance.choice(ISOLATIONS)
        self.hosts = {f"host-{k}": dict(list(self.plans.items())[k::3]) for k in range(3)}
        self.hosts = {name: own for name, own in self.hosts.items() if own}
        exchange = ExchangeTerms(
            rule=chance.choice(RULES[:2] if looped or homes else RULES),
            rounds=4,
            lease_seconds=1.0,
            equal_shift=equal_shift,
            trace=True,
        )
        if homes:
            exchange = replace(exchange, content="amounts", order="sequential")
        terms = Terms(iterations=3, exchange=exchange, patience_seconds=100)
        makers = matchmaker_addresses(chance.choice((0, 1, 2)) if looped else 1)
        if looped:
            exchange = replace(
                exchange, content="bundle", energy_drift_kwh=0.5, min_gain=0.0, order="waves"
            )
            terms = replace(terms, iterations=6, exchange=exchange, exchange_every=2)
        self.seed, self.terms, self.makers, self.told = seed, terms, makers, MemoryJournal()
        node, self.course = self._orchestrator()
        faults = NetworkFaults(
            dropped=chance.choice([0.0, 0.1, 0.3]),
            doubled=chance.choice([0.0, 0.2]),
            delay=(0.001, chance.choice([0.003, 0.1])),
            seed=seed,
        )
        super().__init__([node], faults)
        self.exchange, self.starts = exchange, 0
        self.journals = {name: MemoryJournal() for name in self.hosts}
        for name in (*self.hosts, *(maker.host for maker in makers)):
            self.start(name)

    def _orchestrator(self) -> tuple[Node, RunCoordinator]:
        return orchestrator_node(
            "r",
            list(self.plans),
            lambda _: self.terms,
            deadline=900.0,
            matchmakers=self.makers,
            roster={name: host for host, own in self.hosts.items() for name in own},
            secret=bytes(32) if self.seed % 3 == 0 else None,
            journal=RunJournal(self.told),
        )

    def start(self, name: str) -> None:
        self.starts += 1
        if name == ORCHESTRATOR:
            self.nodes[name], self.course = self._orchestrator()
            self.course.resume(RunJournal(self.told).told(self.course.address), self.now)
        elif name in self.hosts:
            self.nodes[name] = host_node(
                "r",
                name,
                self.hosts[name],
                isolation=self.isolation,
                journal=self.journals[name],
                session=1000 * self.starts,
            )
        else:
            self.nodes[name] = matchmaker_node(
                "r", name, slots=self.slots, terms=self.exchange, life=self.starts
            )

    def crash(self, name: str, chance: Random) -> None:
        if chance.random() < 0.5:
            self.nodes[name].flush()  # killed after the commit, before the frames left
        if name in self.journals:
            self.journals[name].crash()
        elif name == ORCHESTRATOR:
            self.told.crash()
        self.start(name)
        self._send(name, self.nodes[name].start(self.now))

    def run_to_its_end(self, shares: Sequence[float] = (0.01, 0.05)) -> int:
        """Kill parts at random until the run is over, and return how many; it must not fail.
        `shares` has the chances of a kill after a frame, of which one is drawn."""
        chance = Random(self.seed + 1)
        names = list(self.nodes)
        share, kills = chance.choice(shares), 0

        def kill() -> None:
            nonlocal kills
            # After the release a host is not started again.
            if kills < 5 and len(self.course.results) < len(self.plans) and chance.random() < share:
                kills += 1
                self.crash(chance.choice(names), chance)

        assert self.run(lambda: self.course.finished, watch=kill, until=3000), f"seed {self.seed}"
        assert not self.course.reason, f"seed {self.seed}: {self.course.reason}"
        audit = audit_of(self.evidence())
        assert audit.conserved, f"seed {self.seed}: {audit_words(audit)}"
        assert not audit.rounding_kwh, "values lie on the dyadic grid"
        return kills

    def evidence(self) -> Evidence:
        """Return what the orchestrator knows at the end, for an audit."""
        return Evidence(
            terms=self.terms,
            members=list(self.plans),
            plans=self.plans,
            results=self.course.results,
            histories=histories_of(self.course),
            exchange=self.course.exchange_history,
        )

    def schedules(self) -> dict[str, Array]:
        """What the households hold at the end."""
        held = {}
        for name in self.hosts:
            for household in households_of(self.nodes[name]):
                assert household.schedule is not None
                held[household.address.name] = household.schedule
        return held
