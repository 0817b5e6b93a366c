"""Stage 2: the messages between households and matchmakers, and between partners.

A household sends Lookup to a matchmaker, which answers with Match; lookups are numbered, one at a
time. News for the matchmaker (offers, leases that are over) travels with the lookup, so many slots
share one message. Content slot: a household sends Proposal to another, which answers with Outcome.
Content bundle: a household sends BundleProposal; the other refuses with Outcome or answers with
Counter; the first confirms or releases with Confirmation, and the other answers with Settled. Along
the tree, RoundDone goes up, NextRound or End down.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from protocol.domains import (
    Count,
    Digest,
    Finite,
    NotNegative,
    Ordinal,
    Positive,
    Seal,
    Seconds,
    Slot,
    SlotOrWhole,
    Step,
)
from protocol.messages.lifecycle import Address
from protocol.terms import DisclosureName
from protocol.vectors import Vector

Refusal = Literal[
    "",
    "loss",
    "no joint gain",
    "preferred",
    "cap",
    "drift",
    "never",
    "stale",
    "busy",
    "rule",
    "contradiction",
]
"""The reason for refusing a proposal; empty if it is accepted.

loss: the responder would lose. no joint gain: the pair would not gain enough. preferred: the slot
is at its preferred value. cap: the responder would end with more discomfort than allowed. drift:
its energy would drift too far. never: it does not trade this slot. stale: it no longer holds the
value. busy: it is negotiating this slot itself. rule: its own acceptance rule (Python, `accepts`)
says no. contradiction: the change that the requester names does not agree with those it named at
this slot before.
"""

Ending = Literal["done", "refused", "for now", "declined", "void"]
"""The ending of a lease. refused: the two will not agree while they hold these values. for now:
they may agree in another round. declined: the requester did not want it. void: nothing was
decided."""


WHOLE = -1
"""Stands for all slots of a household, where one slot is named otherwise."""


class LeaseId(NamedTuple):
    """The unique id of a lease: `number` rises, and `epoch` differs each time the matchmaker
    starts."""

    epoch: Ordinal
    number: Ordinal


class Closed(NamedTuple):
    """A lease that is over, as reported by one of its two households."""

    lease: LeaseId
    ending: Ending


class Lease(NamedTuple):
    """A match: both households are marked busy until the lease is closed or `seconds` have
    passed."""

    id: LeaseId
    slot: SlotOrWhole
    """The slot; WHOLE if the two households are reserved as a whole (content bundle)."""
    partner: Address
    value_kwh: Finite
    """Value that the partner offered at the slot, kWh; 0 for whole households."""
    seconds: Seconds
    round: Step = 0
    """The round of the lookup. In a later one the partner takes no proposal under this lease."""
    seal: Seal = b""
    """The matchmaker's seal, for the proposal."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Household to matchmaker: its offers, its closed leases, and the slots it looks up. Repeated
    until the Match with its number arrives."""

    session: Ordinal
    """Rises whenever the household restarts."""
    number: Ordinal
    """Rises by one with each lookup in a session."""
    epoch: Ordinal
    """The matchmaker's epoch as last heard; 0 means that these are all offers and earlier ones are
    void."""
    round: Step
    limits_bind: bool
    """True if the household's limits bind: it must not be asked for a loss now. If False, they show
    where its interest lies."""
    disclosure: DisclosureName
    slots: tuple[Slot, ...]
    """Slots of new or changed offers."""
    values_kwh: Vector
    """Values held at these slots, kWh."""
    limits_kwh: Vector
    """Disclosed limits: the distance that the household would go from these values, kWh, negative
    for downwards, rounded towards 0. Disclosure `direction`: -1, 0 or 1; `value`: empty."""
    withdrawn: tuple[Slot, ...]
    closed: tuple[Closed, ...]
    wants: tuple[Slot, ...]
    """Slots for which a partner is wanted, most wanted first."""
    wanted_kwh: Vector
    """Values wanted, kWh; empty if the limits of the own offers say enough."""
    tolerance_kwh: Vector
    """Distance from `wanted_kwh` that a value may have, kWh."""
    min_gain_kwh2: NotNegative
    """Decrease of squared deviation below which an exchange is not worthwhile, kWh^2; the same for
    all households."""
    leases_max: Count
    """Largest number of leases to open."""
    households: Count = 0
    """Number of households that look up at this matchmaker in this round (content bundle); 0 if
    the household does not say."""


@dataclass(frozen=True, slots=True)
class Match:
    """Matchmaker to household: the answer to a lookup. Slots of `wants` that are in none of the
    lists were not examined."""

    session: Ordinal
    number: Ordinal
    epoch: Ordinal
    anew: bool
    """True if the matchmaker does not know the household, which must send all its offers again."""
    engaged: bool
    """True if the household itself is busy: a proposal is on its way to it."""
    leases: tuple[Lease, ...]
    none: tuple[Slot, ...]
    """Slots for which no household has a suitable offer."""
    busy: tuple[Slot, ...]
    """Slots for which all suitable households are busy now."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Requester to responder: a swap of their values at this slot. Repeated until Outcome
    arrives."""

    lease: LeaseId
    slot: Slot
    given_kwh: Finite
    """Value that the requester holds, kWh."""
    taken_kwh: Finite
    """Value that it expects the responder to hold, kWh."""
    change_kwh2: Finite
    """Change of the requester's own squared deviation, kWh^2; 0 unless the rule is
    `cooperative`."""
    round: Step = 0
    """Round and seal as in Lease."""
    seal: Seal = b""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Responder to requester: the swap is done, or refused with a reason. The same however often it
    is repeated."""

    lease: LeaseId
    slot: SlotOrWhole
    accepted: bool
    reason: Refusal


