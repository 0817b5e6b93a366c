"""A run in one process: the same nodes as on the bus, on a simulated network in virtual time."""

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from agents.exchange.journal.entries import MemoryJournal
from agents.exchange.journal.sqlite import SqliteJournal
from orchestrator.coordination.coordinator import RunCoordinator, Stage
from orchestrator.coordination.nodes import (
    host_node,
    households_of,
    layout,
    matchmaker_addresses,
    matchmaker_node,
    orchestrator_node,
)
from orchestrator.coordination.outcome import collect
from orchestrator.distributed.host_process import journal_file, save_schedules
from orchestrator.distributed.orchestrator_process import own_tally
from orchestrator.garbage import collected_rarely
from orchestrator.results.run_results import RunResults, Seconds
from orchestrator.scenario.scenario import Scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation.network import NO_FAULTS, Network, NetworkFaults
from protocol.errors import RunError


def simulate(
    run_id: str,
    inputs: Scenario,
    settings: RunSettings,
    watch: Callable[[RunCoordinator], None] = lambda course: None,
    kept: Path | None = None,
    weather: NetworkFaults = NO_FAULTS,
) -> RunResults:
    """Run in simulation; the same selections and course as on the bus. Journals and
    schedules are kept in the folder `kept`, if one is given.

    Isolation `auto` is `subtree` in one host here: there are no processes to be isolated in.
    """
    began = time.perf_counter()
    if settings.isolation == "auto":
        alone = {"isolation": "subtree", "hosts": settings.hosts or 1}
        settings = settings.model_copy(update=alone)
    if settings.external:  # nobody else is here
        settings = settings.model_copy(update={"external": None})
    makers = matchmaker_addresses(settings)
    terms = inputs.terms(inputs.members[0]).exchange
    services = [
        matchmaker_node(run_id, maker.name, inputs.population.slots, terms, epoch=1)
        for maker in makers
        if terms is not None
    ]
    shares = layout(inputs.members, settings)
    journals = {name: MemoryJournal() for name in shares}
    hosts = [
        host_node(
            run_id,
            name,
            {member: inputs.population.households[member] for member in members},
            isolation=settings.resolved_isolation(len(inputs.members)),
            journal=journals[name],
            mandates=inputs.mandates,
        )
        for name, members in shares.items()
    ]
    node, course = orchestrator_node(
        run_id, inputs.members, inputs.terms, settings.deadline, matchmakers=makers
    )
    network = Network([*hosts, *services, node], weather)
    started = time.perf_counter()
    exchanging: float | None = None

    def look() -> None:
        nonlocal exchanging
        if exchanging is None and Stage.EXCHANGING in course.marks:
            exchanging = time.perf_counter()
        watch(course)

    with collected_rarely(len(inputs.members)):
        network.run(lambda: course.finished, watch=look)
    if course.reason:
        raise RunError(course.reason)
    ended = time.perf_counter()
    if kept is not None:
        for name, journal in journals.items():
            with closing(SqliteJournal(journal_file(kept, name))) as file:
                journal.save(file)
        if settings.save_schedules:
            save_schedules((member for host in hosts for member in households_of(host)), kept)
    planned = ended if exchanging is None else exchanging
    seconds = Seconds(
        start=started - began,
        planning=planned - started,
        exchange=None if exchanging is None else ended - planned,
        total=ended - began,
    )
    return collect(run_id, inputs, settings, course, own_tally(node), seconds, "simulation")
