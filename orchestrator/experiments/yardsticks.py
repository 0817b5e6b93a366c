"""A run beside what a planner who saw everything could do with the same households: one table.

The yardsticks themselves are in planning_baselines.py and baselines.py.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from agents.costs import EXACT, cost_function
from orchestrator.baselines import greedy_swaps, lossless_assignment
from orchestrator.inputs import Inputs, read_inputs
from orchestrator.metrics import Measures, exchange_bound, measures
from orchestrator.planning_baselines import (
    Choices,
    Selection,
    best_descent,
    least_variance,
    random_selection,
)
from orchestrator.settings import RunSettings
from orchestrator.simulate import simulate
from protocol.vectors import Array

STARTS = 10
"""Of coordinate descent: everybody's preferred plan, and random selections."""


@dataclass(frozen=True, slots=True)
class Yardstick:
    """One line of the table."""

    stage: str
    name: str
    inefficiency: float | None
    comfort: float | None
    unfairness: float | None
    seconds: float


def yardsticks(settings: RunSettings) -> Iterator[Yardstick]:
    """The lines, one after another as they are computed. InputError as for a run."""
    inputs = read_inputs(settings)
    members = [inputs.population.households[name] for name in inputs.members]
    choices = Choices(
        [own.values for own in members], [own.discomforts(settings.discomfort) for own in members]
    )
    terms = inputs.terms(inputs.members[0])
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

    chance = np.random.default_rng(settings.seed)
    preferred = np.array([own.preferred_index for own in members], np.intp)
    began = time.perf_counter()
    yield line("planning", "everyone's preferred plan", schedules_of(preferred), began)
    yield line("planning", "random", schedules_of(random_selection(choices, chance)), began)
    run, planned, exchanged = _run(settings, inputs)
    yield planned
    began = time.perf_counter()
    starts = [preferred, *(random_selection(choices, chance) for _ in range(STARTS - 1))]
    best = best_descent(choices, cost, settings.beta, starts, settings.seed)
    yield line(
        "planning",
        f"coordinate descent, best of {STARTS} starts",
        schedules_of(best.selection),
        began,
    )
    if terms.cost == "var":
        began = time.perf_counter()
        least, seconds = least_variance(choices), time.perf_counter() - began
        yield Yardstick("planning", "no selection below", least, None, None, seconds)
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


def _run(settings: RunSettings, inputs: Inputs) -> tuple[Selection, Yardstick, Yardstick | None]:
    """The run itself: what it selected, and its two lines."""
    results = simulate("yardsticks", inputs, settings)
    selected = np.array([row.selected_plan for row in results.rows], np.intp)
    planned = _line("planning", "coflex (I-EPOS)", results.planned, results.seconds.planning)
    if results.exchanged is None:
        return selected, planned, None
    name = f"coflex, {settings.exchange}"
    seconds = results.seconds.exchange or 0.0
    return selected, planned, _line("exchange", name, results.exchanged, seconds)


def _line(stage: str, name: str, found: Measures, seconds: float) -> Yardstick:
    told = (found.inefficiency, found.mean_comfort, found.unfairness)
    return Yardstick(stage, name, *told, seconds)
