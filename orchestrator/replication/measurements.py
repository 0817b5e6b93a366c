"""Measurements: numbers from the runs of the replication. Nothing is drawn or judged here.

Most functions take one run or a `BetaSeries`: the runs of one replication, which share a seed, by
their beta.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from orchestrator.experiments.statistics import FEWEST, interval
from orchestrator.results.run_results import RunResults

Runs = Mapping[float, Sequence[RunResults]]
"""By beta; at each beta the replications in the same order."""
BetaSeries = Mapping[float, RunResults]
RunMeasure = Callable[[RunResults], float]
LEAST_CHANGE = 1e-9
"""A discomfort or gain below this is rounding, kWh."""
LEAST_LOSS = 1e-12
"""A loss of squared deviation below this is rounding, kWh²."""
MESSAGES, LOOKUPS, RUN_MESSAGES = (
    "messages of the exchange",
    "slots looked up",
    "messages of the run",
)
COUNTED = (MESSAGES, LOOKUPS, RUN_MESSAGES)


@dataclass(frozen=True, slots=True)
class Point:
    """A mean over runs and its 95 % interval, which is NaN where there was a single run."""

    x: float
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """A power law through means over runs: count ~ size ** exponent (Table III of the source)."""

    what: str
    of: str
    """The unit of the sizes: households or slots."""
    sizes: tuple[int, ...]
    means: tuple[float, ...]
    exponent: float


def point(x: float, values: Sequence[float]) -> Point:
    """Return the mean of a measure over runs at a place `x`."""
    if len(values) < FEWEST:
        return Point(x=x, mean=values[0], low=float("nan"), high=float("nan"))
    found = interval(values)
    return Point(x=x, mean=found.mean, low=found.low, high=found.high)


def by_beta(runs: Sequence[RunResults]) -> dict[float, list[RunResults]]:
    """Group the runs by beta, rising."""
    found: dict[float, list[RunResults]] = {}
    for run in runs:
        found.setdefault(float(str(run.config["beta"])), []).append(run)
    return dict(sorted(found.items()))


def by_replication(runs: Runs) -> list[BetaSeries]:
    """Group the runs by replication: in each group the runs share a seed and differ in beta."""
    return [dict(zip(runs, own, strict=True)) for own in zip(*runs.values(), strict=True)]


def share_of(run: RunResults) -> float:
    """Return the share of households that take part in the exchange."""
    return float(str(run.config["participation"]))


def gain(run: RunResults) -> float:
    """Return the mean comfort gain over all households, kWh."""
    return float(np.mean([row.comfort_gain or 0.0 for row in run.rows]))


def after_exchange(run: RunResults, measure: str) -> float:
    """Return a measure of the state after stage 2."""
    return float(getattr(run.states()["exchanged"], measure))


def rise(run: RunResults, measure: str) -> float:
    """Return by how much the exchange raised a measure."""
    return after_exchange(run, measure) - float(getattr(run.planned, measure))


def mean_rise(own: BetaSeries, betas: Sequence[float], measure: str) -> float:
    """Return by how much the exchange raised a measure, as the mean over betas."""
    return float(np.mean([rise(own[beta], measure) for beta in betas]))


def wants_to_trade(run: RunResults) -> float:
    """Return the share of households that are not at their preferred plan after stage 1."""
    return float(np.mean([row.discomfort_planned > LEAST_CHANGE for row in run.rows]))


def succeeded(run: RunResults) -> float:
    """Return the share of households whose comfort rose."""
    return float(np.mean([(row.comfort_gain or 0.0) > LEAST_CHANGE for row in run.rows]))


def worse_off(run: RunResults) -> float:
    """Return the share of households with more discomfort after the exchange."""
    assert run.exchange is not None
    return run.exchange.households_worse / run.households


def relative_change(run: RunResults) -> float:
    """Return the change of the inefficiency by the exchange, as a share of what it was."""
    assert run.exchange is not None
    return run.exchange.inefficiency_change / run.planned.inefficiency


def both_roles(run: RunResults) -> float:
    """Return the share of households that both asked and were asked with success. The run must be
    traced."""
    assert run.exchanges is not None
    asked = {row.requester for row in run.exchanges}
    answered = {row.responder for row in run.exchanges}
    return len(asked & answered) / run.households


def losing_responders(run: RunResults) -> float:
    """Return the share of exchanges that cost the responder comfort. The run must be traced."""
    assert run.exchanges is not None
    return float(np.mean([row.responder_gain < -LEAST_LOSS for row in run.exchanges]))


def upper_lead(run: RunResults) -> float:
    """Return the mean gain of the upper half of the tree's levels less that of the lower half, kWh;
    a level in the middle counts with the lower."""
    levels = sorted({row.level for row in run.rows})
    middle = levels[len(levels) // 2]
    upper = [row.comfort_gain or 0.0 for row in run.rows if row.level < middle]
    lower = [row.comfort_gain or 0.0 for row in run.rows if row.level >= middle]
    return float(np.mean(upper) - np.mean(lower)) if upper else 0.0


def trend(own: BetaSeries, measure: RunMeasure, betas: Sequence[float]) -> float:
    """Return Spearman's rank correlation of a measure with beta: 1 if it always rises, -1 if it
    always falls."""
    from scipy import stats

    return float(stats.spearmanr(betas, [measure(own[beta]) for beta in betas]).statistic)


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """Return the slope of the straight line fitted by least squares."""
    return float(np.polyfit(x, y, 1)[0])


def comfort_after_some(
    run: RunResults, sizes: Sequence[int], sets: int, seed: int = 0
) -> dict[int, list[float]]:
    """Return the mean comfort if only so many of a run's exchanges had been made, drawn at random,
    for several sets of each size (figure 9). The run must be traced.

    An exchange counts with the fall of both sides' squared deviation, as each computed it then.
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


