"""Disclosure: the contents of an offer besides its value, in three levels (`--disclose`,
docs/privacy.md).

value: nothing. direction: whether the household wants more or less. limit: also how far it would
go. The true limit is twice the distance to the preferred value. The household discloses the next
lower step on a ladder of values, and 0 below a floor, so that others learn a bound on the preferred
value but not the value itself.
"""

from bisect import bisect
from math import copysign, frexp, ldexp

import numpy as np

from protocol.terms import DisclosureName
from protocol.vectors import Array

STEPS_PER_OCTAVE = 2
LADDER = 2.0 ** (1 / STEPS_PER_OCTAVE)
"""Ratio between two steps of the ladder."""
FLOOR = 0.25
"""Smallest limit disclosed, as a share of the root mean squared deviation over all households and
slots when the stage begins."""


_STEPS = [2.0 ** (step / STEPS_PER_OCTAVE - 1) for step in range(STEPS_PER_OCTAVE)]
"""The steps of the ladder from 1/2 up to, not including, 1: each other one is one of them times a
power of two."""
_STEP_ARRAY = np.array(_STEPS)


def limit_named(value: float, preferred: float, lowest: float) -> float:
    """Return the limit to disclose, kWh from `value`, signed: at most the true limit, at least
    1/sqrt(2) of it, and 0 below `lowest`."""
    true = 2 * abs(preferred - value)
    if true <= lowest or true == 0.0:
        return 0.0
    part, octave = frexp(true)
    return copysign(ldexp(_STEPS[bisect(_STEPS, part) - 1], octave), preferred - value)


def tell(disclosure: DisclosureName, values: Array, preferred: Array, lowest: float) -> Array:
    """Return the numbers to disclose with offers of these values, kWh, in the same order; none at
    all with disclosure `value`. Limits are those of `limit_named`."""
    if disclosure == "value":
        return np.zeros(0)
    wish = preferred - values
    if disclosure == "direction":
        return np.sign(wish)
    true = 2 * np.abs(wish)
    part, octave = np.frexp(true)
    named = np.ldexp(_STEP_ARRAY[np.searchsorted(_STEP_ARRAY, part, side="right") - 1], octave)
    named[(true <= lowest) | (true == 0.0)] = 0.0
    # Adding 0 makes no limit of -0.
    return np.asarray(np.copysign(named, wish) + 0.0)
