"""Measures that judge a state of the households, from its demand curve and discomforts.

Pure. This module also has the table of their names, labels, units and meanings, for all code that
prints or compares them. The inefficiency (the cost function of the run) is computed elsewhere and
passed in.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import BeforeValidator

from protocol.vectors import Array

Number = Annotated[float, BeforeValidator(lambda value: float("nan") if value is None else value)]
"""A float that may be undefined: NaN here, null in JSON."""
PERCENTILES = (5, 25, 50, 75, 95)
"""Percentiles of the households' comfort that a sweep records for each run."""
STATES = ("preferred", "planned", "exchanged", "bound")
"""All households on their preferred plan, after stage 1, after stage 2, and at the bound of values
(`bound_of_values`)."""

STATE_LABELS = {"bound": "bound of values"}
"""Names of states for people, where they differ from those in STATES."""


@dataclass(frozen=True, slots=True)
class Measures:
    """The measures of one state; `MEASURES` describes each of them."""

    inefficiency: Number
    peak: float
    peak_to_average: Number
    mean_discomfort: float
    mean_comfort: float
    pooled_discomfort: float
    unfairness: float
    gini: float
    jain: float
    max_discomfort: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureDescription:
    """The words for one measure."""

    label: str
    """Full name."""
    short: str
    """Short name, for a column or next to the name of a state."""
    unit: str = ""
    """Empty if there is no unit, or if it depends on the run's cost (`cost_unit`)."""
    more_is_better: bool = False
    help: str


MEASURES = {
    "inefficiency": MeasureDescription(
        label="inefficiency",
        short="inefficiency",
        help="The run's global cost of the demand; its unit depends on the cost.",
    ),
    "peak": MeasureDescription(
        label="peak demand", short="peak", unit="kWh", help="Largest demand of a slot."
    ),
    "peak_to_average": MeasureDescription(
        label="peak to average",
        short="peak to average",
        help="Peak over mean demand; undefined (NaN) if the mean is 0.",
    ),
    "mean_discomfort": MeasureDescription(
        label="mean discomfort",
        short="discomfort",
        unit="kWh",
        help="Mean over households of the RMSE against the preferred plan (paper, eq. 1).",
    ),
    "mean_comfort": MeasureDescription(
        label="mean comfort",
        short="comfort",
        more_is_better=True,
        help="1 - mean discomfort.",
    ),
    "pooled_discomfort": MeasureDescription(
        label="pooled discomfort",
        short="pooled discomfort",
        unit="kWh",
        help="Square root of the mean squared deviation over all households and slots.",
    ),
    "max_discomfort": MeasureDescription(
        label="largest discomfort",
        short="largest discomfort",
        unit="kWh",
        help="Discomfort of the household that is worst off.",
    ),
    "unfairness": MeasureDescription(
        label="unfairness",
        short="unfairness",
        unit="kWh",
        help="Population standard deviation of the discomforts.",
    ),
    "gini": MeasureDescription(
        label="Gini",
        short="Gini",
        help="Gini coefficient of the discomforts: 0 if all are equal or zero, close to 1 if one "
        "household bears all.",
    ),
    "jain": MeasureDescription(
        label="Jain",
        short="Jain",
        more_is_better=True,
        help="Jain's index of the discomforts: 1 if all are equal or zero, 1/n if one household "
        "bears all.",
    ),
}
"""A description of every field of `Measures`, in the order in which they are shown."""


def measures(demand: Array, discomforts: Array, inefficiency: float) -> Measures:
    """Return the measures of a state.

    `demand` float64[d], kWh: the sum of all schedules; `discomforts` float64[n], kWh: the RMSE of
    each household. Raises ValueError if either is empty or a discomfort is negative.
    """
    if demand.ndim != 1 or discomforts.ndim != 1 or not demand.size or not discomforts.size:
        raise ValueError("measures need a demand float64[d] and discomforts float64[n], not empty")
    if (discomforts < 0).any():
        raise ValueError("discomforts must not be negative")
    peak, mean = float(demand.max()), float(demand.mean())
    mean_discomfort = float(discomforts.mean())
    return Measures(
        inefficiency=float(inefficiency),
        peak=peak,
        peak_to_average=peak / mean if mean else float("nan"),
        mean_discomfort=mean_discomfort,
        mean_comfort=1.0 - mean_discomfort,
        # All schedules have d slots, so the mean of the squared D_a is the mean over all slots.
        pooled_discomfort=float(np.sqrt(np.mean(discomforts * discomforts))),
        unfairness=float(discomforts.std()),
        gini=gini(discomforts),
        jain=jain(discomforts),
        max_discomfort=float(discomforts.max()),
    )


def discomfort_removed(before: Measures, after: Measures) -> float | None:
    """Return by which share the mean discomfort falls from one state to a later one.

    It is negative if the discomfort rises, and None if there was none before. It does not depend on
    the size of the homes.
    """
    if before.mean_discomfort == 0:
        return None
    return 1 - after.mean_discomfort / before.mean_discomfort


