"""The phases of a household, and which messages are legal in each.

Read as documentation of household.py, which refuses whatever is not legal here. Who may say them is
decided before, in protocol/runtime/gate.py.
"""

from collections.abc import Mapping
from enum import Enum

from protocol.errors import PeerError
from protocol.messages import (
    Abort,
    AmountAnswer,
    AmountConfirmation,
    AmountDone,
    AmountMatch,
    AmountProposal,
    BundleProposal,
    Comparison,
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
    Reentry,
    Release,
    RoundDone,
    Settled,
    Shares,
    Trades,
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
    BROKEN = "stopped by a defect"


Kinds = frozenset[type[Message]]

_ALWAYS: Kinds = frozenset({Place, Go, Abort})
_TREE: Kinds = frozenset({Up, Down})
_PARTNERS: Kinds = frozenset({Proposal, Outcome, BundleProposal, Counter, Confirmation, Settled})
_AMOUNTS: Kinds = frozenset({AmountProposal, AmountAnswer, AmountConfirmation, AmountDone})
_MATCHMAKERS: Kinds = frozenset({Match, AmountMatch, Comparison, Trades, Reentry})
_EXCHANGE: Kinds = _PARTNERS | _AMOUNTS | _MATCHMAKERS | {RoundDone, NextRound, End}
_EQUAL_SHIFT: Kinds = frozenset({Excess, Shares})

LEGAL: Mapping[Phase, Kinds] = {
    # Messages of an exchange come from neighbours that have not heard of its end; planning goes on
    # after it (exchange_every).
    Phase.ENROLLING: _ALWAYS | _EXCHANGE,
    # A child may have heard Go first.
    Phase.PLACED: _ALWAYS | {Up} | _EXCHANGE,
    Phase.PLANNING: _ALWAYS | _TREE | _EXCHANGE,
    # Up and Down of stage 1 still come from neighbours that missed an answer.
    Phase.EXCHANGING: _ALWAYS | _TREE | _EXCHANGE | _EQUAL_SHIFT,
    Phase.REPORTING: _ALWAYS | _TREE | _EXCHANGE | _EQUAL_SHIFT | {Release},
    # Neighbours may still be waiting for an answer, and Left may have been lost.
    Phase.RELEASED: _ALWAYS | _TREE | _EXCHANGE | _EQUAL_SHIFT | {Release},
    Phase.ABORTED: _ALWAYS,
    Phase.BROKEN: frozenset({Abort}),
}
"""The kinds of message that are legal in each phase. All others raise PeerError. A legal message
that is a repetition or out of date is ignored, so Place, Go and Abort are legal at any time."""


def check_legal(message: Message, phase: Phase) -> None:
    """Raise PeerError if a household in this phase does not take a message of this kind."""
    if type(message) not in LEGAL[phase]:
        kind = type(message).__name__
        raise PeerError(f"{kind} is not for a household that is {phase.value}")
