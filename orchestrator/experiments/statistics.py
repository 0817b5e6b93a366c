"""Statistics over runs: intervals, paired comparisons and effect sizes; one run is no evidence.

scipy has the methods, and callers decide which numbers are compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 9_999
ROUNDING = 1e-12
"""Values that differ by less than this share of the largest are taken as equal."""
FEWEST = 2
"""Least number of runs from which anything can be computed."""
FEWEST_SHOWN = 3
"""Least number of runs for an interval and a conclusion: a bootstrap of two runs can return only
combinations of the two."""


class TooFewRunsError(ValueError):
    """An attempt to draw a conclusion from fewer than FEWEST runs."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over runs, with the 95 % confidence interval of the true mean."""

    mean: float
    low: float
    high: float
    runs: int


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """The difference of two configurations, second minus first, in pairs of runs with one seed."""

    mean: float
    low: float
    high: float
    runs: int
    p_value: float
    """Wilcoxon's signed-rank test, two-sided: the probability of such a difference by chance."""
    effect: float
    """Cohen's d of paired samples: mean difference over its standard deviation; infinite if all
    pairs differ by the same amount, 0 if none differs."""
    cliff: float
    """Cliff's delta in [-1, 1]: how much more often a run of the second configuration is above one
    of the first than below."""


def interval(values: Sequence[float], seed: int = 0) -> Interval:
    """Return the mean of values from independent runs, and its 95 % interval.

    The method is the bias-corrected and accelerated bootstrap (Efron 1987). Raises TooFewRunsError
    for fewer than two values.
    """
    array = _enough(values)
    low, high = _bounds(array, seed)
    return Interval(mean=float(array.mean()), low=low, high=high, runs=len(array))


def difference(first: Sequence[float], second: Sequence[float], seed: int = 0) -> PairedDifference:
    """Compare two configurations in pairs of runs, which have the same index.

    Raises ValueError if they have different numbers of runs, TooFewRunsError for fewer than two.
    """
    from scipy import stats

    one, other = _enough(first), _enough(second)
    if len(one) != len(other):
        raise ValueError(f"{len(one)} runs against {len(other)}: pairs share a seed")
    apart = other - one
    low, high = _bounds(apart, seed)
    spread = float(apart.std(ddof=1))
    mean = float(apart.mean())
    return PairedDifference(
        mean=mean,
        low=low,
        high=high,
        runs=len(apart),
        p_value=float(stats.wilcoxon(apart).pvalue) if apart.any() else 1.0,
        effect=mean / spread if spread else float(np.sign(mean)) * float("inf") if mean else 0.0,
        cliff=float(np.sign(other[:, None] - one[None, :]).mean()),
    )


def _enough(values: Sequence[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    array = np.asarray(values, float)
    if len(array) < FEWEST:
        raise TooFewRunsError("one run is no evidence: make several with different seeds")
    return array


def _bounds(array: np.ndarray[tuple[int], np.dtype[np.float64]], seed: int) -> tuple[float, float]:
    from scipy import stats

    if np.ptp(array) <= ROUNDING * np.abs(array).max():  # nothing to resample
        return float(array.min()), float(array.max())
    found = stats.bootstrap(
        (array,),
        np.mean,
        confidence_level=CONFIDENCE,
        n_resamples=RESAMPLES,
        method="BCa",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(found.low), float(found.high)