def demand_measures(demand: Array) -> dict[str, float]:
    """Return more measures of a demand curve, float64[d], kWh per slot: its load factor (mean over
    peak demand), and the mean and the largest absolute change from slot to slot, kWh."""
    steps = np.abs(np.diff(demand))
    peak = float(demand.max())
    return {
        "load_factor": float(demand.mean()) / peak if peak else float("nan"),
        "ramp_mean": float(steps.mean()) if steps.size else 0.0,
        "ramp_max": float(steps.max()) if steps.size else 0.0,
    }


def comfort_percentiles(comfort: Array) -> dict[str, float]:
    """Return the PERCENTILES of the comfort of households, float64[n], by name."""
    found = np.percentile(comfort, PERCENTILES)
    return {f"comfort_p{p}": float(v) for p, v in zip(PERCENTILES, found, strict=True)}


def gini(values: Array) -> float:
    """Return the Gini coefficient of non-negative values, float64[n]: the mean absolute difference
    of all pairs over twice the mean; 0 if all are 0."""
    top = float(values.max())
    if top == 0:
        return 0.0
    # Divide by the largest, so that neither sums nor squares leave the range of a float.
    ordered = np.sort(values / top)
    n = len(ordered)
    weights = 2 * np.arange(1, n + 1) - n - 1
    return float((weights * ordered).sum() / (n * ordered.sum()))


def lorenz(values: Array) -> Array:
    """Return the Lorenz curve of non-negative values, float64[n], as float64[n + 1]: the share of
    the j smallest in the sum, for j from 0 to n; the diagonal if all are 0."""
    top = float(values.max())
    ordered = np.sort(values / top) if top else np.ones(len(values))
    return np.concatenate([[0.0], np.cumsum(ordered) / ordered.sum()])


def jain(values: Array) -> float:
    """Return Jain's fairness index of non-negative values, float64[n]: the squared sum over n times
    the sum of squares; 1 if all are 0."""
    top = float(values.max())
    if top == 0:
        return 1.0
    shares = values / top
    return float(shares.sum() ** 2 / (len(shares) * (shares * shares).sum()))


def bound_of_values(schedules: Array, preferred: Array) -> Array:
    """Return the schedules with the least summed squared deviation that reassigning the values
    within each slot can reach: the bound of values.

    The j-th smallest value goes to the j-th smallest preference; that is optimal by the
    rearrangement inequality (Hardy, Littlewood and Polya, Inequalities, theorem 368). So no
    reassignment has a smaller pooled discomfort. The mean discomfort, which is a mean of roots, may
    be a little smaller for another reassignment; `bound_of_amounts` bounds it for all of them. All
    arrays are float64[n, d], kWh.
    """
    best = np.empty_like(schedules)
    order = np.argsort(preferred, axis=0, kind="stable")
    np.put_along_axis(best, order, np.sort(schedules, axis=0), axis=0)
    return best


def equal_shift(schedules: Array, preferred: Array) -> Array:
    """Return the schedules after an equal shift: preferred + (sum planned - sum preferred) / n.

    Everybody has what it prefers, plus an equal share of the rest. Among all schedules with the
    same sum, these have the least mean discomfort, the least summed squared deviation and no
    unfairness (`bound_of_amounts`). All arrays are float64[n, d], kWh.
    """
    excess = schedules.sum(0) - preferred.sum(0)
    return np.asarray(preferred + excess / len(preferred))


def bound_of_amounts(demand: Array, preferred: Array, households: int) -> float:
    """Return the least mean discomfort that any schedules with the sum `demand` can have, kWh, if
    energy can be divided at will: the bound of amounts.

    `preferred` is the sum of the preferred plans; both are float64[d], kWh. With deviations x_a,
    the discomforts are |x_a| / sqrt(d), and the x_a sum to e = demand - preferred. By the triangle
    inequality the |x_a| sum to at least |e|, so the mean discomfort is at least |e| / (n sqrt(d)).
    Equal shares x_a = e / n reach that; by convexity they also have the least sum of squares. A
    reassignment of values keeps the sum as well, so its mean comfort is bounded by this too. The
    bound allows negative consumption.
    """
    excess = demand - preferred
    return float(np.sqrt(np.mean(excess * excess)) / households)


def clipped(schedules: Array, preferred: Array) -> tuple[int, float]:
    """Return the number of household-slots with negative consumption though none is preferred, and
    the energy below zero there, kWh; both arrays are float64[n, d], kWh."""
    below = (schedules < 0) & (preferred >= 0)
    return int(below.sum()), float(-schedules[below].sum())


def cost_unit(cost: str) -> str:
    """Return the unit of the inefficiency for a cost; empty for costs of scaled curves."""
    return {
        "var": "kWh²",
        "sqr": "kWh²",
        "residual": "kWh²",
        "std": "kWh",
        "rmse": "kWh",
        "max": "kWh",
    }.get(cost, "")
