"""Stage 2 by the equal shift: the two messages along the tree.

Excess goes up once, Shares come down once. Both carry whole numbers of UNIT_KWH, so sums are exact
in any order.
"""

from dataclasses import dataclass

from protocol.domains import Positive
from protocol.vectors import Int64Vector

UNIT_KWH = 2.0**-20
"""The unit of amounts of energy, kWh: about one milliwatt-hour."""


@dataclass(frozen=True, slots=True)
class Excess:
    """Child to parent: the energy that its subtree has beyond its preferred plans. Repeated until
    Shares arrives."""

    households: Positive
    """Number of households in the subtree."""
    takers: Int64Vector
    """Number of these that take part, by slot."""
    excess: Int64Vector
    """Sum over those that take part of selected minus preferred plan, by slot, in UNIT_KWH."""
    attempt: Positive = 1
    """The attempt, as in Place; messages of another attempt are ignored."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Parent to child: the part of all excess that the child's subtree is to hold. The same however
    often it is repeated."""

    shares: Int64Vector
    """Sum over those in the subtree that take part of new schedule minus preferred plan, by slot,
    in UNIT_KWH."""
    attempt: Positive = 1
