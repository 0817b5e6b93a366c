"""Replays of reference traces of EPOS through our own machines, up to the first difference.

A trace is one JSON file with the input of a run of EPOS and the result of each iteration
(docs/epos.md). The machines are the ordinary ones; EPOS's order of summation, its random generator
for ties and its deviations are arguments.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.planning.costs import COMPATIBLE
from agents.planning.java_random import JavaRandom
from agents.plans import Plans
from agents.population.epos_folder import read_agent
from orchestrator.coordination.nodes import Numerics, host_node, households_of, orchestrator_node
from orchestrator.simulation.network import Network
from protocol.checked_input import invalid
from protocol.errors import InputError, RunError
from protocol.messages import PlanningHistory
from protocol.terms import (
    CostName,
    DiscomfortName,
    HardConstraint,
    Limit,
    Reorganisation,
    ScalingName,
    Terms,
)

_DISCOMFORTS: dict[str, DiscomfortName] = {"DISC": "score", "PREF": "preference", "INDEX": "index"}
_SCALINGS: dict[str, ScalingName] = {
    "STD": "std",
    "UNIT-LENGTH": "unit-length",
    "MIN-MAX": "min-max",
}
_STRATEGIES: dict[str, Literal["periodically", "convergence", "cost-reduction"]] = {
    "periodically": "periodically",
    "convergence": "convergence",
    "globalCostReduction": "cost-reduction",
}


class Reorg(BaseModel):
    """The settings for tree reorganisation in a trace."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    strategy: str = "never"
    period: int = 0
    offset: int = 0
    memorization: bool = True
    threshold: float = 0.0
    seed: int = 0


class TraceIteration(BaseModel):
    """One iteration of a trace; `selected` is indexed by position in the tree of iteration 0."""

    model_config = ConfigDict(extra="ignore")

    iteration: int
    global_cost: float
    local_cost_mean: float
    unfairness: float
    local_cost_sum: float | None = None
    local_cost_sum_sqr: float | None = None
    selected: list[int]


class ReferenceTrace(BaseModel):
    """A reference trace."""

    model_config = ConfigDict(extra="ignore")

    dataset: str
    num_agents: int = Field(alias="numAgents")
    num_plans: int = Field(alias="numPlans")
    num_children: int = Field(alias="numChildren")
    num_iterations: int = Field(alias="numIterations")
    alpha: float
    beta: float
    global_cost_function: CostName = Field(alias="globalCostFunction")
    local_cost_function: str = Field(alias="localCostFunction")
    scaling: str | None = None
    goal: list[float] | None = None
    reorg: Reorg | None = None
    constraint: str | None = None
    hard: list[list[float]] | None = None
    weights_by_vertex: list[tuple[float, float]] | None = None
    sim: int = 0
    agent_ids: list[int]
    agent_file_of_vertex: list[int]
    iterations: list[TraceIteration]
    global_response_last: list[float]


@dataclass(frozen=True, slots=True)
class ReplayDifference:
    """The first difference between a replay and its trace."""

    iteration: int
    what: str
    reference: object
    replayed: object

    def __str__(self) -> str:
        return (
            f"iteration {self.iteration}, {self.what}: "
            f"reference {self.reference!r}, replayed {self.replayed!r}"
        )


