"""Measurements: numbers from the runs of the replication. Other modules draw and judge them.

Most functions take one run, or a `BetaSeries`: the runs of one replication by beta, which share a
seed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from orchestrator.experiments.statistics import FEWEST_SHOWN, interval
from orchestrator.results.run_results import RunResults

Runs = Mapping[float, Sequence[RunResults]]
"""Runs by beta, with the replications in the same order at each beta."""
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
    """A mean over runs and its 95 % interval, which is NaN for fewer than FEWEST_SHOWN runs."""

    x: float
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """A power law through means over runs: count ~ size ** exponent (Table III of the paper)."""

    what: str
    of: str
    """The unit of the sizes: households or slots."""
    sizes: tuple[int, ...]
    means: tuple[float, ...]
    exponent: float


def point(x: float, values: Sequence[float]) -> Point:
    """Return the point at `x` with the mean of a measure over runs."""
    if len(values) < FEWEST_SHOWN:
        mean = sum(values) / len(values)
        return Point(x=x, mean=mean, low=float("nan"), high=float("nan"))
    found = interval(values)
    return Point(x=x, mean=found.mean, low=found.low, high=found.high)


def by_beta(runs: Sequence[RunResults]) -> dict[float, list[RunResults]]:
    """Group the runs by beta, in ascending order."""
    found: dict[float, list[RunResults]] = {}
    for run in runs:
        found.setdefault(float(str(run.config["beta"])), []).append(run)
    return dict(sorted(found.items()))


def by_replication(runs: Runs) -> list[BetaSeries]:
    """Group the runs by replication: those of one group share a seed and differ in beta."""
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
    """Return the change of a measure by the exchange."""
    return after_exchange(run, measure) - float(getattr(run.planned, measure))


def mean_rise(own: BetaSeries, betas: Sequence[float], measure: str) -> float:
    """Return the change of a measure by the exchange, as the mean over betas."""
    return float(np.mean([rise(own[beta], measure) for beta in betas]))


def wants_to_trade(run: RunResults) -> float:
    """Return the share of households that are not at their preferred plan after stage 1."""
    return float(np.mean([row.discomfort_planned > LEAST_CHANGE for row in run.rows]))


def succeeded(run: RunResults) -> float:
    """Return the share of households whose comfort the exchange raised."""
    return float(np.mean([(row.comfort_gain or 0.0) > LEAST_CHANGE for row in run.rows]))


def worse_off(run: RunResults) -> float:
    """Return the share of households with more discomfort after the exchange."""
    assert run.exchange is not None
    return run.exchange.households_worse / run.households


def relative_change(run: RunResults) -> float:
    """Return the relative change of the inefficiency by the exchange."""
    assert run.exchange is not None
    return run.exchange.inefficiency_change / run.planned.inefficiency


def both_roles(run: RunResults) -> float:
    """Return the share of households that were both requester and responder in exchanges of a
    traced run."""
    assert run.exchanges is not None
    requesters = {row.requester for row in run.exchanges}
    responders = {row.responder for row in run.exchanges}
    return len(requesters & responders) / run.households


def losing_responders(run: RunResults) -> float:
    """Return the share of exchanges in a traced run that cost the responder comfort."""
    assert run.exchanges is not None
    return float(np.mean([row.responder_gain < -LEAST_LOSS for row in run.exchanges]))


def upper_lead(run: RunResults) -> float:
    """Return the mean gain on the upper half of the tree's levels less that on the lower half, kWh.

    A middle level counts as lower.
    """
    levels = sorted({row.level for row in run.rows})
    middle = levels[len(levels) // 2]
    upper = [row.comfort_gain or 0.0 for row in run.rows if row.level < middle]
    lower = [row.comfort_gain or 0.0 for row in run.rows if row.level >= middle]
    return float(np.mean(upper) - np.mean(lower)) if upper else 0.0


def trend(own: BetaSeries, measure: RunMeasure, betas: Sequence[float]) -> float:
    """Return Spearman's rank correlation of a measure with beta: 1 if the measure always rises with
    beta, -1 if it always falls."""
    from scipy import stats

    return float(stats.spearmanr(betas, [measure(own[beta]) for beta in betas]).statistic)


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """Return the slope of the straight line that least squares fit."""
    return float(np.polyfit(x, y, 1)[0])


def comfort_after_some(
    run: RunResults, sizes: Sequence[int], sets: int, seed: int = 0
) -> dict[int, list[float]]:
    """Return the mean comfort with random subsets of a traced run's exchanges (figure 9).

    Returns `sets` values for each of `sizes`. An exchange counts with the gains that both
    households reported for it.
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
    """Return the indices of the points (inefficiency, comfort) on the Pareto front, by
    inefficiency."""
    order = sorted(range(len(points)), key=lambda i: (points[i][0], -points[i][1]))
    best, kept = -np.inf, []
    for number in order:
        if points[number][1] > best:
            best = points[number][1]
            kept.append(number)
    return kept


def knee(points: Sequence[tuple[float, float, float]]) -> float | None:
    """Return the beta at the knee of points (beta, inefficiency, comfort).

    At the knee, more comfort starts to cost much. Returns None if there is no knee. The method is
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
    """Fit how messages and lookups of the exchange, and messages of the whole run, grow with the
    numbers of households and slots.

    All households take part in these runs. There is no growth for runs of a single size.
    """
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
    """Return, for each replication, the power of the number of households with which the messages
    of the exchange grow."""
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
