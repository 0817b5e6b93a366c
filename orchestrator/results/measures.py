"""Numbers that judge a state of the households: from a demand curve and discomforts alone.

Pure. What the inefficiency is (the cost function of the run) is decided elsewhere and passed in.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import BeforeValidator

from protocol.vectors import Array

Number = Annotated[float, BeforeValidator(lambda value: float("nan") if value is None else value)]
"""A float that may be undefined: NaN here, null in JSON."""


@dataclass(frozen=True, slots=True)
class Measures:
    """One state: everyone on the preferred plan, after stage 1, after stage 2, or the bound."""

    inefficiency: Number
    """The run's global cost of the demand; its unit depends on the cost (`cost_unit`)."""
    peak: float
    """Largest demand of a slot, kWh."""
    peak_to_average: Number
    """Peak over mean demand; undefined (NaN) where the mean is 0."""
    mean_discomfort: float
    """kWh, as are all discomforts here: RMSE against the preferred plan (source, eq. 1)."""
    mean_comfort: float
    """1 - mean discomfort."""
    pooled_discomfort: float
    """Root of the mean over all households and slots of the squared deviation, kWh."""
    unfairness: float
    """Population standard deviation of the discomforts, kWh."""
    gini: float
    """Of the discomforts: 0 all alike, towards 1 borne by one household; 0 if nobody has any."""
    jain: float
    """Of the discomforts: 1 all alike, 1/n borne by one household; 1 if nobody has any."""
    max_discomfort: float
    """Of the household worst off, kWh."""


def measures(demand: Array, discomforts: Array, inefficiency: float) -> Measures:
    """The measures of a state.

    `demand` float64[d], kWh: the sum of all schedules; `discomforts` float64[n], kWh: RMSE of each
    household, none negative; d and n at least 1, else ValueError.
    """
    if demand.ndim != 1 or discomforts.ndim != 1 or not demand.size or not discomforts.size:
        raise ValueError("measures need a demand float64[d] and discomforts float64[n], not empty")
    if (discomforts < 0).any():
        raise ValueError("a discomfort is not negative")
    peak, mean = float(demand.max()), float(demand.mean())
    mean_discomfort = float(discomforts.mean())
    return Measures(
        inefficiency=float(inefficiency),
        peak=peak,
        peak_to_average=peak / mean if mean else float("nan"),
        mean_discomfort=mean_discomfort,
        mean_comfort=1.0 - mean_discomfort,
        # All schedules have d slots: the mean of the D_a squared is the mean over all slots.
        pooled_discomfort=float(np.sqrt(np.mean(discomforts * discomforts))),
        unfairness=float(discomforts.std()),
        gini=gini(discomforts),
        jain=jain(discomforts),
        max_discomfort=float(discomforts.max()),
    )


def gini(values: Array) -> float:
    """Gini coefficient of values that are not negative, float64[n]: mean absolute difference of
    all pairs over twice the mean; 0 where all are 0."""
    top = float(values.max())
    if top == 0:
        return 0.0
    # Shares of the largest, so that neither sums nor squares leave the range of a float.
    ordered = np.sort(values / top)
    n = len(ordered)
    weights = 2 * np.arange(1, n + 1) - n - 1
    return float((weights * ordered).sum() / (n * ordered.sum()))


def jain(values: Array) -> float:
    """Jain's fairness index of values that are not negative, float64[n]: squared sum over n times
    the sum of squares; 1 where all are 0."""
    top = float(values.max())
    if top == 0:
        return 1.0
    shares = values / top
    return float(shares.sum() ** 2 / (len(shares) * (shares * shares).sum()))


def exchange_bound(schedules: Array, preferred: Array) -> Array:
    """The best that reassigning the values within each slot can do for the summed squared
    deviation: the j-th smallest value to the j-th smallest preference. float64[n, d] each, kWh."""
    best = np.empty_like(schedules)
    order = np.argsort(preferred, axis=0, kind="stable")
    np.put_along_axis(best, order, np.sort(schedules, axis=0), axis=0)
    return best


def cost_unit(cost: str) -> str:
    """The unit of the inefficiency by a cost's name; empty for costs of scaled curves."""
    return {"var": "kWh²", "sqr": "kWh²", "std": "kWh", "rmse": "kWh", "max": "kWh"}.get(cost, "")
