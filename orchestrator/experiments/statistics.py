"""Statistics over runs: intervals, paired comparisons, effect sizes. One run is no evidence.

The methods are scipy's; which numbers are compared is decided by the callers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 9_999
ROUNDING = 1e-12
"""Values that differ by less than this share of the largest are the same."""
FEWEST = 2
"""Runs below which nothing can be computed."""
FEWEST_SHOWN = 3
"""Runs below which no interval is told, and nothing is concluded: of two, the bootstrap knows only
the two themselves."""


class TooFewRunsError(ValueError):
    """Too few runs for a conclusion: one run is evidence of nothing but itself."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over runs, and the interval that holds the true mean with 95 % confidence."""

    mean: float
    low: float
    high: float
    runs: int


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Second minus first, in pairs of runs that share a seed."""

    mean: float
    low: float
    high: float
    runs: int
    p_value: float
    """Wilcoxon's signed-rank test, two-sided: how likely so large a difference is by chance."""
    effect: float
    """Cohen's d of paired samples: mean difference over its standard deviation; infinite where all
    runs differ alike, 0 where none does."""
    cliff: float
    """Cliff's delta in [-1, 1]: how much more often a run of the second is above one of the first
    than below."""


def interval(values: Sequence[float], seed: int = 0) -> Interval:
    """Return the mean of values from independent runs and its 95 % interval by the bias-corrected
    and accelerated bootstrap (Efron 1987). Raises TooFewRunsError for fewer than two."""
    array = _enough(values)
    low, high = _bounds(array, seed)
    return Interval(mean=float(array.mean()), low=low, high=high, runs=len(array))


def difference(first: Sequence[float], second: Sequence[float], seed: int = 0) -> PairedDifference:
    """Compare two configurations in pairs, run by run.

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
        raise TooFewRunsError("one run is no evidence: make several, with seeds of their own")
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
