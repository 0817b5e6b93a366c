"""One household's exchange of bundles in a round: its lookup, the talk that follows, what it
refuses, and what it waits for."""

from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from agents.exchange.bundles.bundle_exchange import BundleExchange
from agents.exchange.bundles.public_draws import partner_of
from agents.exchange.holding import Holding
from agents.exchange.journal.entries import Journal, MemoryJournal
from agents.exchange.journal.records import Setting
from agents.mandate import FREE
from agents.retransmission import NEVER
from protocol.codec import encode_message
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


def exchange(
    address: Address = A,
    *,
    makers: tuple[Address, ...] = (MAKER,),
    round: int = 3,
    journal: Journal | None = None,
) -> BundleExchange:
    """A household in a round that holds what its partner wants, and the other way round."""
    values = np.array([2.0, 1.0]) if address == A else np.array([1.0, 2.0])
    terms = ExchangeTerms(content="bundle", energy_drift_kwh=0.05, lease_seconds=9.0)
    setting = Setting(
        parent=None,
        children=(),
        matchmakers=makers,
        terms=terms,
        position=(A, B).index(address),
        households=2,
        roster=() if makers else (A, B),
    )
    holding = Holding(values, values[::-1], terms, FREE)
    made = BundleExchange(
        address,
        holding,
        MemoryJournal() if journal is None else journal,
        setting=setting,
        session=4,
    )
    made.share(0.25, 0.01, 0.125)
    made.enter(round)
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
    made.ask(NextRound(0, (), 0.25))
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
    assert lookup.households == 2
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


# -- several matchmakers, and none ----------------------------------------------------------------


def test_matchmakers_take_turns_and_hear_of_all_changes() -> None:
    """Which one it is in a round is drawn; each gets all offers in its first lookup."""
    makers = tuple(Address(f"maker{number}", "maker") for number in range(2))
    a, b = exchange(A, makers=makers), exchange(B, makers=makers)
    met: dict[Address, int] = {}
    for made in (a, b):
        made.announce()
    for round in range(1, 30):
        asked_at = []
        for made in (a, b):
            made.enter(round)
            made.ask(NextRound(round, (), 0.25))
            (envelope,) = made.go_on(10.0, asking=True)
            lookup = envelope.message
            assert isinstance(lookup, Lookup)
            asked_at.append((envelope.to, lookup.households))
            if made is a:
                first = envelope.to not in met
                assert (lookup.epoch == 0, lookup.slots) == (first, (0, 1) if first else ())
                met[envelope.to] = round
            assert made.missing == (envelope.to,)
            (again,) = made.repeat(1000.0)
            assert again.to == envelope.to
            made.handle(envelope.to, match(lookup), 11.0)
        assert sorted(asked_at) == [(maker, 1) for maker in makers], "each has one of the two"
    assert set(met) == set(makers)
    assert (a.counts.answers, a.counts.lookups) == (29, 29)


def drawn(asks: Address | None, after: int = 0) -> int:
    """Return the next round in which this household proposes to the other, or nobody does."""
    return next(
        round
        for round in range(after + 1, 100)
        if (partner_of(0, round, households=2, seed=0) == 1) == (asks is not None)
        and (asks is None or (round % 2 == 1) == (asks == A))
    )


def test_without_a_matchmaker_one_of_two_proposes_once() -> None:
    round = drawn(A)
    journal = MemoryJournal()
    a, b = exchange(A, makers=(), round=round, journal=journal), exchange(B, makers=(), round=round)
    assert a.missing == ()
    a.ask(NextRound(round, (), 0.25))
    assert not a.idle
    (envelope,) = a.go_on(10.0, asking=True)
    assert [envelope.to, *a.missing] == [B, B]
    proposal = envelope.message
    assert isinstance(proposal, BundleProposal)
    assert proposal.lease == LeaseId(0, round)
    assert a.go_on(10.0, asking=True) == []
    assert a.wake == 10.5
    assert [again.message for again in a.repeat(10.5)] == [proposal]
    counts = a.counts
    assert (counts.lookups, counts.matches, counts.proposals) == (1, 1, 1)
    b.ask(NextRound(round, (), 0.25))
    assert b.go_on(10.0, asking=True) == []
    assert b.idle
    assert b.counts.lookups == 0
    confirmation = answer(a, B, answer(b, A, proposal))
    assert a.handle(B, answer(b, A, confirmation), 13.0) == []
    assert a.idle
    assert a.wake == NEVER
    journal.commit()
    restarted = exchange(A, makers=(), round=round)
    for entry in journal.entries()["a"]:
        restarted.replay(entry, 20.0)
    restarted.ask(NextRound(round, (), 0.25))
    assert restarted.go_on(20.0, asking=True) == []
    assert restarted.idle
    assert restarted.counts.proposals == 1


