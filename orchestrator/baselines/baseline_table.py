"""The table of baselines: a run beside the results of planners with full knowledge of its
households.

This module decides which baselines there are. `plan_descent`, `plan_exact_search` and
`exchange_assignment` compute them. The clock is an argument.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from agents.planning.costs import EXACT, Cost, cost_function
from agents.plans import Plans
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
from orchestrator.results.measures import Measures, bound_of_values, measures
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.scenario import Scenario, read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation.simulator import simulate
from protocol.vectors import Array

SEARCH = "exact search (SCIP)"
"""Name of the exact search in the table."""
Clock = Callable[[], float]
"""A function that returns the seconds since some fixed time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """One line of the table."""

    stage: str
    name: str
    inefficiency: float | None
    comfort: float | None
    unfairness: float | None
    seconds: float
    objective: float | None = None
    """The value that planners minimise (`plan_descent.objective`); if beta is 0, inefficiency."""
    bound: float | None = None
    """A lower bound on the objective of every selection."""
    gap: float | None = None
    """(objective - bound) / objective; 0 if proven optimal."""


@dataclass(frozen=True, slots=True)
class _Task:
    """The households of a run, and the cost and settings by which schedules are judged."""

    settings: RunSettings
    households: list[Plans]
    choices: Choices
    cost: Cost
    clock: Clock

    @classmethod
    def of(cls, settings: RunSettings, scenario: Scenario, clock: Clock) -> "_Task":
        households = [scenario.population.households[name] for name in scenario.members]
        terms = scenario.common_terms
        return cls(
            settings=settings,
            households=households,
            choices=Choices.of(households, settings.discomfort),
            cost=cost_function(terms.cost, terms.target, terms.scaling, arithmetic=EXACT),
            clock=clock,
        )

    @property
    def preferred(self) -> Array:
        """The preferred plans, float64[n, d], kWh."""
        return np.array([own.preferred for own in self.households])

    def schedules(self, selection: Selection) -> Array:
        """Return the selected plans, float64[n, d], kWh."""
        pairs = zip(self.choices.plans, selection, strict=True)
        return np.array([plans[place] for plans, place in pairs])

    def objective(self, selection: Selection) -> float:
        return objective(self.choices, self.cost, self.settings.beta, selection=selection)

    def line(self, stage: str, name: str, *, schedules: Array, began: float) -> Baseline:
        """Return the line of schedules whose computation began at `began`."""
        seconds = self.clock() - began
        discomforts = np.sqrt(((schedules - self.preferred) ** 2).mean(1))
        demand = schedules.sum(0)
        found = measures(demand, discomforts, float(self.cost(demand)))
        return _line(stage, name, found=found, seconds=seconds)

    def plan(self, name: str, selection: Selection, began: float) -> Baseline:
        """Return the line of a selection whose computation began at `began`."""
        line = self.line("planning", name, schedules=self.schedules(selection), began=began)
        return replace(line, objective=self.objective(selection))


def compute_baselines(
    settings: RunSettings, exact_seconds: float, *, clock: Clock
) -> Iterator[Baseline]:
    """Yield the lines of the table as they are computed.

    The search for the best selection ends after `exact_seconds`; if that is 0, there is no search.
    Raises InputError for the same settings as a run.
    """
    scenario = read_scenario(settings, "simulation")
    task = _Task.of(settings, scenario, clock)
    results = simulate(Run("baselines", scenario))
    yield from _for_planning(task, results, exact_seconds)
    if results.exchanged is not None:
        yield from _for_exchange(task, results, results.exchanged)


def _for_planning(task: _Task, results: RunResults, exact_seconds: float) -> Iterator[Baseline]:
    choices, beta, seed = task.choices, task.settings.beta, task.settings.seed
    chance = np.random.default_rng(seed)
    preferred = np.array([own.preferred_index for own in task.households], np.intp)
    began = task.clock()
    yield task.plan("everyone's preferred plan", preferred, began)
    yield task.plan("random", random_selection(choices, chance), began)
    yield replace(
        _line(
            "planning",
            "coflex (I-EPOS)",
            found=results.planned,
            seconds=results.seconds.planning,
        ),
        objective=task.objective(_selected(results)),
    )
    began = task.clock()
    begins = starts(preferred, choices, chance)
    best = best_descent(choices, task.cost, beta, starts=begins, seed=seed)
    yield task.plan(f"coordinate descent, best of {STARTS} starts", best.selection, began)
    if task.settings.cost != "var":
        return
    began = task.clock()
    least = least_variance(choices)
    yield Baseline(
        stage="planning",
        name="no selection below",
        inefficiency=least,
        comfort=None,
        unfairness=None,
        seconds=task.clock() - began,
    )
    if exact_seconds > 0:
        began = task.clock()
        optimum = best_selection(
            choices, beta, start=best.selection, seconds=exact_seconds, least=least
        )
        line = task.plan(SEARCH, optimum.selection, began)
        yield replace(line, bound=optimum.bound, gap=optimum.gap)


def _for_exchange(task: _Task, results: RunResults, exchanged: Measures) -> Iterator[Baseline]:
    seconds = results.seconds.exchange or 0.0
    name = f"coflex, {task.settings.exchange}"
    yield _line("exchange", name, found=exchanged, seconds=seconds)
    before, preferred = task.schedules(_selected(results)), task.preferred
    baselines: list[tuple[str, Callable[[], Array]]] = [
        ("greedy swaps in which nobody loses", lambda: greedy_swaps(before, preferred)[0]),
        ("best assignment in which nobody loses", lambda: lossless_assignment(before, preferred)),
        ("any assignment of the same values", lambda: bound_of_values(before, preferred)),
    ]
    for name, compute in baselines:
        began = task.clock()
        schedules = compute()
        yield task.line("exchange", name, schedules=schedules, began=began)


def _selected(results: RunResults) -> Selection:
    return np.array([row.selected_plan for row in results.rows], np.intp)


def _line(stage: str, name: str, *, found: Measures, seconds: float) -> Baseline:
    return Baseline(
        stage=stage,
        name=name,
        inefficiency=found.inefficiency,
        comfort=found.mean_comfort,
        unfairness=found.unfairness,
        seconds=seconds,
    )