@dataclass(frozen=True, slots=True)
class BundleProposal:
    """Requester to responder: its values at the slots that it would exchange, and its limits.
    Repeated until Counter or Outcome arrives."""

    lease: LeaseId
    disclosure: DisclosureName
    slots: tuple[Slot, ...]
    """Slots that may be part of the bundle, rising."""
    values_kwh: Vector
    """Values that the requester holds at these slots, kWh."""
    limits_kwh: Vector
    """Its disclosed limits there, as in Lookup."""
    loss_kwh2: Finite
    """Rise of its squared deviation that the requester may accept, kWh^2; 0 under `mutual`."""
    less_kwh: Finite | None
    """Decrease of its own energy that it may accept, kWh; None for any."""
    more_kwh: Finite | None
    """Increase of its own energy that it may accept, kWh; None for any."""
    round: Step = 0
    """Round and seal as in Lease; without a matchmaker, its seal is empty."""
    seal: Seal = b""


@dataclass(frozen=True, slots=True)
class Counter:
    """Responder to requester: an exchange of all values at these slots, or of none. The same
    however often it is repeated; until Confirmation arrives the responder is reserved."""

    lease: LeaseId
    slots: tuple[Slot, ...]
    """The bundle, rising."""
    values_kwh: Vector
    """Values that the responder holds at these slots, kWh."""
    change_kwh2: Finite
    """Change of the responder's squared deviation, kWh^2; 0 unless its rule is `cooperative`."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Requester to responder: the bundle is exchanged, or released with a reason. Repeated until
    Settled arrives."""

    lease: LeaseId
    reason: Refusal
    """Empty if the bundle is exchanged."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Responder to requester: the confirmation or release has taken effect."""

    lease: LeaseId


class RoundCount(NamedTuple):
    """The events of one round in a subtree, counted by requesters, and the traffic for them.

    Traffic after a household has finished its own slots counts towards the next round.
    """

    households: Positive
    lookups: Count
    """Number of slots looked up."""
    matches: Count
    proposals: Count
    accepted: Count
    refused: Count
    discomfort_kwh: NotNegative
    """Sum of the households' discomforts when they began the round, kWh."""
    deviation_kwh2: NotNegative
    """Sum of their mean squared deviations when they began the round, kWh^2."""
    messages: Count
    """Messages that households sent, repetitions included."""
    answers: Count
    """Match messages from matchmakers."""
    frames: Count
    """Frames that the hosts of households sent."""
    bytes: Count
    """Size of these frames, bytes."""


@dataclass(frozen=True, slots=True)
class RoundDone:
    """Child to parent: the subtree has finished the slots of this round. Repeated until NextRound
    or End.

    In round -1 nothing is looked up; it adds up the state at the start of the stage. Round 0 ends
    when all offers are made.
    """

    round: Step
    count: RoundCount
    changed: tuple[Slot, ...]
    """Slots at which a value was exchanged in this round, rising."""
    attempt: Positive = 1
    """The attempt, as in Place: round -1 of another attempt is ignored."""
    balance: Digest = 0
    """Rule `ttc`, round 1: what the subtree takes minus what it gives, as one number of 64 bits."""


@dataclass(frozen=True, slots=True)
class NextRound:
    """Parent to child: go through these slots in the next round."""

    round: Step
    changed: tuple[Slot, ...]
    """Slots whose value changed in the round before; at all others nothing new can be found."""
    scale_kwh2: NotNegative
    """Mean squared deviation over all households and slots when the stage began, kWh^2."""


@dataclass(frozen=True, slots=True)
class End:
    """Parent to child: the stage ends after this round."""

    round: Step


@dataclass(frozen=True, slots=True)
class RoundProgress:
    """Root to orchestrator, once per round, for display only: nothing waits for it."""

    round: Step
    count: RoundCount
