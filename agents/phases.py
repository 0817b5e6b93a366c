"""The phases of a household, and which messages are legal in each.

Read as documentation of household.py, which refuses whatever is not legal here.
"""

from collections.abc import Mapping
from enum import Enum

from protocol.messages import (
    Abort,
    AmountAnswer,
    AmountConfirmation,
    AmountDone,
    AmountMatch,
    AmountProposal,
    BundleProposal,
    Confirmation,
    Counter,
    Down,
    End,
    Excess,
    Go,
    Match,
    Message,
    NextRound,
    Outcome,
    Place,
    Proposal,
    Release,
    RoundDone,
    Settled,
    Shares,
    Up,
)


class Phase(Enum):
    """A phase of a household in its run."""

    ENROLLING = "enrolling"
    PLACED = "placed"
    PLANNING = "planning"
    EXCHANGING = "exchanging"
    REPORTING = "reporting"
    RELEASED = "released"
    ABORTED = "aborted"


Kinds = frozenset[type[Message]]

FROM_ORCHESTRATOR: Kinds = frozenset({Place, Go, Release, Abort})
"""The kinds of message that are legal only from the orchestrator."""
_ALWAYS: Kinds = frozenset({Place, Go, Abort})
_TREE: Kinds = frozenset({Up, Down})
_PARTNERS: Kinds = frozenset({Proposal, Outcome, BundleProposal, Counter, Confirmation, Settled})
_AMOUNTS: Kinds = frozenset(
    {AmountMatch, AmountProposal, AmountAnswer, AmountConfirmation, AmountDone}
)
_EXCHANGE: Kinds = _PARTNERS | _AMOUNTS | {Match, RoundDone, NextRound, End}
_EQUAL_SHIFT: Kinds = frozenset({Excess, Shares})

LEGAL: Mapping[Phase, Kinds] = {
    Phase.ENROLLING: _ALWAYS,
    # A child may have heard Go first.
    Phase.PLACED: _ALWAYS | {Up},
    Phase.PLANNING: _ALWAYS | _TREE,
    # Up and Down of stage 1 still come from neighbours that missed an answer.
    Phase.EXCHANGING: _ALWAYS | _TREE | _EXCHANGE | _EQUAL_SHIFT,
    Phase.REPORTING: _ALWAYS | _TREE | _EXCHANGE | _EQUAL_SHIFT | {Release},
    # Neighbours may still be waiting for an answer, and Left may have been lost.
    Phase.RELEASED: _ALWAYS | _TREE | _EXCHANGE | _EQUAL_SHIFT | {Release},
    Phase.ABORTED: _ALWAYS,
}
"""The kinds of message that are legal in each phase. All others raise PeerError. A legal message
that is a repetition or out of date is ignored, so Place, Go and Abort are legal at any time."""
