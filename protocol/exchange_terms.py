"""The terms of the slot exchange: what every household of a run does alike in stage 2.

A household's own mandate may narrow some of them for itself (agents/mandate.py); nobody widens it.
"""

from dataclasses import dataclass
from typing import Literal

from protocol.vectors import Finite

RuleName = Literal["mutual", "cooperative", "paper"]
DisclosureName = Literal["value", "direction", "limit"]
LocksName = Literal["household", "slot"]
OrderName = Literal["concurrent", "sequential"]

PAPER_TOLERANCE = 0.01
"""kWh; the source's rule asks for the preferred value itself, which hardly anybody holds."""


@dataclass(frozen=True, slots=True)
class ExchangeTerms:
    """How values are exchanged. Checked when built; ValueError says what is wrong."""

    rule: RuleName = "mutual"
    disclosure: DisclosureName = "limit"
    tolerance: Finite | None = None
    """kWh that a value may be away from the preferred one; None: whatever brings it closer."""
    min_gain: Finite = 0.02
    """Least fall of squared deviation worth an exchange, as a share of the mean squared deviation
    over all households and slots when the stage begins."""
    rounds: int = 50
    """Rounds at most."""
    attempts: int = 4
    """Failed negotiations a slot and round after which a household leaves the slot alone."""
    locks: LocksName = "slot"
    """What a lease marks busy: both households, or both at one slot only."""
    at_once: int = 4
    """Negotiations that one household begins at once when locks are per slot."""
    order: OrderName = "concurrent"
    lease: Finite = 15.0
    """Seconds after which the matchmaker takes a lease for lost."""
    trace: bool = False
    """Whether households tell the orchestrator in the end of every exchange they made."""

    def __post_init__(self) -> None:
        if self.tolerance is not None and self.tolerance < 0:
            raise ValueError("tolerance must not be negative")
        if self.min_gain < 0:
            raise ValueError("min_gain must not be negative")
        if self.rounds < 1 or self.attempts < 1 or self.at_once < 1:
            raise ValueError("rounds, attempts and at_once must be at least 1")
        if self.lease <= 0:
            raise ValueError("lease must be positive")

    @property
    def leases_at_once(self) -> int:
        """Negotiations that a household may begin at once."""
        return self.at_once if self.locks == "slot" else 1
