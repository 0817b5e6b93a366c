"""The grid of amounts: multiples of a power of two, so that float64 adds them without rounding.

Files use multiples of 2^-10 kWh, exchanges multiples of 2^-20 kWh; on the wire an amount is an
int64 count of the latter. Sums of fewer than 2^33 kWh per slot are exact in any order.
"""

import numpy as np

from protocol.vectors import Array, Int64Array

FILE_STEP_KWH = 2.0**-10
"""Amounts in files are multiples of this, about 1 Wh."""

STEP_KWH = 2.0**-20
"""Amounts in exchanges are multiples of this, about 1 mWh."""

AMOUNT_MAX_KWH = 2.0**33
"""Sums below this are exact."""


def floored(kwh: Array, step_kwh: float = STEP_KWH) -> Array:
    """Return the greatest multiples of the step that are not above the amounts."""
    return np.asarray(np.floor(np.asarray(kwh) / step_kwh) * step_kwh)


def rounded(kwh: Array, step_kwh: float = FILE_STEP_KWH) -> Array:
    """Return the multiples of the step that are nearest to the amounts."""
    return np.asarray(np.rint(np.asarray(kwh) / step_kwh) * step_kwh)


def on_grid(kwh: Array, step_kwh: float = STEP_KWH) -> bool:
    """True if every amount is a multiple of the step, and small enough for exact sums."""
    steps = np.asarray(kwh) / step_kwh
    return bool((np.abs(kwh) < AMOUNT_MAX_KWH).all() and (steps == np.rint(steps)).all())


def to_counts(kwh: Array) -> Int64Array:
    """Return amounts as counts of 2^-20 kWh. Raises ValueError for an amount off the grid."""
    if not on_grid(kwh):
        raise ValueError("an amount is not a multiple of 2^-20 kWh")
    return np.asarray(kwh / STEP_KWH).astype(np.int64)


def from_counts(counts: Int64Array) -> Array:
    """Return counts of 2^-20 kWh as amounts, kWh."""
    return np.asarray(counts * STEP_KWH)
