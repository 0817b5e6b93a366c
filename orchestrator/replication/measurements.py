"""What the runs of the evaluation say, as numbers: nothing is drawn or judged here."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orchestrator.experiments.statistics import FEWEST, interval
from orchestrator.results.run_results import RunResults


@dataclass(frozen=True, slots=True)
class Point:
    """A mean over runs and its 95 % interval; without one where there was a single run."""

    x: float
    mean: float
    low: float
    high: float


def point(x: float, values: Sequence[float]) -> Point:
    """The mean of a measure over runs at a place `x`."""
    if len(values) < FEWEST:
        return Point(x, values[0], float("nan"), float("nan"))
    found = interval(values)
    return Point(x, found.mean, found.low, found.high)


def by_beta(runs: Sequence[RunResults]) -> dict[float, list[RunResults]]:
    """The runs at each beta, rising."""
    found: dict[float, list[RunResults]] = {}
    for run in runs:
        found.setdefault(float(str(run.config["beta"])), []).append(run)
    return dict(sorted(found.items()))


def share_of(run: RunResults) -> float:
    """Of households that take part in the exchange."""
    return float(str(run.config["participation"]))


def gain(run: RunResults) -> float:
    """Mean comfort gain of a run."""
    return float(np.mean([row.comfort_gain or 0.0 for row in run.rows]))


def wants_to_trade(run: RunResults, least: float = 1e-9) -> float:
    """Share of households that are not at their preferred plan after stage 1."""
    return float(np.mean([row.discomfort_planned > least for row in run.rows]))


def succeeded(run: RunResults, least: float = 1e-9) -> float:
    """Share of households whose comfort rose."""
    return float(np.mean([(row.comfort_gain or 0.0) > least for row in run.rows]))


def both_roles(run: RunResults) -> float:
    """Of a traced run: share of households that both asked and were asked with success."""
    assert run.exchanges is not None
    asked = {row.requester for row in run.exchanges}
    answered = {row.responder for row in run.exchanges}
    return len(asked & answered) / run.households


def losing_responders(run: RunResults) -> float:
    """Of a traced run: share of exchanges that cost the responder comfort."""
    assert run.exchanges is not None
    return float(np.mean([row.responder_gain < -1e-12 for row in run.exchanges]))


def comfort_after_some(
    run: RunResults, sizes: Sequence[int], sets: int, seed: int = 0
) -> dict[int, list[float]]:
    """Of a traced run: mean comfort if only so many of its exchanges had been made, at random,
    for several sets of each size (figure 9).

    An exchange's part is the fall of both sides' squared deviation, as each computed it then.
    """
    assert run.exchanges is not None
    place = {row.household: number for number, row in enumerate(run.rows)}
    squares = np.array([row.discomfort_planned**2 * run.slots for row in run.rows])
    chance = np.random.default_rng(seed)
    found: dict[int, list[float]] = {}
    for size in sizes:
        for _ in range(sets):
            left = squares.copy()
            for number in chance.choice(len(run.exchanges), min(size, len(run.exchanges)), False):
                row = run.exchanges[number]
                left[place[row.requester]] -= row.requester_gain
                left[place[row.responder]] -= row.responder_gain
            comfort = 1 - np.sqrt(np.maximum(left, 0) / run.slots)
            found.setdefault(size, []).append(float(comfort.mean()))
    return found


def pareto(points: Sequence[tuple[float, float]]) -> list[int]:
    """Which of (inefficiency, comfort) no other beats in both: their numbers, by inefficiency."""
    order = sorted(range(len(points)), key=lambda i: (points[i][0], -points[i][1]))
    best, kept = -np.inf, []
    for number in order:
        if points[number][1] > best:
            best = points[number][1]
            kept.append(number)
    return kept


def knee(points: Sequence[tuple[float, float, float]]) -> float | None:
    """The beta at the knee of (beta, inefficiency, comfort): where further comfort begins to cost
    much. Kneedle (Satopaa, Albrecht, Irwin and Raghavan 2011) on the Pareto front; None if it finds
    none."""
    from kneed import KneeLocator

    front = [points[i] for i in pareto([(x, y) for _, x, y in points])]
    away, comfort = [x for _, x, _ in front], [y for _, _, y in front]
    if len(front) < 3:
        return None
    found = KneeLocator(away, comfort, curve="concave", direction="increasing").knee
    return None if found is None else front[away.index(found)][0]
