"""Joining a run and leaving it: between a household and the orchestrator."""

from dataclasses import dataclass
from typing import NamedTuple

from protocol.subjects import Name
from protocol.terms import ExchangeTerms, Terms

SILENCE = 15.0
"""Seconds without an announcement after which a host or matchmaker on standby gives a run up."""

SILENCE = 15.0
"""Seconds without an announcement after which parts that stand by give a run up."""


class Address(NamedTuple):
    """Where a household (or the orchestrator, a matchmaker) is reached: its host and its name."""

    host: Name
    name: Name


@dataclass(frozen=True, slots=True)
class Announce:
    """Orchestrator to all hosts and matchmakers, again and again while a run lasts."""

    settings: str
    """The options of the run, as a JSON object: for hosts that take their households from them."""
    slots: int
    exchange: ExchangeTerms | None
    """None: there is no stage 2, and matchmakers have nothing to do."""
    matchmakers: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Enrol:
    """Household to orchestrator: I take part. Repeated until Place arrives."""

    slots: int
    """Length d of its plans."""
    session: int = 0
    """Rises whenever the household starts again, with nothing left of what it knew."""


@dataclass(frozen=True, slots=True)
class Place:
    """Orchestrator to household: your place in the tree, and the terms of the run."""

    position: int
    households: int
    parent: Address | None
    children: tuple[Address, ...]
    terms: Terms
    matchmakers: tuple[Address, ...] = ()
    """Where partners for slot i are looked up: number i modulo their number."""
    roster: tuple[Address, ...] = ()
    """All households by position; only sent when the tree may be reorganised during the run."""
    attempt: int = 1
    """Rises whenever stage 1 begins anew for all, since a household has lost what it knew: a higher
    one than the last ends whatever the household is doing."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Household to orchestrator: placed. Repeated until Go arrives."""

    attempt: int = 1
    session: int = 0
    """As in Enrol: what an earlier life of the household said does not count."""


@dataclass(frozen=True, slots=True)
class Go:
    """Orchestrator to household: everybody is placed, begin."""

    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Release:
    """Orchestrator to household: all results have arrived, you may leave. Repeated until Left."""


@dataclass(frozen=True, slots=True)
class Left:
    """Household to orchestrator: I have left."""


@dataclass(frozen=True, slots=True)
class HostTraffic:
    """Host to orchestrator, in answer to Release: what went over the bus from here."""

    messages: int
    frames: int
    """Bus messages; each carries one or more of ours."""
    bytes: int
    resent: int
    dropped: int
    """Received and refused."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Household to orchestrator: I have waited longer than my patience; nothing waits for this."""

    iteration: int
    """-1 before the first; all of them in stage 2."""
    missing: tuple[Address, ...]
    """For these."""
    done: int = 0
    """What the household did in stage 2 so far: lookups, and proposals that it answered."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Host or household to orchestrator: I cannot go on."""

    reason: str


@dataclass(frozen=True, slots=True)
class Abort:
    """Orchestrator to everybody: the run is over without a result."""

    reason: str
