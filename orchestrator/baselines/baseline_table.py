"""The table of baselines: a run beside the results of planners with full knowledge of its
households.

This module decides which baselines there are. `plan_descent`, `plan_exact_search`,
`exchange_assignment` and `day_assignment` compute them. The clock is an argument.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from agents.planning.costs import EXACT, Cost, cost_function
from agents.plans import Plans
from orchestrator.baselines.day_assignment import best_for_the_day, for_mean_comfort
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
from orchestrator.results.measures import Measures, bound_of_values, clipped, equal_shift, measures
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.scenario import Scenario, read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation.simulator import simulate
from protocol.vectors import Array

VALUES = "any assignment: bound of values"
"""Name of the bound of values in the table."""
SEARCH = "exact search (SCIP)"
"""Name of the exact search in the table."""
KEPT_KWH = 0.05
"""How far a household's own energy may move where a baseline keeps it, kWh."""
FEW_HOUSEHOLDS = 500
"""Baselines of whole days are computed for at most this many households; their time grows with the
square of the number and more."""
EQUAL_SHIFT = "equal shift: bound of amounts"
"""Name of the equal shift in the table."""
ROUNDING_KWH = 1e-12
"""Differences of discomfort below this are rounding, kWh."""
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
    """The value that planners minimise. Planning: `plan_descent.objective`; if beta is 0,
    inefficiency. Exchange: the summed squared deviation, kWh^2."""
    bound: float | None = None
    """A lower bound on the objective of every solution of this kind."""
    gap: float | None = None
    """(objective - bound) / objective; 0 if proven optimal."""
    households_worse: int | None = None
    """Exchange: number of households with more discomfort than after stage 1."""
    max_energy_drift: float | None = None
    """Exchange: largest change of a household's own energy, kWh."""
    clipped_slots: int | None = None
    """Exchange: household-slots with negative consumption though none is preferred."""
    clipped_kwh: float | None = None
    """Exchange: energy below zero at these slots, kWh."""


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
            choices=Choices.of(households, scenario.common_terms.discomfort),
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

    def exchange(self, name: str, schedules: Array, before: Array, began: float) -> Baseline:
        """Return the line of schedules after stage 2; `before` has those after stage 1."""
        preferred = self.preferred
        away, was = ((state - preferred) ** 2 for state in (schedules, before))
        slots, kwh = clipped(schedules, preferred)
        worse = np.sqrt(away.mean(1)) - np.sqrt(was.mean(1)) > ROUNDING_KWH
        return replace(
            self.line("exchange", name, schedules=schedules, began=began),
            objective=float(away.sum()),
            households_worse=int(worse.sum()),
            max_energy_drift=float(np.abs(schedules.sum(1) - before.sum(1)).max()),
            clipped_slots=slots,
            clipped_kwh=kwh,
        )

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
    seconds, exchange = results.seconds.exchange or 0.0, results.exchange
    assert exchange is not None
    name = f"coflex, {task.settings.exchange}"
    yield replace(
        _line("exchange", name, found=exchanged, seconds=seconds),
        households_worse=exchange.households_worse,
        max_energy_drift=exchange.max_energy_drift,
    )
    before, preferred = task.schedules(_selected(results)), task.preferred
    few = len(before) <= FEW_HOUSEHOLDS

    def line(name: str, compute: Callable[[Array, Array], Array], *, best: bool) -> Baseline:
        began = task.clock()
        found = task.exchange(name, compute(before, preferred), before, began)
        return replace(found, bound=found.objective, gap=0.0) if best else found

    yield line("greedy swaps, nobody loses", lambda *both: greedy_swaps(*both)[0], best=False)
    yield line("best assignment, nobody loses at any slot", lossless_assignment, best=True)
    if few:
        yield from _for_days(task, before)
    yield line(VALUES, bound_of_values, best=True)
    if few:
        yield line("the same values, for mean comfort", for_mean_comfort, best=False)
    yield line(EQUAL_SHIFT, equal_shift, best=True)


def _for_days(task: _Task, before: Array) -> Iterator[Baseline]:
    """Yield the best assignments in which nobody ends the day worse."""
    for drift_kwh in (None, KEPT_KWH):
        began = task.clock()
        found = best_for_the_day(before, task.preferred, drift_kwh)
        kept = "" if drift_kwh is None else f", own energy within {drift_kwh:g} kWh"
        name = f"best assignment, nobody ends worse{kept}"
        line = task.exchange(name, found.schedules, before, began)
        gap = (found.squares - found.bound) / found.squares if found.squares else 0.0
        yield replace(line, bound=found.bound, gap=gap)


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
