"""Baselines for stage 2: how a planner with full knowledge could reassign the values after stage 1.

Pure: schedules and preferences in, schedules out. Each slot keeps its values, so the sum over all
households does not change. `results.measures` judges the schedules.
"""

import numpy as np
from numpy.typing import NDArray

from protocol.vectors import Array


def lossless_assignment(schedules: Array, preferred: Array) -> Array:
    """Reassign the values within each slot so that the summed squared deviation is least, but no
    household's squared deviation rises at any slot.

    No sequence of exchanges under the rule `mutual` can reduce the sum further, because none of
    them raises a household's squared deviation at its slot. All arrays are float64[n, d], kWh.
    Needs scipy (the `report` extra).
    """
    from scipy.optimize import linear_sum_assignment  # optional, and slow to import

    best = np.empty_like(schedules)
    for slot in range(schedules.shape[1]):
        values, wanted = schedules[:, slot], preferred[:, slot]
        away = (values[None, :] - wanted[:, None]) ** 2
        _, chosen = linear_sum_assignment(np.where(away > away.diagonal()[:, None], np.inf, away))
        best[:, slot] = values[chosen]
    return best


def greedy_swaps(
    schedules: Array, preferred: Array, min_gain_kwh2: float = 0.0
) -> tuple[Array, int]:
    """Swap pairs of values within each slot, always those with the largest joint gain, until every
    swap would make one of the two households lose.

    Returns the new schedules and the number of swaps. Schedules and preferences are float64[n, d],
    kWh. At least one of the two households (the requester) must lower its squared deviation by
    `min_gain_kwh2`.
    """
    after, swaps = schedules.copy(), 0
    for slot in range(schedules.shape[1]):
        swaps += _swap_at(after[:, slot], preferred[:, slot], min_gain_kwh2)
    return after, swaps


def _swap_at(values: Array, wanted: Array, min_gain_kwh2: float) -> int:
    """Swap values within one slot, in place; return the number of swaps."""
    merit = _joint_gain(
        values, values, wanted=wanted, others_wanted=wanted, min_gain_kwh2=min_gain_kwh2
    )
    swaps = 0
    while True:
        one, other = divmod(int(merit.argmax()), len(values))
        if merit[one, other] <= 0:
            return swaps
        pair = [one, other]
        values[pair] = values[pair[::-1]]
        swaps += 1
        rows = _joint_gain(
            values[pair],
            values,
            wanted=wanted[pair],
            others_wanted=wanted,
            min_gain_kwh2=min_gain_kwh2,
        )
        merit[pair], merit[:, pair] = rows, rows.T


def _joint_gain(
    values: Array, others: Array, wanted: Array, others_wanted: Array, min_gain_kwh2: float
) -> NDArray[np.float64]:
    """Return the joint gain of swapping each value with each of `others`, float64[m, n], kWh².

    It is 0 where one of the two would lose, or neither gains enough.
    """
    here = (values - wanted)[:, None] ** 2 - (others[None, :] - wanted[:, None]) ** 2
    there = (others - others_wanted)[None, :] ** 2 - (values[:, None] - others_wanted[None, :]) ** 2
    allowed = (here >= 0) & (there >= 0) & (np.maximum(here, there) >= min_gain_kwh2)
    return np.where(allowed, here + there, 0.0)
