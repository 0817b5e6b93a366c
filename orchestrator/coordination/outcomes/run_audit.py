"""The audit of a run that has ended, with what its orchestrator knows."""

from collections.abc import Sequence

from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.results.audit_evidence import Evidence
from orchestrator.scenario.scenario import Scenario
from protocol.messages import PlanningHistory


def evidence_of(
    scenario: Scenario, coordinator: RunCoordinator, histories: Sequence[PlanningHistory]
) -> Evidence:
    """Return what an audit can use. `histories` are those before each exchange."""
    households, externals = scenario.population.households, set(scenario.externals)
    feeders = scenario.feeders
    return Evidence(
        terms=scenario.common_terms,
        members=scenario.members,
        plans={name: households[name] for name in scenario.members if name not in externals},
        results=coordinator.results,
        histories=histories,
        exchange=coordinator.exchange_history,
        feeders={}
        if feeders is None
        else {name: scenario.terms(name) for name in scenario.members},
        feeder_names=() if feeders is None else feeders.names,
    )
