"""A household's client of one matchmaker, and the lookups that tests let it send."""

from typing import Any

import numpy as np

from agents.exchange.holding import Holding
from agents.exchange.matchmaker_client import MatchmakerClient
from agents.mandate import FREE, Mandate
from protocol.messages import Address, Lookup, Match
from protocol.messages.exchange import Lease, LeaseId
from protocol.terms import ExchangeTerms

MAKER = Address("maker", "maker")
PARTNER = Address("host1", "partner")
SLOTS = 20


def holding(mandate: Mandate = FREE, **terms: Any) -> Holding:
    """A household that holds 1, 2, ... and would have 4 kWh more everywhere."""
    held = np.arange(1.0, SLOTS + 1)
    return Holding(held, held + 4, ExchangeTerms(**terms), mandate)


def client(**state: Any) -> MatchmakerClient:
    return MatchmakerClient(MAKER, session=3, slots=tuple(range(SLOTS)), **state)


def lookup_of(
    own: MatchmakerClient, held: Holding | None = None, *, room: int = 4, now: float = 0.0
) -> Lookup | None:
    return own.next_lookup(held or holding(), 2, 0.25, 0.5, room, now)


def sent(
    own: MatchmakerClient, held: Holding | None = None, *, room: int = 4, now: float = 0.0
) -> Lookup:
    lookup = lookup_of(own, held, room=room, now=now)
    assert lookup is not None
    return lookup


def match(lookup: Lookup, **said: Any) -> Match:
    fields: dict[str, Any] = {"epoch": 7, "anew": False, "engaged": False}
    lists: dict[str, Any] = {"leases": (), "none": (), "busy": ()}
    return Match(lookup.session, lookup.number, **{**fields, **lists, **said})


def lease(slot: int) -> Lease:
    return Lease(LeaseId(7, slot), slot, PARTNER, 1.0, 15.0)
