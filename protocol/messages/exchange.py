"""Stage 2: what households, the matchmaker and partners say to each other.

Two kinds of conversation. Household and matchmaker: Lookup, answered by Match, one at a time and
numbered; whatever there is to tell (offers, leases that are over) rides on the lookup, so that many
slots share one message. Household and household: Proposal, answered by Outcome. Along the tree:
RoundDone up, NextRound or End down.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from protocol.messages.lifecycle import Address
from protocol.terms import DisclosureName
from protocol.vectors import Finite, Vector

Refusal = Literal[
    "", "loss", "no joint gain", "preferred", "cap", "drift", "never", "stale", "busy"
]
"""Why a proposal is refused; empty if it is accepted.

loss: the responder would lose. no joint gain: the pair would not gain enough. preferred: the slot
is at its preferred value. cap: it would end with more discomfort than it may. drift: its energy
would drift too far. never: a slot it does not trade. stale: it no longer holds the value. busy: it
negotiates that slot itself.
"""

Ending = Literal["done", "refused", "for now", "declined", "void"]
"""How a lease ended. refused: the two will not agree while they hold these values. for now: they
may in another round. declined: the requester did not want it. void: nothing was decided."""


class LeaseId(NamedTuple):
    """Names a lease for ever: `number` rises, `epoch` is another one whenever the matchmaker
    starts."""

    epoch: int
    number: int


class Closed(NamedTuple):
    """A lease that is over, as one of its two households saw it."""

    lease: LeaseId
    ending: Ending


class Lease(NamedTuple):
    """A match: both sides are marked busy until it is closed or `seconds` have passed."""

    id: LeaseId
    slot: int
    partner: Address
    value_kwh: Finite
    """What the partner offered there, kWh."""
    seconds: Finite


@dataclass(frozen=True, slots=True)
class Lookup:
    """Household to matchmaker: what I offer, what is over, what I look for. Repeated until Match
    with its number arrives."""

    session: int
    """Rises whenever the household starts again."""
    number: int
    """Rises by one a lookup within a session."""
    epoch: int
    """The matchmaker's, as last heard; 0: these are all my offers, forget any others."""
    round: int
    limits_bind: bool
    """Whether its limits bind: not to be asked to lose now. Else they tell where its interest
    lies."""
    disclosure: DisclosureName
    slots: tuple[int, ...]
    """Slots of new or changed offers."""
    values_kwh: Vector
    """Values held there, kWh."""
    limits_kwh: Vector
    """How far it would go from there, kWh, negative for downwards, named short of the truth;
    disclosure direction: -1, 0 or 1; disclosure value: empty."""
    withdrawn: tuple[int, ...]
    closed: tuple[Closed, ...]
    wants: tuple[int, ...]
    """Slots where a partner is looked for, most wanted first."""
    wanted_kwh: Vector
    """Values looked for, kWh; empty if the own offers' limits say enough."""
    tolerance_kwh: Vector
    """How far from `wanted` a value may be, kWh."""
    min_gain_kwh2: Finite
    """Fall of squared deviation below which it is not worth while, kWh^2; alike for everybody."""
    leases_max: int
    """Leases at most."""


@dataclass(frozen=True, slots=True)
class Match:
    """Matchmaker to household: the answer to a lookup. Slots of `wants` that are in neither list
    were not looked at."""

    session: int
    number: int
    epoch: int
    anew: bool
    """I do not know you: tell me all your offers again."""
    engaged: bool
    """You are marked busy yourself: a proposal is on its way to you."""
    leases: tuple[Lease, ...]
    none: tuple[int, ...]
    """Nobody offers what would serve there."""
    busy: tuple[int, ...]
    """Everybody who would serve there is busy now."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Requester to responder: my value for yours at this slot. Repeated until Outcome arrives."""

    lease: LeaseId
    slot: int
    given_kwh: Finite
    """What the requester holds there, kWh."""
    taken_kwh: Finite
    """What it expects the responder to hold there, kWh."""
    change_kwh2: Finite
    """Change of its own squared deviation that the requester names, kWh^2 (rule cooperative, else
    0)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Responder to requester: done, or refused and why. The same whenever it is asked again."""

    lease: LeaseId
    slot: int
    accepted: bool
    reason: Refusal


class RoundCount(NamedTuple):
    """What happened in a round in a subtree, counted by requesters, and what was sent for it.

    What is sent after a household has finished its own slots counts with the round after.
    """

    households: int
    lookups: int
    """Slots looked up."""
    matches: int
    proposals: int
    accepted: int
    refused: int
    discomfort_kwh: Finite
    """Sum of the households' discomforts when they began the round, kWh."""
    deviation_kwh2: Finite
    """Sum of their mean squared deviations then, kWh^2."""
    messages: int
    """Sent by households, repetitions included."""
    answers: int
    """Match messages that came back from matchmakers."""
    frames: int
    """Sent by the hosts of households: messages as the bus counts them."""
    bytes: int
    """Of these frames."""


@dataclass(frozen=True, slots=True)
class RoundDone:
    """Child to parent: my subtree has gone through its slots. Repeated until NextRound or End.

    Round -1 asks nobody: it sums up where the stage starts. Round 0 ends when all offers are made.
    """

    round: int
    count: RoundCount
    changed: tuple[int, ...]
    """Slots at which something was exchanged in this round, rising."""
    attempt: int = 1
    """As in Place: round -1 of another attempt is not heard."""


@dataclass(frozen=True, slots=True)
class NextRound:
    """Parent to child: go through these slots."""

    round: int
    changed: tuple[int, ...]
    """Slots at which something changed in the round before: nothing new can be had at others."""
    scale_kwh2: Finite
    """Mean squared deviation over all households and slots when the stage began, kWh^2."""


@dataclass(frozen=True, slots=True)
class End:
    """Parent to child: the stage is over after this round."""

    round: int


@dataclass(frozen=True, slots=True)
class RoundProgress:
    """Root to orchestrator, once a round, for display only: nothing waits for it."""

    round: int
    count: RoundCount
