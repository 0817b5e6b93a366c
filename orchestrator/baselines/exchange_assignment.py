"""What a planner who saw everything could do for the households after stage 1: yardsticks for the
exchange, which sees next to nothing.

Pure: schedules and preferences in, schedules out; each slot keeps its values, so that the sum over
all households stays as it is. What is measured on them is decided elsewhere (metrics.py).
"""

import numpy as np
from numpy.typing import NDArray

from protocol.vectors import Array


def lossless_assignment(schedules: Array, preferred: Array) -> Array:
    """At each slot the reassignment of its values with the least summed squared deviation among
    those in which no household's squared deviation rises there.

    No sequence of exchanges under the rule mutual can do more for that sum: none of them raises
    anybody's squared deviation at its slot. Both float64[n, d], kWh, and so is the result. Needs
    scipy (the `report` extra).
    """
    from scipy.optimize import linear_sum_assignment  # optional, and slow to import

    best = np.empty_like(schedules)
    for slot in range(schedules.shape[1]):
        values, wanted = schedules[:, slot], preferred[:, slot]
        away = (values[None, :] - wanted[:, None]) ** 2
        _, chosen = linear_sum_assignment(np.where(away > away.diagonal()[:, None], np.inf, away))
        best[:, slot] = values[chosen]
    return best


def greedy_swaps(schedules: Array, preferred: Array, enough: float = 0.0) -> tuple[Array, int]:
    """Pairwise swaps of one slot's values, always the one with the largest joint gain of those in
    which neither side loses, until none is left: the schedules, and how many swaps.

    Both float64[n, d], kWh. `enough`: fall of the one side's squared deviation, kWh^2, that one of
    the two must at least have (it would be the requester).
    """
    after, swaps = schedules.copy(), 0
    for slot in range(schedules.shape[1]):
        swaps += _swap_at(after[:, slot], preferred[:, slot], enough)
    return after, swaps


def _swap_at(values: Array, wanted: Array, enough: float) -> int:
    """Swap within one slot, in place; how often."""
    merit = _joint_gain(values, values, wanted, wanted, enough)
    swaps = 0
    while True:
        one, other = divmod(int(merit.argmax()), len(values))
        if merit[one, other] <= 0:
            return swaps
        pair = [one, other]
        values[pair] = values[pair[::-1]]
        swaps += 1
        rows = _joint_gain(values[pair], values, wanted[pair], wanted, enough)
        merit[pair], merit[:, pair] = rows, rows.T


def _joint_gain(
    values: Array, others: Array, wanted: Array, others_wanted: Array, enough: float
) -> NDArray[np.float64]:
    """How much each of `values` and each of `others` would gain together by a swap, kWh^2; 0 if
    either would lose, or neither gain enough. float64[m, n]."""
    here = (values - wanted)[:, None] ** 2 - (others[None, :] - wanted[:, None]) ** 2
    there = (others - others_wanted)[None, :] ** 2 - (values[:, None] - others_wanted[None, :]) ** 2
    allowed = (here >= 0) & (there >= 0) & (np.maximum(here, there) >= enough)
    return np.where(allowed, here + there, 0.0)
