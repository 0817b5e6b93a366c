"""Baselines for stage 2 that judge a household by its whole day: the best reassignment in which
nobody ends worse, also with its own energy kept, and one for mean comfort.

Exact solutions would be integer programs with a binary variable for each household, value and slot,
joined by the limits of each household: too slow. Instead, a Lagrangian relaxation gives a lower
bound on the summed squared deviation, and a local search a solution close to it; the result has
both. Pure: schedules and preferences in, schedules out, all float64[n, d], kWh. The result is the
same each time.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestrator.results.measures import bound_of_values
from protocol.vectors import Array

STEPS = 150
"""Steps of the subgradient method for the prices of energy."""
FIRST_STEP = 0.02
"""Length of the first step, kWh per kWh; later ones are shorter."""
SWEEPS = 100
"""Largest number of passes over all slots in one local search."""
PENALTIES = (0.5, 2.0, 8.0, 32.0, 128.0)
"""Price of leaving a limit, kWh^2 per kWh for energy and per kWh^2 for a loss; raised until all
limits hold."""
ROUNDING = 1e-12
"""Excess of a limit that is rounding, kWh or kWh^2."""
LEAST_GAIN_KWH2 = 1e-9
"""A swap must improve the solution by more than this, or rounding would go on for ever."""
REWEIGHTINGS = 5
"""Number of weighted assignments that `for_mean_comfort` computes."""


@dataclass(frozen=True, slots=True)
class DayAssignment:
    """A reassignment, and a proven bound on all others that keep the same limits."""

    schedules: Array
    squares: float
    """Summed squared deviation of the schedules, kWh^2."""
    bound: float
    """A lower bound on the summed squared deviation of every such reassignment, kWh^2."""


@dataclass(slots=True)
class _Search:
    """A local search by swaps of two values within a slot.

    It minimises the summed squared deviation, plus penalties for households that end worse than
    they began, or whose own energy has moved by more than `drift_kwh` (None: any).
    """

    values: Array
    preferred: Array
    energy: Array
    """Own energy of each household at the beginning, float64[n], kWh."""
    most: Array
    """Squared deviation of each household at the beginning, float64[n], kWh^2."""
    drift_kwh: float | None
    penalty: float = 0.0

    def __post_init__(self) -> None:
        self.values = self.values.copy()

    def feasible(self) -> bool:
        """Return True if all limits hold."""
        squares = ((self.values - self.preferred) ** 2).sum(1)
        drift = np.abs(self.values.sum(1) - self.energy)
        kept = self.drift_kwh is None or bool((drift <= self.drift_kwh + ROUNDING).all())
        return kept and bool((squares <= self.most + ROUNDING).all())

    def price(self, before: Array, after: Array) -> Array:
        """Return the price of leaving limits by `after` instead of `before`, kWh^2; without end if
        the penalty is infinite."""
        before, after = np.maximum(before, 0), np.maximum(after, 0)
        if np.isinf(self.penalty):
            return np.where(after > 0, np.inf, 0.0)
        return np.asarray(self.penalty * (after - before))

    def run(self) -> None:
        """Swap until no swap improves the solution, or for SWEEPS passes over all slots."""
        for _ in range(SWEEPS):
            drift = self.values.sum(1) - self.energy
            squares = ((self.values - self.preferred) ** 2).sum(1)
            swaps = [self._at(slot, drift, squares) for slot in range(self.values.shape[1])]
            if not any(swaps):
                return

    def _at(self, slot: int, drift: Array, squares: Array) -> int:
        """Make the best swaps at one slot, and update the sums; return the number of swaps."""
        held, wanted = self.values[:, slot], self.preferred[:, slot]
        everybody = np.arange(len(held))

        def cost(some: NDArray[np.intp], others: NDArray[np.intp]) -> Array:
            """Return the change of the objective for each of `some`, if it takes the value of each
            of `others`."""
            step = held[others][None, :] - held[some][:, None]
            change = (held[others][None, :] - wanted[some][:, None]) ** 2
            change = change - ((held - wanted)[some] ** 2)[:, None]
            now = squares[some, None] - self.most[some, None]
            total = change + self.price(now, now + change)
            if self.drift_kwh is not None:
                moved, most = drift[some, None], self.drift_kwh
                total = total + self.price(np.abs(moved) - most, np.abs(moved + step) - most)
            return np.asarray(total)

        joint = cost(everybody, everybody)
        joint = joint + joint.T
        swaps = 0
        while True:
            one, other = divmod(int(joint.argmin()), len(held))
            if joint[one, other] >= -LEAST_GAIN_KWH2:
                return swaps
            pair = np.array([one, other])
            squares[pair] -= (held[pair] - wanted[pair]) ** 2
            drift[pair] -= held[pair]
            held[pair] = held[pair[::-1]]
            squares[pair] += (held[pair] - wanted[pair]) ** 2
            drift[pair] += held[pair]
            rows = cost(pair, everybody) + cost(everybody, pair).T
            joint[pair], joint[:, pair] = rows, rows.T
            swaps += 1


def best_for_the_day(
    schedules: Array, preferred: Array, drift_kwh: float | None = None
) -> DayAssignment:
    """Reassign the values within each slot so that the summed squared deviation is small, nobody
    ends with more discomfort than it had, and, if `drift_kwh` is given, the own energy of each
    household moves by at most that.

    The bound relaxes the first limit entirely, and prices the second (`_priced`). The search begins
    where the bound was found, with penalties for what is not allowed there; if it ends outside the
    limits, it begins again with `schedules`, and stays inside.
    """
    start, bound = _priced(schedules, preferred, drift_kwh)
    search = _Search(
        values=start,
        preferred=preferred,
        energy=schedules.sum(1),
        most=((schedules - preferred) ** 2).sum(1),
        drift_kwh=drift_kwh,
    )
    for penalty in PENALTIES:
        search.penalty = penalty
        search.run()
        if search.feasible():
            break
    else:
        search.values, search.penalty = schedules.copy(), np.inf
        search.run()
    squares = float(((search.values - preferred) ** 2).sum())
    return DayAssignment(search.values, squares, bound)


def _priced(schedules: Array, preferred: Array, drift_kwh: float | None) -> tuple[Array, float]:
    """Return the reassignment with the best prices for own energy, and the bound that it proves.

    With a price per kWh for each household, the least squared deviation plus price times energy is
    that of preferences shifted by half the price, so it is found by sorting (`bound_of_values`).
    Less what each household may owe for its drift, this bounds every reassignment that keeps the
    limits, whatever the prices; the subgradient method raises the bound (Held and Karp 1971).
    """
    if drift_kwh is None:
        best = bound_of_values(schedules, preferred)
        return best, float(((best - preferred) ** 2).sum())
    prices, energy = np.zeros((len(schedules), 1)), schedules.sum(1, keepdims=True)
    best, bound = schedules, -np.inf
    for step in range(STEPS):
        found = bound_of_values(schedules, preferred - prices / 2)
        drift = found.sum(1, keepdims=True) - energy
        owed = float((prices * drift).sum() - drift_kwh * np.abs(prices).sum())
        value = float(((found - preferred) ** 2).sum()) + owed
        if value > bound:
            best, bound = found, value
        slope = drift - drift_kwh * np.sign(prices)
        prices = prices + FIRST_STEP / (1 + 3 * step / STEPS) * slope
    return best, bound


def for_mean_comfort(schedules: Array, preferred: Array) -> Array:
    """Reassign the values within each slot for a high mean comfort, which is not the same as a low
    sum of squares: the mean of roots gains if some households are served better than others.

    Each step minimises the sum of squares weighted by 1 / discomfort, the tangent of the concave
    objective, so the mean comfort never falls. It is a local optimum, not a bound. Needs scipy (the
    `report` extra).
    """
    from scipy.optimize import linear_sum_assignment  # optional, and slow to import

    best = bound_of_values(schedules, preferred)
    for _ in range(REWEIGHTINGS):
        discomforts = np.sqrt(((best - preferred) ** 2).mean(1))
        weights = 1 / np.maximum(discomforts, 1e-9)
        for slot in range(schedules.shape[1]):
            away = (schedules[None, :, slot] - preferred[:, None, slot]) ** 2
            _, chosen = linear_sum_assignment(weights[:, None] * away)
            best[:, slot] = schedules[chosen, slot]
    return best
