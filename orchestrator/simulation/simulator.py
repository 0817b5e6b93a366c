"""The simulator: runs a scenario in one process, with the same results as on the bus."""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from pathlib import Path

from agents.exchange.journal.entries import MemoryJournal
from agents.exchange.journal.sqlite import SqliteJournal
from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.coordination.host_files import journal_file, save_schedules
from orchestrator.coordination.nodes import (
    Numerics,
    host_node,
    households_of,
    matchmaker_node,
    orchestrator_of,
    rare_garbage_collection,
)
from orchestrator.coordination.outcome import collect, traffic_of
from orchestrator.coordination.placement import Run
from orchestrator.coordination.run_phase import RunPhase
from orchestrator.results.run_results import RunResults, Seconds
from orchestrator.simulation.network import NO_FAULTS, Network, NetworkFaults
from protocol.errors import RunError
from protocol.messages import Iteration
from protocol.runtime.node import Node

Iterated = Callable[[Iteration], None]


def simulate(
    run: Run,
    watch: Callable[[RunCoordinator], None] = lambda coordinator: None,
    *,
    iterated: Iterated = lambda iteration: None,
    kept: Path | None = None,
    faults: NetworkFaults = NO_FAULTS,
    secret: bytes | None = None,
) -> RunResults:
    """Run a scenario that was read for simulation, and return its results.

    `watch` is called after every event, and `iterated` after each iteration of a root that decides
    together with other households, since many iterations may be one event. Journals and schedules
    are written into the folder `kept` if one is given. Leases are sealed if a `secret` is given (as
    in RunCoordinator), which changes nothing but the time that the run takes. Raises RunError with
    the reason if the run fails.
    """
    if run.scenario.execution != "simulation":
        raise ValueError("read the scenario for simulation: read_scenario(settings, 'simulation')")
    began = time.perf_counter()
    journals = {host: MemoryJournal() for host in run.hosts}
    hosts = _hosts(run, journals, iterated)
    node, coordinator = orchestrator_of(run, secret)
    network = Network([*hosts, *_matchmakers(run), node], faults)
    started = time.perf_counter()
    exchanging: float | None = None

    def look() -> None:
        nonlocal exchanging
        if exchanging is None and RunPhase.EXCHANGING in coordinator.marks:
            exchanging = time.perf_counter()
        watch(coordinator)

    with rare_garbage_collection(len(run.scenario.members)):
        network.run(lambda: coordinator.finished, watch=look)
    if coordinator.reason:
        raise RunError(coordinator.reason)
    ended = time.perf_counter()
    if kept is not None:
        _keep(run, kept, journals=journals, hosts=hosts)
    planned = ended if exchanging is None else exchanging
    seconds = Seconds(
        start=started - began,
        planning=planned - started,
        exchange=None if exchanging is None else ended - planned,
        total=ended - began,
    )
    return collect(run, coordinator, own=traffic_of(node), seconds=seconds)


def _hosts(run: Run, journals: Mapping[str, MemoryJournal], iterated: Iterated) -> list[Node]:
    return [
        host_node(
            run.id,
            host,
            run.plans_of(host),
            isolation=run.scenario.isolation,
            journal=journal,
            mandates=run.scenario.mandates,
            numerics=Numerics(arithmetic=run.scenario.arithmetic),
            accepts=run.scenario.accepts,
            iterated=iterated,
        )
        for host, journal in journals.items()
    ]


def _matchmakers(run: Run) -> list[Node]:
    scenario, terms = run.scenario, run.scenario.exchange
    if terms is None:
        return []
    slots = scenario.population.slots
    return [
        matchmaker_node(run.id, matchmaker.name, slots=slots, terms=terms, life=1)
        for matchmaker in scenario.matchmakers
    ]


def _keep(
    run: Run, kept: Path, *, journals: Mapping[str, MemoryJournal], hosts: Iterable[Node]
) -> None:
    """Write the files that hosts keep in a run on the bus."""
    for host, journal in journals.items():
        with closing(SqliteJournal(journal_file(kept, host), temporary=True)) as file:
            journal.save(file)
    if run.scenario.settings.save_schedules:
        save_schedules((household for host in hosts for household in households_of(host)), kept)
