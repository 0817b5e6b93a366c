"""What an operator asks of parts, and what they answer: who is there, and how far a run is.

Nothing here is needed for a run, and nothing here tells of plans, schedules or their values.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import StringConstraints

from protocol.subjects import Name
from protocol.vectors import Finite

RoleName = Literal["host", "matchmaker"]
Words = Annotated[str, StringConstraints(pattern=r"^[a-z ]{0,40}$")]
"""Shown to people as it is: nothing that a terminal would obey."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Operator to everybody: who is there? Repeated as long as it wants to know."""


@dataclass(frozen=True, slots=True)
class Presence:
    """Host or matchmaker to operator, in answer to Inquiry."""

    role: RoleName
    run: Name | None
    """The run it takes part in; None: it stands by."""
    stage: Words
    """How far its first household is; empty for a matchmaker, and while it stands by."""
    households: int
    """Those it runs, or whose offers it knows."""
    seconds: Finite
    """Since it began with that, or stands by."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A part that a run needs, as its orchestrator sees it."""

    name: Name
    role: Literal["host", "matchmaker", "external"]
    """external: a household that somebody else runs, under the household's name."""
    households: int
    heard_seconds: Finite | None
    """Seconds since the orchestrator heard of it; None: never."""


@dataclass(frozen=True, slots=True)
class RunState:
    """Orchestrator to operator, in answer to Inquiry: how far the run is, and who takes part."""

    run: Name
    stage: Words
    seconds: Finite
    """Since the orchestrator began."""
    households: int
    enrolled: int
    iteration: int
    """Of stage 1, the newest that is over; -1: none."""
    iterations: int
    round: int
    """Of stage 2, the newest that is over; -1: none."""
    rounds: int
    """At most; 0: there is no stage 2."""
    exchanges: int
    """Up to that round."""
    exchanging_seconds: Finite
    """Seconds since stage 2 began, or for which it lasted; 0: it has not begun."""
    parts: tuple[Expected, ...]
