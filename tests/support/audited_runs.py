"""Evidence for audits: of a run that was simulated, and of a small one made by hand."""

from dataclasses import replace
from typing import Any

import numpy as np

from agents.plans import Plans, rmse
from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.coordination.outcomes.loop_rows import histories_of
from orchestrator.coordination.outcomes.run_audit import evidence_of
from orchestrator.coordination.placement import Run
from orchestrator.results.audit_evidence import Evidence
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.scenario import read_scenario
from orchestrator.simulation.simulator import simulate
from protocol.messages import Exchanged, ExchangeHistory, Iteration, PlanningHistory, Result
from protocol.messages import RoundCount as Count
from protocol.messages.exchange import LeaseId
from protocol.messages.results import Trace
from protocol.terms import ExchangeTerms, Terms
from protocol.vectors import Array
from tests.support.settings import settings_of

Row = tuple[int, str, int, bool, float, float]
"""An exchange as one side reports it: slot, partner, number of the lease, asked, given, taken."""
TERMS = Terms(iterations=1, exchange=ExchangeTerms(trace=True))
PREFERRED = {"h1": [1.0, 1.0], "h2": [2.0, 2.0], "h3": [3.0, 3.0]}
PLANNED = {"h1": [2.0, 1.0], "h2": [1.0, 3.0], "h3": [3.0, 2.0]}
ROWS: dict[str, list[Row]] = {
    "h1": [(0, "h2", 7, True, 2.0, 1.0)],
    "h2": [(0, "h1", 7, False, 1.0, 2.0), (1, "h3", 8, True, 3.0, 2.0)],
    "h3": [(1, "h2", 8, False, 2.0, 3.0)],
}
"""h1 and h2 swap their values at slot 0, then h2 and h3 at slot 1: all hold what they prefer."""


def simulated(**options: object) -> tuple[RunResults, Evidence]:
    """Return a simulated run, and what its orchestrator knows."""
    seen: list[RunCoordinator] = []
    scenario = read_scenario(settings_of(options), "simulation")
    results = simulate(Run("audited", scenario), seen.append)
    return results, evidence_of(scenario, seen[-1], histories_of(seen[-1]))


def by_hand(
    rows: dict[str, list[Row]] | None = None,
    *,
    after: list[float] | None = None,
    counted: int = 2,
    terms: Terms = TERMS,
    unknown: tuple[str, ...] = (),
    changes: dict[str, dict[str, Any]] | None = None,
) -> Evidence:
    """Return a run of three households as they report it, with these rows in their traces.

    `after` are the sums after the exchange, `counted` is the root's number of exchanges. `changes`
    has new fields of `Result` or `Exchanged` by household.
    """
    rows = ROWS if rows is None else rows
    before = np.sum(list(PLANNED.values()), axis=0)
    results = {name: _result(name, rows[name], (changes or {}).get(name, {})) for name in PLANNED}
    zero = Count._make([3, *[0] * (len(Count._fields) - 1)])
    first = Iteration(0, 0.0, 0.0, 0.0, 0.0)
    return Evidence(
        terms=terms,
        members=tuple(PLANNED),
        plans={
            name: Plans(np.array([PREFERRED[name], plan]), np.array([1.0, 0.0]))
            for name, plan in PLANNED.items()
            if name not in unknown
        },
        results=results,
        histories=[PlanningHistory((first,), before)],
        exchange=ExchangeHistory(
            (zero, zero, zero._replace(accepted=counted), zero),
            before if after is None else np.array(after),
        ),
    )


def _result(name: str, rows: list[Row], changes: dict[str, Any]) -> Result:
    planned, preferred = np.array(PLANNED[name]), np.array(PREFERRED[name])
    exchanged = Exchanged(
        discomfort_kwh=0.0,
        energy_drift_kwh=float(preferred.sum() - planned.sum()),
        requests=1,
        accepted=sum(row[3] for row in rows),
        refused=0,
        trace=trace_of(rows),
    )
    own = {key: value for key, value in changes.items() if hasattr(exchanged, key)}
    others = {key: value for key, value in changes.items() if key not in own}
    result = Result(
        selected_plan=1,
        beta=0.0,
        discomfort_planned_kwh=float(rmse(planned[None], preferred[None])[0]),
        exchanged=replace(exchanged, **own),
    )
    return replace(result, **others)


def trace_of(rows: list[Row]) -> Trace:
    """Return the trace with these rows."""
    given, taken = (np.array([row[side] for row in rows], dtype=float) for side in (4, 5))
    nothing: Array = np.zeros(len(rows))
    return Trace(
        rounds=tuple(1 for _ in rows),
        slots=tuple(row[0] for row in rows),
        partners=tuple(row[1] for row in rows),
        leases=tuple(LeaseId(1, row[2]) for row in rows),
        asked=tuple(row[3] for row in rows),
        given_kwh=given,
        taken_kwh=taken,
        gains_kwh2=nothing,
    )
