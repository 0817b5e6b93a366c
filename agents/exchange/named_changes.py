"""Named changes: whether what a requester says of itself now agrees with what it said before.

Under the rule `cooperative` a requester names the change of its squared deviation. For a value g
that it gives and a value t that it takes, that change is (t - p)^2 - (g - p)^2, so it says where
the preferred value p lies. All changes that a household names at one slot must say the same. This
module decides whether they do; it cannot know whether the first one was true.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from protocol.messages import Address, Proposal

ROUNDING = 2.0**-50
"""Relative bound on the rounding error of a named change, with room to spare."""


class _Range(NamedTuple):
    """The range in which a preferred value lies, kWh."""

    low: float
    high: float


@dataclass(slots=True)
class NamedChanges:
    """What requesters have said of themselves, by requester and slot.

    It lasts as long as the household's host: one that restarts begins anew.
    """

    _ranges: dict[tuple[str, int], _Range] = field(default_factory=dict)

    def contradicts(self, sender: Address, proposal: Proposal) -> bool:
        """Return True if no preferred value explains this change and those named before.

        A change of 0 names nothing: a household under another rule says so.
        """
        if proposal.change_kwh2 == 0.0:
            return False
        if proposal.taken_kwh == proposal.given_kwh:
            return True
        said = _implied(proposal.given_kwh, proposal.taken_kwh, proposal.change_kwh2)
        known = self._ranges.get((sender.name, proposal.slot), said)
        both = _Range(max(known.low, said.low), min(known.high, said.high))
        if both.low > both.high:
            return True
        self._ranges[sender.name, proposal.slot] = both
        return False


def _implied(given: float, taken: float, change: float) -> _Range:
    """Return the range of preferred values for which taking one value for the other, kWh, changes
    the squared deviation by `change`, kWh^2, up to rounding."""
    step = taken - given
    preferred = (given + taken) / 2 - change / (2 * step)
    squares = (taken - preferred) ** 2 + (given - preferred) ** 2 + abs(change)
    margin = ROUNDING * (squares / abs(step) + abs(given) + abs(taken) + abs(preferred))
    return _Range(preferred - margin, preferred + margin)
