"""Stage 2, content amounts: the messages between homes and their matchmaker, and between partners.

A home sends AmountLookup to the matchmaker, which answers with AmountMatch; lookups are numbered,
one at a time. It proposes a change to a partner with AmountProposal; the partner reserves the part
that suits it and says so with AmountAnswer. A home may propose less, or ask further partners. Then
it commits or releases each with AmountConfirmation, and each answers with AmountDone.

Amounts are int64 counts of 2^-20 kWh. Gains, discomforts and devices are never sent.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from protocol.domains import Count, Ordinal, Positive, Seal, Slot, Step
from protocol.messages.exchange import Ending, Lease, LeaseId
from protocol.subjects import Name
from protocol.vectors import Int64Vector, Vector

PIECES = 24
"""Refusals are told by from-hour and to-hour: pieces of the day, 24 of them."""
Piece = Annotated[int, Field(ge=0, lt=PIECES)]

FLOORS = (0.7, 0.3)
"""Least D of the homes with wishes in the first rounds. Idle room is scarce, so it goes first to
those whose discomfort is greatest."""

PARTNERS_MAX = 12
"""Greatest number of partners asked for one whole."""

AmountRefusal = Literal["", "busy", "loss"]
"""The reason for an empty part. busy: the partner is in another talk. loss: it can do nothing of
what was proposed without a loss."""

Found = Literal["nothing asked", "match", "none", "busy", "engaged"]
"""The finding of a lookup. none: nobody has announced anything suitable. busy: all who have are in
another talk. engaged: a proposal is on its way to the household itself."""


class LeaseEnd(NamedTuple):
    """A lease that is over, as reported by the requester."""

    lease: LeaseId
    ending: Ending
    left: tuple[Piece, ...]
    """Pieces of the day in which the partner did not take less, as it was asked."""
    entered: tuple[Piece, ...]
    """Pieces of the day in which it did not take more."""


@dataclass(frozen=True, slots=True)
class AmountLookup:
    """Home to matchmaker: what it announces, the leases that are over, and what it wants. Repeated
    until the AmountMatch with its number arrives."""

    session: Ordinal
    """Rises whenever the household restarts."""
    number: Ordinal
    """Rises by one with each lookup in a session."""
    epoch: Ordinal
    """The matchmaker's epoch as last heard; 0 enters the household anew."""
    round: Step
    up_kwh: Vector
    """How much more the home could take at each slot without a loss, rounded down to powers of
    sqrt 2; empty if it has not changed."""
    down_kwh: Vector
    """How much less, likewise."""
    ended: tuple[LeaseEnd, ...]
    want_up_kwh: Vector
    """How much more the home wants to take at each slot; empty if no partner is wanted."""
    want_down_kwh: Vector
    """How much less, likewise."""
    whole: bool
    """True if nothing less than all that is wanted is of use."""
    without: tuple[Name, ...]
    """Households that are not wanted as partners, since they were asked already."""
    feeder: Count = 0
    """The home's feeder, as in its terms: partners are at the same one."""


@dataclass(frozen=True, slots=True)
class AmountMatch:
    """Matchmaker to home: the answer to a lookup."""

    session: Ordinal
    number: Ordinal
    epoch: Ordinal
    anew: bool
    """True if the matchmaker does not know the household, which must announce anew."""
    found: Found
    lease: Lease | None
    """The partner, for whole households; None unless there is a match."""
    up_kwh: Vector
    """How much more the partner has announced, no more than is wanted from it; empty for none."""
    down_kwh: Vector
    """How much less, likewise."""


@dataclass(frozen=True, slots=True)
class AmountProposal:
    """Requester to partner: a change of the requester's total, of which the partner is to make the
    opposite. Repeated until AmountAnswer arrives."""

    lease: LeaseId
    sequence: Positive
    """Number of the proposal under this lease, from 1; only the last one counts."""
    kind: Literal["part", "whole"]
    """whole: the requester needs all of it, from this partner and others."""
    slots: tuple[Slot, ...]
    """Slots of the change, rising."""
    amounts: Int64Vector
    """Amounts that the requester adds there, counts of 2^-20 kWh; their sum is 0."""
    round: Step = 0
    """Round and seal as in Lease."""
    seal: Seal = b""


@dataclass(frozen=True, slots=True)
class AmountAnswer:
    """Partner to requester: the part of the proposal that suits it and for which it is reserved.
    Repeated from time to time until AmountConfirmation arrives."""

    lease: LeaseId
    sequence: Positive
    slots: tuple[Slot, ...]
    """Slots of the part, rising. Empty if there is none: the partner is not reserved then."""
    amounts: Int64Vector
    """Amounts of the part that the requester adds there, counts of 2^-20 kWh; their sum is 0, and
    none goes beyond the proposal."""
    reason: AmountRefusal
    """Empty if there is a part."""


@dataclass(frozen=True, slots=True)
class AmountConfirmation:
    """Requester to partner: the part is exchanged, or released. Repeated until AmountDone
    arrives."""

    lease: LeaseId
    commit: bool


@dataclass(frozen=True, slots=True)
class AmountDone:
    """Partner to requester: the confirmation has taken effect."""

    lease: LeaseId
