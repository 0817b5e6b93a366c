"""The loops of a run with exchanges between iterations, from the histories of its root.

Decides what is reported of each loop: iterations, then an exchange. The measures of the whole run
are computed in outcome.py.
"""

from collections.abc import Iterator, Sequence

from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.results.conservation import conserved
from orchestrator.results.run_results import Loop, Round
from orchestrator.scenario.scenario import Scenario
from protocol.messages import ExchangeHistory, Iteration, PlanningHistory
from protocol.vectors import Array


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


def all_conserved(histories: Sequence[PlanningHistory], exchange: ExchangeHistory) -> bool:
    """Return True if no exchange of the run has changed the sum of all schedules."""
    return all(conserved(before, after) for before, after in _around(histories, exchange))


def loops_of(
    scenario: Scenario, coordinator: RunCoordinator, rounds: Sequence[Round]
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
    for number, (history, sums, end) in enumerate(
        zip(histories, _around(histories, exchange), ends, strict=True)
    ):
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
                conserved=conserved(*sums),
            )
        )
        first = end
    return tuple(loops)


def _around(
    histories: Sequence[PlanningHistory], exchange: ExchangeHistory
) -> Iterator[tuple[Array, Array]]:
    """Yield the sum of all schedules before and after each exchange."""
    after = [history.summed_kwh for history in histories[1:]]
    for history, sums in zip(histories, [*after, exchange.response_kwh], strict=True):
        assert sums is not None
        yield history.response_kwh, sums


def _from_exchange(coordinator: RunCoordinator, number: int, own_plans: dict[str, int]) -> int:
    """Return how many households have planned with a schedule from an earlier exchange."""
    if not number:
        return 0
    return sum(
        result.replanned[number - 1].selected_plan >= own_plans[name]
        for name, result in coordinator.results.items()
    )
