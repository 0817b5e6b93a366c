"""What an offer says besides its value: three levels of disclosure (DESIGN.md 4, `--disclose`).

value: nothing. direction: whether more or less is wanted. limit: also how far the household would
go. Its true limit is twice the way to the preferred value; it names the next step below on a
ladder, so that the preference is bounded and not told, and 0 for whatever lies below the floor.
"""

from math import copysign, floor, log

from protocol.terms import DisclosureName

STEPS_PER_OCTAVE = 2
FLOOR = 0.25
"""Of the root mean squared deviation over all households and slots when the stage begins."""


def limit_named(value: float, preferred: float, lowest: float) -> float:
    """How far a household says it would go from `value`, kWh, signed: at most the truth, at least
    1/sqrt(2) of it, 0 below `lowest`."""
    true = 2 * abs(preferred - value)
    if true <= lowest or true == 0.0:
        return 0.0
    named = 2.0 ** (floor(log(true, 2) * STEPS_PER_OCTAVE) / STEPS_PER_OCTAVE)
    return copysign(min(named, true), preferred - value)


def tell(disclosure: DisclosureName, value: float, preferred: float, lowest: float) -> float | None:
    """What to put beside an offer's value; None for nothing."""
    match disclosure:
        case "value":
            return None
        case "direction":
            return 0.0 if value == preferred else copysign(1.0, preferred - value)
        case "limit":
            return limit_named(value, preferred, lowest)
