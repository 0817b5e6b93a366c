"""The state that the tested household must have by now, after all that the test did to it."""

from dataclasses import dataclass, field

from protocol.vectors import Array


@dataclass(slots=True)
class ExpectedState:
    """The schedule and the counts that the household must report."""

    held: Array
    """The schedule that it must hold, float64[d], kWh."""
    asked: int = 0
    """Number of its proposals."""
    agreed: int = 0
    """Number of these that led to an exchange."""
    refused: int | None = None
    """Number of its wishes of which nothing came (content amounts); None: its other proposals."""
    exchanged: set[int] = field(default_factory=set)
    """Slots that it must report as changed in this round (content slot)."""
