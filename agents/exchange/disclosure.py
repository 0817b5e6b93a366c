"""Disclosure: the contents of an offer besides its value, in three levels (`--disclose`,
docs/privacy.md).

value: nothing. direction: whether the household wants more or less. limit: also how far it would
go. The true limit is twice the distance to the preferred value. The household discloses the next
lower step on a ladder of values, and 0 below a floor, so that others learn a bound on the preferred
value but not the value itself.
"""

from math import copysign, floor, log

from protocol.terms import DisclosureName

STEPS_PER_OCTAVE = 2
LADDER = 2.0 ** (1 / STEPS_PER_OCTAVE)
"""Ratio between two steps of the ladder."""
FLOOR = 0.25
"""Smallest limit disclosed, as a share of the root mean squared deviation over all households and
slots when the stage begins."""


def limit_named(value: float, preferred: float, lowest: float) -> float:
    """Return the limit to disclose, kWh from `value`, signed: at most the true limit, at least
    1/sqrt(2) of it, and 0 below `lowest`."""
    true = 2 * abs(preferred - value)
    if true <= lowest or true == 0.0:
        return 0.0
    named = 2.0 ** (floor(log(true, 2) * STEPS_PER_OCTAVE) / STEPS_PER_OCTAVE)
    return copysign(min(named, true), preferred - value)


def tell(disclosure: DisclosureName, value: float, preferred: float, lowest: float) -> float | None:
    """Return the number to disclose with an offer, or None for none."""
    match disclosure:
        case "value":
            return None
        case "direction":
            return 0.0 if value == preferred else copysign(1.0, preferred - value)
        case "limit":
            return limit_named(value, preferred, lowest)
