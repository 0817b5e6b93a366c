"""Monitoring: an operator's inquiry, and the answers with the parts that are present and the
progress of runs.

A run needs none of it, and no message here reveals plans, schedules or their values.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

from pydantic import StringConstraints

from protocol.domains import Count, Seconds, Step
from protocol.subjects import Name

RoleName = Literal["host", "matchmaker"]
Words = Annotated[str, StringConstraints(pattern=r"^[a-z ]{0,40}$")]
"""Words that are shown to people as they are, free of control characters for a terminal."""


Shown = Annotated[str, StringConstraints(pattern=r"^[ -~]{0,160}$")]
"""A text that is shown to people as it is: ASCII, free of control characters for a terminal."""
REFUSED_MAX = 8
"""Number of hosts that a part names as refused."""


class RefusedHost(NamedTuple):
    """A host of which a part has refused frames or messages in this run."""

    host: Name
    times: Count
    what: Shown
    """The last of it: the kind of message, and why it was refused."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Operator to everybody: which parts are there? Repeated as long as the operator wants to
    know."""


@dataclass(frozen=True, slots=True)
class Presence:
    """Host or matchmaker to operator, in answer to Inquiry."""

    role: RoleName
    run: Name | None
    """The run that it takes part in; None if it is on standby."""
    stage: Words
    """The phase of its first household; empty for a matchmaker, and on standby."""
    households: Count
    """Number of households that it runs, or whose offers it knows."""
    seconds: Seconds
    """Seconds since it began this run, or began to stand by."""
    refused: tuple[RefusedHost, ...] = ()
    """The hosts that it has refused most often."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A part that a run needs, as its orchestrator sees it."""

    name: Name
    role: Literal["host", "matchmaker", "external"]
    """Kind of part; external: a household that other people run, under the household's name."""
    households: Count
    heard_seconds: Seconds | None
    """Seconds since the orchestrator heard from it; None: never."""


@dataclass(frozen=True, slots=True)
class RunState:
    """Orchestrator to operator, in answer to Inquiry: the progress of the run, and its parts."""

    run: Name
    stage: Words
    seconds: Seconds
    """Seconds since the orchestrator began."""
    households: Count
    enrolled: Count
    iteration: Step
    """The last finished iteration of stage 1; -1: none."""
    iterations: Count
    round: Step
    """The last finished round of stage 2; -1: none."""
    rounds: Count
    """Largest number of rounds; 0: there is no stage 2."""
    exchanges: Count
    """Number of exchanges up to that round."""
    exchanging_seconds: Seconds
    """Seconds that stage 2 has lasted so far, or lasted in all; 0: it has not begun."""
    parts: tuple[Expected, ...]
    refused: tuple[RefusedHost, ...] = ()
    """The hosts that the orchestrator has refused most often."""
