"""The nodes of a run, assembled from machines: hosts with their households, matchmakers, and the
orchestrator.

The same nodes run on the bus, in simulation and in the replay of reference traces. `placement.py`
decides which household lives on which host.
"""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from agents.exchange.bundles.bundle_content import BundleContent
from agents.exchange.bundles.frame_choice import choose_together
from agents.exchange.journal.entries import Journal, MemoryJournal
from agents.exchange.traffic_count import TrafficCount
from agents.household import Household
from agents.mandate import FREE, Mandate
from agents.own_functions import AcceptanceRule
from agents.planning.costs import EXACT, Arithmetic
from agents.planning.host_planning import HostPlanning
from agents.planning.java_random import JavaRandom, household_chance
from agents.planning.stage import Participant, Planning, PlanningStage
from agents.plans import Plans
from matchmaker.commissioned import CommissionedMatchmaker
from matchmaker.trading_matchmaker import matchmaker_of
from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.coordination.placement import Run
from orchestrator.coordination.run_journal import RunJournal
from orchestrator.scenario.scenario import Isolation
from protocol.codec import Item
from protocol.messages import Address, BundleProposal, Iteration, Place
from protocol.runtime.host_endpoint import HostEndpoint
from protocol.runtime.machine import Machine
from protocol.runtime.node import Node
from protocol.subjects import HOST, ORCHESTRATOR
from protocol.terms import ExchangeTerms, Terms

ORCHESTRATOR_ADDRESS = Address(ORCHESTRATOR, ORCHESTRATOR)
"""The orchestrator's address in every run."""
OBJECTS_PER_HOUSEHOLD = 1_500
"""New objects per household between two runs of the garbage collector."""


@dataclass(frozen=True, slots=True)
class Numerics:
    """The arithmetic of costs and the generator that breaks ties.

    The replay of a reference trace uses others than an ordinary run.
    """

    arithmetic: Arithmetic = EXACT
    chance: Callable[[int, str], JavaRandom] = household_chance


ORDINARY = Numerics()
"""The numerics of every run except a replay."""


def host_node(
    run: str,
    name: str,
    plans: Mapping[str, Plans],
    *,
    numerics: Numerics = ORDINARY,
    isolation: Isolation = "task",
    journal: Journal | None = None,
    mandates: Mapping[str, Mandate] | None = None,
    session: int = 1,
    accepts: AcceptanceRule | None = None,
    iterated: Callable[[Iteration], None] = lambda iteration: None,
) -> Node:
    """Return a host with one household for each entry of `plans`.

    In isolation `subtree`, the households of the host decide stage 1 together, with the same
    results. The households continue where the journal ends. `session` must be larger each time the
    host starts again. `accepts` replaces the run's acceptance rule. `iterated` is called after each
    iteration of a root on this host that decides together with other households.
    """
    kept = MemoryJournal() if journal is None else journal
    entries = kept.entries()
    node = Node(name, run, commit=kept.commit)
    node.machines[HOST] = HostEndpoint(name, ORCHESTRATOR_ADDRESS, node.counters)
    traffic = TrafficCount(node.counters)
    companions: dict[Address, Household] = {}
    planning: Callable[[Participant, Place], Planning] = PlanningStage
    if isolation == "subtree":
        planning = HostPlanning(len(plans), iterated).stage
    for household, own in plans.items():
        node.machines[household] = Household(
            Address(name, household),
            ORCHESTRATOR_ADDRESS,
            own,
            arithmetic=numerics.arithmetic,
            chance=numerics.chance,
            planning=planning,
            companions=companions,
            journal=kept,
            mandate=(mandates or {}).get(household, FREE),
            session=session,
            entries=entries.get(household, ()),
            traffic=traffic,
            accepts=accepts,
        )
    node.foresee = partial(_choose_bundles, node)
    return node


