"""Population, terms and order put together as nodes; the same for simulation, bus, replay."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from agents.exchange.journal.entries import Journal, MemoryJournal
from agents.exchange.traffic_count import TrafficCount
from agents.household import Household
from agents.mandate import FREE, Mandate
from agents.partition import partition
from agents.planning.costs import EXACT, Arithmetic
from agents.planning.host_planning import HostPlanning
from agents.planning.java_random import JavaRandom, household_chance
from agents.planning.stage import Participant, Planning, PlanningStage
from agents.plans import Plans
from matchmaker.matchmaker import Matchmaker
from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.scenario.settings import RunSettings
from protocol.messages import Address, Place
from protocol.runtime.host_endpoint import HostEndpoint
from protocol.runtime.node import Node
from protocol.subjects import HOST, ORCHESTRATOR
from protocol.terms import ExchangeTerms, Terms

COURSE = Address(ORCHESTRATOR, ORCHESTRATOR)
"""Where the orchestrator of a run is reached."""


@dataclass(frozen=True, slots=True)
class Numerics:
    """What differs between an ordinary run and the replay of a reference trace."""

    arithmetic: Arithmetic = EXACT
    chance: Callable[[int, str], JavaRandom] = household_chance


ORDINARY = Numerics()


def host_node(
    run: str,
    name: str,
    plans: Mapping[str, Plans],
    rules: Numerics = ORDINARY,
    isolation: Literal["process", "task", "subtree"] = "task",
    journal: Journal | None = None,
    mandates: Mapping[str, Mandate] | None = None,
    session: int = 1,
) -> Node:
    """A host with one household for each entry of `plans`; in isolation `subtree` they decide stage
    1 together, with the same results. They go on where the journal ends; `session` must rise
    whenever the host starts again."""
    kept = MemoryJournal() if journal is None else journal
    entries = kept.entries()
    node = Node(name, run, commit=kept.commit)
    node.machines[HOST] = HostEndpoint(name, COURSE, node.counters)
    traffic = TrafficCount(node.counters)
    companions: dict[Address, Household] = {}
    planning: Callable[[Participant, Place], Planning] = PlanningStage
    if isolation == "subtree":
        planning = HostPlanning(len(plans)).stage
    for household, own in plans.items():
        node.machines[household] = Household(
            Address(name, household),
            COURSE,
            own,
            arithmetic=rules.arithmetic,
            chance=rules.chance,
            planning=planning,
            companions=companions,
            journal=kept,
            mandate=(mandates or {}).get(household, FREE),
            session=session,
            entries=entries.get(household, ()),
            traffic=traffic,
        )
    return node


def matchmaker_addresses(settings: RunSettings) -> tuple[Address, ...]:
    """Where the matchmakers of a run are reached; each on a host of its own."""
    if settings.exchange == "off":
        return ()
    names = (f"matchmaker-{number}" for number in range(1, settings.matchmakers + 1))
    return tuple(Address(name, name) for name in names)


def matchmaker_node(run: str, name: str, slots: int, terms: ExchangeTerms, epoch: int) -> Node:
    """A matchmaker; `epoch` must differ from that of any of this name before it in the run."""
    node = Node(name, run)
    node.machines[HOST] = HostEndpoint(name, COURSE, node.counters)
    node.machines[name] = Matchmaker(
        Address(name, name), slots, epoch, lease=terms.lease_seconds, per_slot=terms.locks == "slot"
    )
    return node


def households_of(node: Node) -> list[Household]:
    """The households that live on a host."""
    return [machine for machine in node.machines.values() if isinstance(machine, Household)]


def orchestrator_node(
    run: str,
    members: Sequence[str],
    terms: Callable[[str], Terms],
    deadline: float = 60.0,
    matchmakers: Sequence[Address] = (),
) -> tuple[Node, RunCoordinator]:
    """The orchestrator's node, and the machine in it."""
    course = RunCoordinator(COURSE, members, terms, matchmakers=matchmakers, deadline=deadline)
    return Node(ORCHESTRATOR, run, {ORCHESTRATOR: course}), course


def layout(members: Sequence[str], settings: RunSettings) -> dict[str, list[str]]:
    """Which members live on which host.

    In isolation `process` each has a host of its own, of its own name; else a host gets whole
    subtrees, so that hosts seldom wait for one another and answers to many children share frames.
    Households that others run live nowhere here, and a host that has none left does not exist.
    """
    if settings.resolved_isolation(len(members)) == "process":
        shares = {member: [member] for member in members}
    else:
        parts = partition(len(members), settings.children, host_count(members, settings))
        shares = {
            f"host-{number}": [members[position] for position in part]
            for number, part in enumerate(parts, 1)
        }
    others = set(settings.externals)
    own = {host: [name for name in share if name not in others] for host, share in shares.items()}
    return {host: share for host, share in own.items() if share}


def host_count(members: Sequence[str], settings: RunSettings) -> int:
    """Among how many hosts the tree is divided, unless each household has its own."""
    return min(settings.hosts or _processors(), len(members))


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