def read_trace(path: Path) -> ReferenceTrace:
    """Read the trace in a file. Raises InputError if it is not one."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError("no such trace", file=path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", file=path) from error
    except json.JSONDecodeError as error:
        raise InputError(f"not JSON: {error.msg}", file=path, line=error.lineno) from error
    if isinstance(data, dict) and isinstance(data.get("globalCostFunction"), str):
        data["globalCostFunction"] = data["globalCostFunction"].lower()
    try:
        return ReferenceTrace.model_validate(data)
    except ValidationError as error:
        raise invalid(error, file=path, prefix="not a trace: ") from error


def verify(path: Path, data: Path) -> ReplayDifference | None:
    """Replay the trace at `path`, with plans from `data`/<data set>/. Returns None if the results
    are identical."""
    trace = read_trace(path)
    plans = _plans(trace, data, path)
    try:
        terms = _terms(trace)
    except (ValueError, KeyError) as error:
        raise InputError(f"not a run of EPOS: {error}", file=path) from error
    last = trace.num_agents - 1
    members = [f"h{number}" for number in trace.agent_ids]
    if [trace.agent_file_of_vertex[last - p] for p in range(last + 1)] != trace.agent_ids:
        raise InputError("agent_ids and agent_file_of_vertex disagree", file=path)
    seeds = _tie_seeds(trace)
    numerics = Numerics(COMPATIBLE, lambda _, name: JavaRandom(seeds[last - members.index(name)]))

    host = host_node("verify", "host", dict(zip(members, plans, strict=True)), numerics=numerics)
    node, coordinator = orchestrator_node(
        "verify", members, lambda name: terms(last - members.index(name))
    )
    Network([host, node]).run(lambda: coordinator.finished)
    if coordinator.reason:
        raise RunError(f"{path}: {coordinator.reason}")
    selections = [household.selections for household in households_of(host)]
    history = coordinator.planning_history
    if len(history.response_kwh) != len(trace.global_response_last):
        raise InputError("global_response_last has not as many slots as the plans", file=path)
    return _compare(trace, selections, history)


def _plans(trace: ReferenceTrace, data: Path, path: Path) -> list[Plans]:
    """Return the plans of each household, by position."""
    folder = data / trace.dataset
    if not folder.is_dir():
        raise InputError(f"no data set {trace.dataset!r} for the trace {path}", file=folder)
    of_households = [trace.agent_ids, trace.agent_file_of_vertex]
    of_households += [row.selected for row in trace.iterations]
    counts = {len(set(trace.agent_ids)), *map(len, of_households)}
    if trace.weights_by_vertex is not None:
        counts.add(len(trace.weights_by_vertex))
    if counts != {trace.num_agents} or len(trace.iterations) != trace.num_iterations:
        raise InputError("numbers of households or iterations disagree", file=path)
    return [
        read_agent(folder / f"agent_{number}.plans", limit=trace.num_plans, allow_nan_scores=True)
        for number in trace.agent_ids
    ]


def _terms(trace: ReferenceTrace) -> Callable[[int], Terms]:
    """Return the function from a vertex to the terms of its household."""
    reorg = trace.reorg or Reorg()
    common = Terms(
        iterations=trace.num_iterations,
        arity=trace.num_children,
        cost=trace.global_cost_function,
        scaling=_SCALINGS[trace.scaling or "STD"],
        target=None if trace.goal is None else np.array(trace.goal),
        discomfort=_DISCOMFORTS[trace.local_cost_function],
        alpha=trace.alpha,
        beta=trace.beta,
        reorganisation=Reorganisation(
            strategy=_STRATEGIES.get(reorg.strategy, "never"),
            period=reorg.period,
            offset=reorg.offset,
            memorise=reorg.memorization,
            threshold=reorg.threshold,
            seed=reorg.seed,
        ),
        constraint=_constraint(trace),
    )
    weights = trace.weights_by_vertex
    if weights is None:
        return lambda vertex: common
    return lambda vertex: replace_weights(common, *weights[vertex])


def replace_weights(terms: Terms, alpha: float, beta: float) -> Terms:
    """Return the same terms with other weights."""
    return replace(terms, alpha=alpha, beta=beta)


def _constraint(trace: ReferenceTrace) -> HardConstraint | None:
    if trace.constraint not in ("HARD_PLANS", "HARD_COSTS") or not trace.hard:
        return None
    kind: Literal["plans", "costs"] = "plans" if trace.constraint == "HARD_PLANS" else "costs"
    rows = trace.hard[: 4 if kind == "plans" else 2]
    limits = tuple(
        Limit(np.array(bound), tuple(int(m) for m in mode))
        for bound, mode in zip(rows[::2], rows[1::2], strict=True)
    )
    return HardConstraint(kind, limits)


def _tie_seeds(trace: ReferenceTrace) -> list[int]:
    """Return the seeds for ties by vertex: one generator makes the seeds of all vertices and
    simulations in turn."""
    seeder = JavaRandom(0)
    drawn = [seeder.next_long() for _ in range((trace.sim + 1) * trace.num_agents)]
    return drawn[trace.sim * trace.num_agents :]


def _compare(
    trace: ReferenceTrace, selections: Sequence[list[int]], history: PlanningHistory
) -> ReplayDifference | None:
    for row, reference in zip(history.iterations, trace.iterations, strict=True):
        at = row.iteration
        for position, (own, wanted) in enumerate(zip(selections, reference.selected, strict=True)):
            if own[at] != wanted:
                household = f"household h{trace.agent_ids[position]}, selected plan"
                return ReplayDifference(
                    iteration=at, what=household, reference=wanted, replayed=own[at]
                )
        for what, wanted_value, value in (
            ("global cost", reference.global_cost, row.inefficiency),
            ("mean local cost", reference.local_cost_mean, row.mean_discomfort),
            ("unfairness", reference.unfairness, row.unfairness),
        ):
            if not _identical(value, wanted_value):
                return ReplayDifference(
                    iteration=at, what=what, reference=wanted_value, replayed=value
                )
    last = len(trace.iterations) - 1
    for slot, (value, wanted_value) in enumerate(
        zip(history.response_kwh.tolist(), trace.global_response_last, strict=True)
    ):
        if not _identical(value, wanted_value):
            return ReplayDifference(
                iteration=last,
                what=f"global response, slot {slot}",
                reference=wanted_value,
                replayed=value,
            )
    return None


def _identical(one: float, other: float) -> bool:
    """Return True if the numbers are equal to the last bit, or if EPOS has NaN where rounding made
    a variance negative."""
    return one == other or (one != one and other != other)