def trade_off_points(own: BetaSeries) -> list[tuple[float, float, float]]:
    """Return (beta, inefficiency, comfort) after stage 1 at each beta."""
    return [(beta, run.planned.inefficiency, run.planned.mean_comfort) for beta, run in own.items()]


def pareto(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return the numbers of those points (inefficiency, comfort) that no other beats in both, by
    inefficiency."""
    order = sorted(range(len(points)), key=lambda i: (points[i][0], -points[i][1]))
    best, kept = -np.inf, []
    for number in order:
        if points[number][1] > best:
            best = points[number][1]
            kept.append(number)
    return kept


def knee(points: Sequence[tuple[float, float, float]]) -> float | None:
    """Return the beta at the knee of (beta, inefficiency, comfort), where further comfort begins to
    cost much, or None if there is no knee.

    Kneedle (Satopaa, Albrecht, Irwin and Raghavan 2011) on the Pareto front.
    """
    from kneed import KneeLocator

    front = [points[i] for i in pareto([(x, y) for _, x, y in points])]
    away, comfort = [x for _, x, _ in front], [y for _, _, y in front]
    if len(front) < 3:
        return None
    found = KneeLocator(away, comfort, curve="concave", direction="increasing").knee
    return None if found is None else front[away.index(found)][0]


def growth(by_households: Sequence[RunResults], by_slots: Sequence[RunResults]) -> list[Growth]:
    """Fit how messages and lookups of the exchange, and messages of the whole run, grow with
    households and with slots. Runs of a single size are left out; everybody takes part in all."""
    found = []
    for of, runs in (("households", by_households), ("slots", by_slots)):
        sized = _by_size(runs, of)
        if len(sized) < 2:
            continue
        for what in COUNTED:
            counts = {size: [_count(run, what) for run in own] for size, own in sized.items()}
            means = tuple(float(np.mean(own)) for own in counts.values())
            exponent = _exponent(list(sized), means)
            found.append(
                Growth(what=what, of=of, sizes=tuple(sized), means=means, exponent=exponent)
            )
    return found


def message_exponents(by_households: Sequence[RunResults]) -> list[float]:
    """Return the power of the number of households with which messages of the exchange grow, one
    for each replication."""
    sized = _by_size(by_households, "households")
    replications = zip(*sized.values(), strict=True)
    return [_exponent(list(sized), [_count(run, MESSAGES) for run in own]) for own in replications]


def _by_size(runs: Sequence[RunResults], of: str) -> dict[int, list[RunResults]]:
    found: dict[int, list[RunResults]] = {}
    for run in runs:
        found.setdefault(getattr(run, of), []).append(run)
    return dict(sorted(found.items()))


def _exponent(sizes: Sequence[int], counts: Sequence[float]) -> float:
    return slope(np.log(sizes).tolist(), np.log(np.maximum(counts, 1)).tolist())


def _count(run: RunResults, what: str) -> float:
    assert run.exchange is not None
    assert run.bus is not None
    if what == MESSAGES:
        return float(run.exchange.messages)
    return float(run.exchange.lookups if what == LOOKUPS else run.bus.messages)