def test_proposals_without_a_matchmaker_are_counted_round_by_round() -> None:
    made = exchange(A, makers=())
    round = 0
    for count in (1, 2):
        round = drawn(A, after=round)
        made.enter(round)
        made.ask(NextRound(round, (), 0.25))
        (envelope,) = made.go_on(10.0, asking=True)
        assert isinstance(envelope.message, BundleProposal)
        refusal = Outcome(envelope.message.lease, WHOLE, accepted=False, reason="busy")
        made.handle(B, refusal, 11.0)
        assert (made.counts.lookups, made.counts.matches) == (count, count)


def test_a_household_killed_while_its_proposal_is_open_does_not_make_another() -> None:
    round = drawn(A)
    journal = MemoryJournal()
    made = exchange(A, makers=(), round=round, journal=journal)
    made.ask(NextRound(round, (), 0.25))
    (before,) = made.go_on(10.0, asking=True)
    journal.commit()
    again = exchange(A, makers=(), round=round)
    for entry in journal.entries()["a"]:
        again.replay(entry, 20.0)
    (repeated,) = again.repeat(20.0)
    assert repeated.to == before.to
    assert encode_message(repeated.message) == encode_message(before.message)
    again.ask(NextRound(round, (), 0.25))
    assert again.go_on(20.0, asking=True) == []
    counts = again.counts
    assert (counts.lookups, counts.matches, counts.proposals) == (1, 1, 1)


def test_without_a_partner_nobody_proposes() -> None:
    round = drawn(None)
    for address in (A, B):
        made = exchange(address, makers=(), round=round)
        made.ask(NextRound(round, (), 0.25))
        assert made.go_on(10.0, asking=True) == []
        assert made.idle
        assert made.counts.lookups == 0


def test_a_proposal_of_the_next_round_waits_for_that_round() -> None:
    round = drawn(A)
    a, b = exchange(A, makers=(), round=round), exchange(B, makers=(), round=round - 1)
    a.ask(NextRound(round, (), 0.25))
    (envelope,) = a.go_on(10.0, asking=True)
    assert b.handle(A, envelope.message, 10.0) == []
    assert b.go_on(10.0, asking=True) == []
    b.enter(round)
    (countered,) = b.go_on(11.0, asking=True)
    assert isinstance(countered.message, Counter)
    assert countered.to == A
    assert b.go_on(12.0, asking=True) == []


def test_only_the_partner_that_was_drawn_may_propose() -> None:
    round = drawn(A)
    a = exchange(A, makers=(), round=round)
    a.ask(NextRound(round, (), 0.25))
    (envelope,) = a.go_on(10.0, asking=True)
    proposal = envelope.message
    assert isinstance(proposal, BundleProposal)
    for lease, sender, present in (
        (LeaseId(7, round), A, round),
        (proposal.lease, Address("host2", "c"), round),
        (proposal.lease, A, round - 2),
        (proposal.lease, A, round + 1),
    ):
        b = exchange(B, makers=(), round=present)
        with pytest.raises(PeerError, match="the one that proposes"):
            b.handle(sender, replace(proposal, lease=lease), 10.0)
    own = drawn(B)
    b = exchange(B, makers=(), round=own)
    with pytest.raises(PeerError, match="the one that proposes"):
        b.handle(A, replace(proposal, lease=LeaseId(0, own)), 10.0)


def test_without_matchmakers_all_households_must_be_known() -> None:
    terms = ExchangeTerms(content="bundle")
    values = np.zeros(2)
    holding = Holding(values, values, terms, FREE)
    for roster, fails in (((A,), True), ((A, B), False)):
        setting = Setting(None, (), (), terms, households=2, roster=roster)
        with pytest.raises(PeerError, match="roster") if fails else nullcontext():
            BundleExchange(A, holding, MemoryJournal(), setting=setting, session=1)


def test_a_stage_without_matchmakers_ends_later() -> None:
    aided, unaided = exchange(), exchange(makers=())
    assert unaided.quiet_share < aided.quiet_share
    assert unaided.quiet_rounds > aided.quiet_rounds
