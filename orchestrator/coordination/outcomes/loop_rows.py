"""The loops of a run with exchanges between iterations, from the histories of its root.

Decides what is reported of each loop: iterations, then an exchange. The measures of the whole run
are computed in outcome.py.
"""

from collections.abc import Sequence

from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.results.audit_checks import conserved
from orchestrator.results.audit_evidence import Evidence
from orchestrator.results.run_results import Loop, Round
from orchestrator.scenario.scenario import Scenario
from protocol.messages import Iteration, PlanningHistory


def histories_of(coordinator: RunCoordinator) -> list[PlanningHistory]:
    """Return the history of stage 1 before each exchange."""
    return [
        coordinator.planning_history,
        *(
            replanned.history
            for result in coordinator.results.values()
            for replanned in result.replanned
            if replanned.history is not None
        ),
    ]


def iterations_of(histories: Sequence[PlanningHistory]) -> tuple[Iteration, ...]:
    """Return the iterations of the whole run."""
    return tuple(row for history in histories for row in history.iterations)


def loops_of(
    scenario: Scenario,
    coordinator: RunCoordinator,
    rounds: Sequence[Round],
    evidence: Evidence,
) -> tuple[Loop, ...] | None:
    """Return one record per loop; None if the run has one exchange, after its last iteration."""
    exchange = coordinator.exchange_history
    if exchange is None or not scenario.common_terms.exchange_every:
        return None
    households = scenario.population.households
    own_plans = {name: len(households[name].values) for name in scenario.members}
    histories = histories_of(coordinator)
    ends = [*exchange.gathers[1:], len(rounds)]
    loops, first = [], 0
    for number, (history, sums, end) in enumerate(zip(histories, evidence.sums, ends, strict=True)):
        made, last = rounds[first:end], history.iterations[-1]
        loops.append(
            Loop(
                loop=number + 1,
                iterations=last.iteration + 1,
                inefficiency=last.inefficiency,
                planned_discomfort=last.mean_discomfort,
                exchanged_discomfort=made[-1].mean_discomfort,
                from_exchange=_from_exchange(coordinator, number, own_plans),
                rounds=len(made) - 1,
                exchanges=sum(row.accepted for row in made),
                messages=sum(row.messages + row.answers for row in made),
                conserved=conserved(*sums, evidence.rounding_kwh),
            )
        )
        first = end
    return tuple(loops)


def _from_exchange(coordinator: RunCoordinator, number: int, own_plans: dict[str, int]) -> int:
    """Return how many households have planned with a schedule from an earlier exchange."""
    if not number:
        return 0
    return sum(
        result.replanned[number - 1].selected_plan >= own_plans[name]
        for name, result in coordinator.results.items()
    )
