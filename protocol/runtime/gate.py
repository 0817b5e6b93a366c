"""The gate: which part of a run may say which message. Node asks it before any machine.

A machine knows its peers: it says which roles a sender has towards it (`Machine.roles_of`). The
table here says which role may say what. Pure, and without memory: what a role may say *now* is
decided by the machine, such as a household's phases (agents/phases.py).
"""

from collections.abc import Mapping

from protocol.errors import PeerError
from protocol.messages import (
    Abort,
    AmountAnswer,
    AmountConfirmation,
    AmountDone,
    AmountLookup,
    AmountMatch,
    AmountProposal,
    Announce,
    Application,
    BundleProposal,
    Choice,
    Commission,
    Comparison,
    Confirmation,
    Counter,
    Down,
    End,
    Enrol,
    Excess,
    Failure,
    Go,
    HostTraffic,
    Inquiry,
    Left,
    Lookup,
    Match,
    Message,
    NextRound,
    Outcome,
    Place,
    PoolEntry,
    Presence,
    Progress,
    Proposal,
    Ready,
    Reentry,
    Release,
    Result,
    RoundDone,
    RoundProgress,
    RunState,
    Settled,
    Shares,
    Trades,
    Up,
    Waiting,
)
from protocol.runtime.machine import Envelope, Role, Roles

_MAY_SAY: Mapping[Role, tuple[type[Message], ...]] = {
    "orchestrator": (Announce, Place, Go, Release, Abort, Commission, RunState),
    "operator": (Abort, Inquiry),
    "host": (HostTraffic, Failure, Presence),
    "member": (
        *(Enrol, Ready, Progress, RoundProgress, Waiting, Result, Left, Failure),
        *(Lookup, AmountLookup, PoolEntry, Choice),
    ),
    "matchmaker": (Application, Match, AmountMatch, Comparison, Trades, Reentry),
    "parent": (Down, NextRound, End, Shares),
    "child": (Up, RoundDone, Excess),
    # A proposal has a lease, which is checked; a partner that has crashed may ask what became of a
    # talk that the other side has forgotten.
    "household": (Proposal, BundleProposal, AmountProposal, AmountAnswer, AmountConfirmation),
    "partner": (Outcome, Counter, Confirmation, Settled, AmountDone),
}
"""What each role may say. member: a household of the run, to the orchestrator or a matchmaker.
household: any other household, to a household that takes part in an exchange. partner: one with
which there is, or has been, a talk."""

SPEAKERS: Mapping[type[Message], Roles] = {
    kind: frozenset(role for role, kinds in _MAY_SAY.items() if kind in kinds)
    for kinds in _MAY_SAY.values()
    for kind in kinds
}
"""The roles that may say a message of each kind."""


def admit(roles: Roles, envelope: Envelope) -> None:
    """Raise PeerError if a sender with these roles may not say this message."""
    if roles.isdisjoint(SPEAKERS[type(envelope.message)]):
        kind, known = type(envelope.message).__name__, " or ".join(sorted(roles))
        raise PeerError(f"{kind} is not for a {known} to say")
