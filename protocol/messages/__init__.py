"""Every message on the bus. A new one is a class in one of these modules and in the union."""

from protocol.messages.exchange import (
    End,
    Lookup,
    Match,
    NextRound,
    Outcome,
    Proposal,
    RoundCount,
    RoundDone,
    RoundProgress,
)
from protocol.messages.lifecycle import (
    Abort,
    Address,
    Announce,
    Enrol,
    Failure,
    Go,
    HostTraffic,
    Left,
    Place,
    Ready,
    Release,
    Waiting,
)
from protocol.messages.monitoring import Expected, Inquiry, Presence, RunState
from protocol.messages.planning import Aggregate, Down, Iteration, Progress, Up
from protocol.messages.results import (
    Exchanged,
    ExchangeHistory,
    PlanningHistory,
    Result,
    Trace,
)

Message = (
    Announce
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
    | RoundDone
    | NextRound
    | End
    | RoundProgress
    | Inquiry
    | Presence
    | RunState
)

__all__ = [
    "Abort",
    "Address",
    "Aggregate",
    "Announce",
    "Down",
    "End",
    "Enrol",
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
    "Presence",
    "Progress",
    "Proposal",
    "Ready",
    "Release",
    "Result",
    "RoundCount",
    "RoundDone",
    "RoundProgress",
    "RunState",
    "Trace",
    "Up",
    "Waiting",
]
