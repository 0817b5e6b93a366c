"""Stage 2 under the rule `ttc`: the messages between households and matchmakers.

A household puts its values into the pools of their slots with PoolEntry. The matchmaker asks, with
Comparison, which of two values it would rather have; the household answers with Choice. When the
cycles of all slots are found, Trades tells each household what it takes. A matchmaker that does
not know a household asks it with Reentry to begin again.
"""

from dataclasses import dataclass

from protocol.domains import Count, Ordinal, Positive, Slot
from protocol.vectors import Vector


@dataclass(frozen=True, slots=True)
class PoolEntry:
    """Household to matchmaker: the values that it would trade. Repeated until Comparison or Trades
    arrives."""

    session: Ordinal
    """Rises whenever the household restarts."""
    number: Ordinal
    """Rises by one with each entry of a session."""
    households: Positive
    """Number of households in the run: the matchmaker begins when all have entered."""
    slots: tuple[Slot, ...]
    """Slots at which the household wants another value, rising."""
    values_kwh: Vector
    """Values held at these slots, kWh."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A matchmaker asks a household which of two values it would rather have, at each slot."""

    session: Ordinal
    """Session and number of the household's entry, here and below."""
    number: Ordinal
    step: Count
    """Rises by one with each comparison for this household."""
    slots: tuple[Slot, ...]
    lower_kwh: Vector
    """The lower value at each slot, kWh."""
    upper_kwh: Vector
    """The upper value at each slot, kWh."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Household to matchmaker: the answer to a comparison. Repeated, ever more slowly, until the
    next comparison or the round after the trades."""

    session: Ordinal
    number: Ordinal
    step: Count
    """The step of the comparison."""
    upper: tuple[Slot, ...]
    """Slots at which the upper value is preferred, rising; at all others the lower one is."""


@dataclass(frozen=True, slots=True)
class Trades:
    """Matchmaker to household: what it takes if all households agree. Sent when all cycles are
    found, and again when asked again."""

    session: Ordinal
    number: Ordinal
    slots: tuple[Slot, ...]
    """Slots at which the household takes another value, rising."""
    values_kwh: Vector
    """Values taken there, kWh."""


@dataclass(frozen=True, slots=True)
class Reentry:
    """Matchmaker to household: it does not know this entry; the household must enter anew."""

    session: Ordinal
    number: Ordinal