def _choose_bundles(node: Node, sender: str, items: list[Item]) -> None:
    """Choose the bundles for the proposals of a frame from this host, if there are several."""
    asked: list[tuple[BundleContent, BundleProposal]] = []
    for item in items:
        if not isinstance(item.message, BundleProposal):
            continue
        machine = node.machines.get(item.to)
        exchange = machine.exchange if isinstance(machine, Household) else None
        requester = Address(sender, item.sender)
        bundles = None if exchange is None else exchange.bundles_for(requester, item.message)
        if bundles is not None:
            asked.append((bundles, item.message))
    if len(asked) > 1:
        choose_together(asked)


def matchmaker_node(run: str, name: str, *, slots: int, terms: ExchangeTerms, life: int) -> Node:
    """Return a matchmaker.

    `life` is a number that no earlier matchmaker with this name had in the run.
    """
    address, node = Address(name, name), Node(name, run)
    node.machines[HOST] = HostEndpoint(name, ORCHESTRATOR_ADDRESS, node.counters)
    node.machines[name] = CommissionedMatchmaker(
        address,
        ORCHESTRATOR_ADDRESS,
        life=life,
        content=terms.content,
        make=lambda epoch: matchmaker_of(address, slots, epoch, terms=terms),
    )
    return node


def commissioned(node: Node) -> CommissionedMatchmaker:
    """Return the machine of a matchmaker's node."""
    machine = node.machines[node.name]
    assert isinstance(machine, CommissionedMatchmaker)
    return machine


def orchestrator_node(
    run: str,
    members: Sequence[str],
    terms: Callable[[str], Terms],
    *,
    deadline: float = 60.0,
    round_limit: float | None = None,
    limit: float | None = None,
    matchmakers: Sequence[Address] = (),
    roster: Mapping[str, str] | None = None,
    secret: bytes | None = None,
    plans: Mapping[str, int] | None = None,
    journal: RunJournal | None = None,
) -> tuple[Node, RunCoordinator]:
    """Return the orchestrator's node and the coordinator in it. Options as in RunCoordinator."""
    kept = RunJournal() if journal is None else journal
    coordinator = RunCoordinator(
        ORCHESTRATOR_ADDRESS,
        members,
        terms,
        matchmakers=matchmakers,
        roster=roster,
        secret=secret,
        deadline=deadline,
        round_limit=round_limit,
        limit=limit,
        plans=plans,
        journal=kept,
    )
    machines: dict[str, Machine] = {ORCHESTRATOR: coordinator}
    return Node(ORCHESTRATOR, run, machines, commit=kept.commit), coordinator


def orchestrator_of(
    run: Run, secret: bytes | None = None, journal: RunJournal | None = None
) -> tuple[Node, RunCoordinator]:
    """Return the orchestrator's node for `run` and the coordinator in it. `secret` and `journal`
    are as in RunCoordinator."""
    scenario = run.scenario
    return orchestrator_node(
        run.id,
        scenario.members,
        scenario.terms,
        deadline=scenario.settings.deadline,
        round_limit=scenario.settings.round_limit,
        limit=scenario.settings.limit,
        matchmakers=scenario.matchmakers,
        roster=run.roster,
        secret=secret,
        plans={name: len(own.values) for name, own in scenario.population.households.items()},
        journal=journal,
    )


def households_of(node: Node) -> list[Household]:
    """Return the households that live on a host."""
    return [machine for machine in node.machines.values() if isinstance(machine, Household)]


def endpoint_of(node: Node) -> HostEndpoint:
    """Return the machine that answers for a host or matchmaker as a whole."""
    endpoint = node.machines[HOST]
    assert isinstance(endpoint, HostEndpoint)
    return endpoint


@contextmanager
def rare_garbage_collection(households: int) -> Iterator[None]:
    """Run the garbage collector rarely inside the context, in proportion to the number of
    households.

    A run creates millions of messages and none of them form cycles, so frequent collection would
    only cost time. The old threshold is restored afterwards.
    """
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], OBJECTS_PER_HOUSEHOLD * households), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
