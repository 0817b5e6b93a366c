"""Every message on the bus, as frozen dataclasses; `Message` is the union of all.


lifecycle.py   joining a run and leaving it; the commission of a matchmaker
planning.py    stage 1: sums up the tree, the global plan down
exchange.py    stage 2: lookups, proposals, rounds
amounts.py     stage 2, content amounts: announcements, proposals, reservations
equal_shift.py stage 2 by the equal shift: excess up the tree, shares down
trading.py     stage 2 under the rule ttc: values in pools, comparisons, trades
results.py     the report of a household at the end
monitoring.py  an operator's inquiry, and the answers

A new message is a class in one of these modules and a member of the union.
"""

from protocol.messages.amounts import (
    AmountAnswer,
    AmountConfirmation,
    AmountDone,
    AmountLookup,
    AmountMatch,
    AmountProposal,
)
from protocol.messages.equal_shift import Excess, Shares
from protocol.messages.exchange import (
    BundleProposal,
    Confirmation,
    Counter,
    End,
    Lookup,
    Match,
    NextRound,
    Outcome,
    Proposal,
    RoundCount,
    RoundDone,
    RoundProgress,
    Settled,
)
from protocol.messages.lifecycle import (
    Abort,
    Address,
    Announce,
    Application,
    Commission,
    Enrol,
    Failure,
    Go,
    HostTraffic,
    Left,
    Place,
    Ready,
    Release,
    Residents,
    Waiting,
)
from protocol.messages.monitoring import Expected, Inquiry, Presence, RefusedHost, RunState
from protocol.messages.planning import Aggregate, Down, Iteration, Progress, Up
from protocol.messages.results import (
    Exchanged,
    ExchangeHistory,
    PlanningHistory,
    Replanned,
    Result,
    Trace,
)
from protocol.messages.trading import Choice, Comparison, PoolEntry, Reentry, Trades

Message = (
    Announce
    | Application
    | Commission
    | Enrol
    | Place
    | Ready
    | Go
    | Up
    | Down
    | Progress
    | Waiting
    | Result
    | Release
    | Left
    | HostTraffic
    | Failure
    | Abort
    | Lookup
    | Match
    | Proposal
    | Outcome
    | BundleProposal
    | Counter
    | Confirmation
    | Settled
    | AmountAnswer
    | AmountConfirmation
    | AmountDone
    | AmountLookup
    | AmountMatch
    | AmountProposal
    | PoolEntry
    | Comparison
    | Choice
    | Trades
    | Reentry
    | RoundDone
    | NextRound
    | End
    | RoundProgress
    | Excess
    | Shares
    | Inquiry
    | Presence
    | RunState
)

__all__ = [
    "Abort",
    "Address",
    "Aggregate",
    "AmountAnswer",
    "AmountConfirmation",
    "AmountDone",
    "AmountLookup",
    "AmountMatch",
    "AmountProposal",
    "Announce",
    "Application",
    "BundleProposal",
    "Choice",
    "Commission",
    "Comparison",
    "Confirmation",
    "Counter",
    "Down",
    "End",
    "Enrol",
    "Excess",
    "ExchangeHistory",
    "Exchanged",
    "Expected",
    "Failure",
    "Go",
    "HostTraffic",
    "Inquiry",
    "Iteration",
    "Left",
    "Lookup",
    "Match",
    "Message",
    "NextRound",
    "Outcome",
    "Place",
    "PlanningHistory",
    "PoolEntry",
    "Presence",
    "Progress",
    "Proposal",
    "Ready",
    "Reentry",
    "RefusedHost",
    "Release",
    "Replanned",
    "Residents",
    "Result",
    "RoundCount",
    "RoundDone",
    "RoundProgress",
    "RunState",
    "Settled",
    "Shares",
    "Trace",
    "Trades",
    "Up",
    "Waiting",
]
