"""One household's exchange of bundles in a round: its lookup, the talk that follows, what it
refuses, and what it waits for."""

from typing import Any

import numpy as np
import pytest

from agents.exchange.bundles.bundle_exchange import BundleExchange
from agents.exchange.holding import Holding
from agents.exchange.journal.entries import MemoryJournal
from agents.exchange.journal.records import Setting
from agents.mandate import FREE
from agents.retransmission import NEVER
from protocol.errors import PeerError
from protocol.messages import (
    Address,
    BundleProposal,
    Confirmation,
    Counter,
    Lookup,
    Match,
    Message,
    NextRound,
    Outcome,
    Proposal,
    Settled,
)
from protocol.messages.exchange import WHOLE, Closed, Lease, LeaseId
from protocol.terms import ExchangeTerms

MAKER, A, B = Address("maker", "maker"), Address("host0", "a"), Address("host1", "b")
LEASE = LeaseId(7, 1)
ROUND = NextRound(3, (), 0.25)


def exchange(address: Address = A) -> BundleExchange:
    """A household in round 3 that holds what its partner wants, and the other way round."""
    values = np.array([2.0, 1.0]) if address == A else np.array([1.0, 2.0])
    terms = ExchangeTerms(content="bundle", energy_drift_kwh=0.05)
    holding = Holding(values, values[::-1], terms, FREE)
    setting = Setting(None, (), (MAKER,), terms, households=2)
    made = BundleExchange(address, holding, MemoryJournal(), setting=setting, session=4)
    made.share(0.25, 0.01, 0.125)
    made.enter(3)
    return made


def asked(made: BundleExchange, now: float = 10.0) -> Lookup:
    """Let a household look up; return the lookup."""
    made.ask(ROUND)
    (envelope,) = made.go_on(now, asking=True)
    assert (envelope.sender, envelope.to) == (made._address, MAKER)
    assert isinstance(envelope.message, Lookup)
    return envelope.message


def match(lookup: Lookup, *, slot: int | None = None, anew: bool = False) -> Match:
    """The answer: a lease with b at `slot`, or none."""
    leases = () if slot is None else (Lease(LEASE, slot, B, 0.0, 15.0),)
    return Match(lookup.session, lookup.number, 7, anew, False, leases, (), ())


def proposed(made: BundleExchange) -> BundleProposal:
    (envelope,) = made.handle(MAKER, match(asked(made), slot=WHOLE), 11.0)
    assert (envelope.sender, envelope.to) == (A, B)
    assert isinstance(envelope.message, BundleProposal)
    return envelope.message


def answer(made: BundleExchange, sender: Address, message: Message) -> Any:
    (envelope,) = made.handle(sender, message, 12.0)
    assert envelope.to == sender
    return envelope.message


def test_a_lookup_tells_all_offers_once_a_round() -> None:
    made = exchange()
    assert made.idle
    assert made.go_on(10.0, asking=True) == []
    made.announce()
    made.ask(ROUND)
    assert not made.idle
    (envelope,) = made.go_on(10.0, asking=False)
    lookup = envelope.message
    assert isinstance(lookup, Lookup)
    assert (lookup.session, lookup.number, lookup.epoch, lookup.round) == (4, 1, 0, 3)
    assert (lookup.slots, lookup.values_kwh.tolist()) == ((0, 1), [2.0, 1.0])
    assert lookup.limits_kwh.tolist() == [-2.0, 2.0]
    assert (lookup.wants, lookup.leases_max, lookup.min_gain_kwh2) == ((), 1, 0.01)
    assert made.go_on(10.0, asking=True) == []
    assert not made.idle
    assert made.missing == (MAKER,)
    made.handle(MAKER, match(lookup), 11.0)
    assert made.idle
    assert made.missing == ()
    assert (asked(made).number, made.changed) == (2, ())


def test_a_lookup_waits_for_the_round_and_is_repeated_then() -> None:
    made = exchange()
    assert made.wake == NEVER
    lookup = asked(made)
    assert made.wake == 14.0
    assert made.repeat(13.9) == []
    (again,) = made.repeat(14.0)
    assert (again.sender, again.to, again.message) == (A, MAKER, lookup)
    made.handle(MAKER, match(lookup), 15.0)
    assert made.wake == NEVER
    assert made.handle(MAKER, match(lookup), 15.0) == []
    assert (made.counts.answers, made.counts.lookups, made.counts.matches) == (1, 1, 0)


