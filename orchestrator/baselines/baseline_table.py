"""A run beside what a planner who saw everything could do with the same households: one table.

The yardsticks themselves are in planning_baselines.py and baselines.py.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from agents.planning.costs import EXACT, cost_function
from orchestrator.baselines.exchange_assignment import greedy_swaps, lossless_assignment
from orchestrator.baselines.plan_descent import (
    STARTS,
    Choices,
    Selection,
    best_descent,
    least_variance,
    objective,
    random_selection,
    starts,
)
from orchestrator.baselines.plan_exact_search import best_selection
from orchestrator.coordination.placement import Run
from orchestrator.results.measures import Measures, exchange_bound, measures
from orchestrator.scenario.scenario import Scenario, read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation.simulator import simulate
from protocol.vectors import Array

SEARCH = "exact search (SCIP)"
"""Its line's name."""


@dataclass(frozen=True, slots=True)
class Yardstick:
    """One line of the table."""

    stage: str
    name: str
    inefficiency: float | None
    comfort: float | None
    unfairness: float | None
    seconds: float
    objective: float | None = None
    """What the planners make small (planning_baselines.py); with beta 0 the inefficiency."""
    bound: float | None = None
    """No selection has a smaller objective."""
    gap: float | None = None
    """(objective - bound) / objective; 0: proven optimal."""


def yardsticks(settings: RunSettings, exact_seconds: float) -> Iterator[Yardstick]:
    """The lines, one after another as they are computed. The search for the best selection ends
    after `exact_seconds`; 0: no search. InputError as for a run."""
    scenario = read_scenario(settings, "simulation")
    members = [scenario.population.households[name] for name in scenario.members]
    choices = Choices.of(members, settings.discomfort)
    terms = scenario.common_terms
    cost = cost_function(terms.cost, terms.target, terms.scaling, EXACT)
    wanted = np.array([own.preferred for own in members])

    def line(stage: str, name: str, schedules: Array, began: float) -> Yardstick:
        seconds = time.perf_counter() - began
        apart = np.sqrt(((schedules - wanted) ** 2).mean(1))
        demand = schedules.sum(0)
        found = measures(demand, apart, float(cost(demand)))
        return _line(stage, name, found, seconds)

    def schedules_of(selection: Selection) -> Array:
        return np.array([p[s] for p, s in zip(choices.plans, selection, strict=True)])

    def plan(name: str, selection: Selection, began: float) -> Yardstick:
        value = objective(choices, cost, settings.beta, selection)
        return replace(line("planning", name, schedules_of(selection), began), objective=value)

    chance = np.random.default_rng(settings.seed)
    preferred = np.array([own.preferred_index for own in members], np.intp)
    began = time.perf_counter()
    yield plan("everyone's preferred plan", preferred, began)
    yield plan("random", random_selection(choices, chance), began)
    run, planned, exchanged = _run(scenario)
    yield replace(planned, objective=objective(choices, cost, settings.beta, run))
    began = time.perf_counter()
    begins = starts(preferred, choices, chance)
    best = best_descent(choices, cost, settings.beta, begins, settings.seed)
    yield plan(f"coordinate descent, best of {STARTS} starts", best.selection, began)
    if terms.cost == "var":
        began = time.perf_counter()
        least, seconds = least_variance(choices), time.perf_counter() - began
        yield Yardstick("planning", "no selection below", least, None, None, seconds)
        if exact_seconds > 0:
            began = time.perf_counter()
            optimum = best_selection(choices, settings.beta, best.selection, exact_seconds, least)
            found = plan(SEARCH, optimum.selection, began)
            yield replace(found, bound=optimum.bound, gap=optimum.gap)
    if exchanged is None:
        return
    yield exchanged
    before = schedules_of(run)
    further: list[tuple[str, Callable[[], Array]]] = [
        ("greedy swaps in which nobody loses", lambda: greedy_swaps(before, wanted)[0]),
        ("best assignment in which nobody loses", lambda: lossless_assignment(before, wanted)),
        ("any assignment of the same values", lambda: exchange_bound(before, wanted)),
    ]
    for name, compute in further:
        began = time.perf_counter()
        yield line("exchange", name, compute(), began)


def _run(scenario: Scenario) -> tuple[Selection, Yardstick, Yardstick | None]:
    """The run itself: what it selected, and its two lines."""
    results = simulate(Run("yardsticks", scenario))
    selected = np.array([row.selected_plan for row in results.rows], np.intp)
    planned = _line("planning", "coflex (I-EPOS)", results.planned, results.seconds.planning)
    if results.exchanged is None:
        return selected, planned, None
    name = f"coflex, {scenario.settings.exchange}"
    seconds = results.seconds.exchange or 0.0
    return selected, planned, _line("exchange", name, results.exchanged, seconds)


def _line(stage: str, name: str, found: Measures, seconds: float) -> Yardstick:
    told = (found.inefficiency, found.mean_comfort, found.unfairness)
    return Yardstick(stage, name, *told, seconds)
