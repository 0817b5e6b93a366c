"""The loop of planning and exchange: how one leads to the other if exchanges take place between
iterations (`exchange_every`).

After an exchange the schedule joins the household's plans, and planning goes on from it; after the
next iterations the selected plan or schedule enters another exchange. Own energy is kept, within
the energy drift, as the household's own plan has it from which a schedule came. When each of the
two begins and ends is decided in household.py.
"""

from dataclasses import replace

from agents.exchange.journal.another_exchange import AnotherExchange
from agents.exchange.stage import ExchangeStage
from agents.planning.replanning import Replanning
from agents.planning.stage import Participant, PlanningResult
from protocol.messages import Place, Replanned


def planner_after(exchange: ExchangeStage | None, household: Participant) -> Participant:
    """Return the household as it plans at the beginning, or after the exchanges that are over."""
    if exchange is None or not exchange.paused:
        return household
    schedules = tuple(schedule for schedule, _ in exchange.ends)
    return Replanning(schedules, exchange.generator_state).participant(household)


def another_exchange(
    exchange: ExchangeStage, household: Participant, planned: PlanningResult, *, place: Place
) -> AnotherExchange:
    """Return the beginning of the exchange that follows when the household has planned again."""
    plans, ends = planner_after(exchange, household).plans, exchange.ends
    selected = planned.selected
    at_end = selected - (len(plans.values) - len(ends))
    replanned = Replanned(
        selected_plan=selected,
        discomfort_kwh=float(plans.discomforts("rmse")[selected]),
        history=planned.history,
    )
    so_far = exchange.household.planned
    return AnotherExchange(
        planned=replace(so_far, replanned=(*so_far.replanned, replanned)),
        schedule=plans.values[selected],
        drift_kwh=ends[at_end][1] if at_end >= 0 else 0.0,
        generator_state=planned.generator_state,
        attempt=place.attempt,
    )