def test_a_matchmaker_that_knows_nothing_is_told_everything() -> None:
    made = exchange()
    lookup = asked(made)
    assert made.handle(MAKER, match(lookup, anew=True), 11.0) == []
    assert not made.idle
    (envelope,) = made.go_on(11.0, asking=True)
    assert isinstance(envelope.message, Lookup)
    assert (envelope.message.epoch, envelope.message.slots) == (0, (0, 1))
    assert (made.counts.answers, made.counts.lookups) == (1, 0)


def test_the_lookup_that_enters_the_stage_is_not_counted() -> None:
    made = exchange()
    made.enter(0)
    made.handle(MAKER, match(asked(made)), 11.0)
    assert (made.counts.answers, made.counts.lookups) == (1, 0)


def test_a_talk_from_the_match_to_the_next_lookup_on_both_sides() -> None:
    a, b = exchange(A), exchange(B)
    proposal = proposed(a)
    assert a.missing == (B,)
    assert a.wake == 11.5
    counter = answer(b, A, proposal)
    assert isinstance(counter, Counter)
    confirmation = answer(a, B, counter)
    assert confirmation == Confirmation(LEASE, "")
    settled = answer(b, A, confirmation)
    assert settled == Settled(LEASE)
    assert a.handle(B, settled, 13.0) == []
    assert a.idle
    assert a.trace().given_kwh.tolist() == b.trace().taken_kwh.tolist() == [2.0, 1.0]
    counts = a.counts
    assert (counts.lookups, counts.matches, counts.proposals, counts.accepted) == (1, 1, 1, 1)
    following = asked(a)
    assert following.closed == (Closed(LEASE, "done"),)
    assert (following.slots, following.values_kwh.tolist()) == ((0, 1), [1.0, 2.0])
    assert asked(b).closed == ()


def test_a_refusal_is_reported_with_the_next_lookup() -> None:
    made = exchange()
    proposed(made)
    refusal = Outcome(LEASE, WHOLE, accepted=False, reason="no joint gain")
    assert made.handle(B, refusal, 12.0) == []
    assert made.idle
    following = asked(made)
    assert following.closed == (Closed(LEASE, "refused"),)
    assert following.slots == ()


def test_a_household_that_is_reserved_closes_a_lease_at_once() -> None:
    """b has countered a, and is found a partner itself."""
    a, b = exchange(A), exchange(B)
    lookup = asked(b)
    assert isinstance(answer(b, A, proposed(a)), Counter)
    lease = Lease(LeaseId(7, 2), WHOLE, A, 0.0, 15.0)
    found = Match(lookup.session, lookup.number, 7, False, False, (lease,), (), ())
    assert b.handle(MAKER, found, 12.0) == []
    assert asked(b).closed == (Closed(lease.id, "void"),)


def test_what_a_bundle_exchange_does_not_take() -> None:
    made = exchange()
    lookup = asked(made)
    for sender, message, words in (
        (B, match(lookup, slot=WHOLE), "not a matchmaker"),
        (MAKER, match(lookup, slot=1), "a single slot"),
        (B, Proposal(LEASE, 1, 1.0, 2.0, 0.0), "Proposal is not for an exchange of bundles"),
    ):
        with pytest.raises(PeerError, match=words):
            made.handle(sender, message, 11.0)


def test_outside_the_rounds_only_what_was_answered_is_answered_again() -> None:
    a, early, over = exchange(A), exchange(B), exchange(B)
    proposal = proposed(a)
    early.enter(-1)
    with pytest.raises(PeerError, match="outside the rounds"):
        early.handle(A, proposal, 12.0)
    early.enter(0)
    assert isinstance(answer(early, A, proposal), Counter)
    counter = answer(over, A, proposal)
    over.end()
    assert answer(over, A, proposal) is counter
    with pytest.raises(PeerError, match="outside the rounds"):
        over.handle(Address("host2", "c"), proposal, 12.0)
