"""Joining a run and leaving it: between households, matchmakers and the orchestrator."""

from dataclasses import dataclass
from typing import NamedTuple

from protocol.domains import Count, Digest, Key, Ordinal, Positive, Reason, SlotCount, Step
from protocol.subjects import Name
from protocol.terms import ExchangeTerms, Terms

SILENCE = 15.0
"""Seconds without an announcement after which a part on standby gives up a run that has not begun
for it, or that another run is announced in place of."""
ABSENCE = 3600.0
"""Seconds without an announcement after which it gives up any run."""


class Address(NamedTuple):
    """The address of a household or other part: its host and its name."""

    host: Name
    name: Name


@dataclass(frozen=True, slots=True)
class Announce:
    """Orchestrator to all hosts and matchmakers, again and again while a run lasts."""

    settings: str
    """The options of the run as a JSON object, for hosts that load their households by them."""
    slots: SlotCount
    exchange: ExchangeTerms | None
    """The terms of stage 2; None: there is no stage 2, and matchmakers have nothing to do."""
    matchmakers: tuple[Address, ...]
    instance: Digest = 0
    """Tells the run from any other with the same id; 0 if nobody need know."""


@dataclass(frozen=True, slots=True)
class Enrol:
    """Household to orchestrator: the household takes part. Repeated until Place arrives."""

    slots: SlotCount
    """Number of slots of its plans."""
    session: Ordinal = 0
    """Rises whenever the household restarts without its memory."""
    loop: Count = 0
    """Number of exchanges that it has behind it (`exchange_every`)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Orchestrator to household: its place in the tree, and the terms of the run."""

    position: Count
    households: Positive
    parent: Address | None
    children: tuple[Address, ...]
    terms: Terms
    matchmakers: tuple[Address, ...] = ()
    """The matchmakers; partners for slot i are looked up at number i modulo their number. None if
    households find their partners alone (content bundle)."""
    roster: tuple[Address, ...] = ()
    """All households by position; only sent if the tree may be reorganised during the run, or if
    households find their partners alone."""
    attempt: Positive = 1
    """Number of the attempt. It rises whenever stage 1 starts again for all because a household has
    lost its memory. A higher number than the last ends whatever the household is doing."""
    loop: Count = 0
    """Number of exchanges after which stage 1 begins; all households have them behind them."""
    matchmaker_keys: tuple[Key, ...] = ()
    """The public key of each matchmaker, with which it seals leases; empty if leases are not
    sealed."""


@dataclass(frozen=True, slots=True)
class Application:
    """Matchmaker to orchestrator: it has started and asks for its commission. Repeated until
    Commission arrives."""

    life: Ordinal
    """A number drawn at random at its start: a matchmaker that starts again has another one."""


class Residents(NamedTuple):
    """The households that live on one host."""

    host: Name
    households: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class Commission:
    """Orchestrator to matchmaker: what it needs to serve the run. The same in answer to each
    repetition."""

    life: Ordinal
    """As in the application."""
    epoch: Positive
    """The number of this life of the matchmaker in the run, from 1: it marks its leases."""
    residents: tuple[Residents, ...]
    """The roster: only these households may look up partners, and only from these hosts."""
    signing_key: Key | None = None
    """The private key with which it seals leases; None if leases are not sealed."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Household to orchestrator: the household has its place. Repeated until Go arrives."""

    attempt: Positive = 1
    session: Ordinal = 0
    """The session, as in Enrol: messages from an earlier life of the household do not count."""


@dataclass(frozen=True, slots=True)
class Go:
    """Orchestrator to household: all are placed; begin."""

    attempt: Positive = 1


@dataclass(frozen=True, slots=True)
class Release:
    """Orchestrator to household: all results have arrived, it may leave. Repeated until Left."""


@dataclass(frozen=True, slots=True)
class Left:
    """Household to orchestrator: the household has left."""


@dataclass(frozen=True, slots=True)
class HostTraffic:
    """Host to orchestrator, in answer to Release: the traffic of this host."""

    messages: Count
    frames: Count
    """Bus messages; each carries one or more messages of the protocol."""
    bytes: Count
    resent: Count
    dropped: Count
    """Frames and messages that were received and refused."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Household to orchestrator: it has waited longer than its patience. Nothing waits for this
    message."""

    iteration: Step
    """The iteration in which it waits; -1 before the first, the number of iterations in stage 2."""
    missing: tuple[Address, ...]
    """The parts it waits for."""
    done: Count = 0
    """Progress of the household in stage 2: its lookups, and the proposals it answered."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Host or household to orchestrator: it cannot go on."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Abort:
    """Orchestrator to everybody: the run has ended without a result."""

    reason: Reason
