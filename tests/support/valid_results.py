"""Results that an orchestrator takes."""

import numpy as np

from protocol.messages import (
    Exchanged,
    ExchangeHistory,
    Iteration,
    PlanningHistory,
    Result,
    RoundCount,
)
from protocol.terms import Terms


def iterations(count: int) -> tuple[Iteration, ...]:
    """Return the rows of so many iterations."""
    return tuple(Iteration(number, 0.0, 0.0, 0.0, 0.0) for number in range(count))


def valid_result(terms: Terms, slots: int, *, root: bool = False, plan: int = 0) -> Result:
    """Return the result of a household, or of the root with both histories."""
    nothing = RoundCount._make([1, *[0] * (len(RoundCount._fields) - 1)])
    exchanged = Exchanged(
        discomfort_kwh=0.0, energy_drift_kwh=0.0, requests=0, accepted=0, refused=0
    )
    return Result(
        selected_plan=plan,
        beta=0.0,
        discomfort_planned_kwh=0.0,
        planning_history=PlanningHistory(iterations(terms.iterations), np.zeros(slots))
        if root
        else None,
        exchanged=exchanged if terms.exchange else None,
        exchange_history=ExchangeHistory((nothing, nothing), np.zeros(slots))
        if root and terms.exchange
        else None,
    )
