"""One household's exchange of single slots: what its lookups ask for, and what it counts."""

from typing import Any

import numpy as np

from agents.exchange.holding import Holding
from agents.exchange.journal.entries import MemoryJournal
from agents.exchange.slot_exchange import SlotExchange
from agents.mandate import FREE
from protocol.messages import Address, Lookup, Match, NextRound, Outcome, Proposal
from protocol.messages.exchange import Closed, Lease, LeaseId
from protocol.terms import ExchangeTerms

OWN, PARTNER = Address("host0", "own"), Address("host1", "partner")
MAKERS = (Address("maker0", "maker"), Address("maker1", "maker"))
SLOTS = 20


def exchange(makers: int = 1, **terms: Any) -> SlotExchange:
    """A household in round 1 that holds 1 at every slot and would hold 2."""
    held = np.ones(SLOTS)
    of_run = ExchangeTerms(content="slot", **terms)
    made = SlotExchange(
        OWN,
        Holding(held, held + 1, of_run, FREE),
        MemoryJournal(),
        matchmakers=MAKERS[:makers],
        terms=of_run,
        session=1,
    )
    made.share(0.25, 0.0, 0.1)
    made.enter(1)
    made.ask(NextRound(1, tuple(range(SLOTS)), 0.25))
    return made


def lookups(made: SlotExchange, *, asking: bool = True) -> list[Lookup]:
    return [
        each.message for each in made.go_on(10.0, asking=asking) if isinstance(each.message, Lookup)
    ]


def match(lookup: Lookup, **fields: Any) -> Match:
    given: dict[str, Any] = {"leases": (), "none": (), "busy": (), **fields}
    return Match(lookup.session, lookup.number, 7, anew=False, engaged=False, **given)


def lease(slot: int, number: int) -> Lease:
    return Lease(LeaseId(7, number), slot, PARTNER, 2.0, 15.0)


def test_in_waves_a_lookup_names_all_slots_and_else_the_first_few() -> None:
    for order, wanted in (("waves", SLOTS), ("concurrent", 8)):
        (lookup,) = lookups(exchange(order=order))
        assert len(lookup.wants) == wanted


def test_no_more_leases_are_asked_for_than_may_be_open_at_once() -> None:
    made = exchange(order="concurrent", at_once=3)
    (lookup,) = lookups(made)
    assert lookup.leases_max == 3
    made.handle(MAKERS[0], match(lookup, leases=(lease(0, 1),)), 11.0)
    (lookup,) = lookups(made)
    assert lookup.leases_max == 2


def test_a_household_that_is_done_asks_for_nothing_and_only_tells() -> None:
    made = exchange(order="concurrent")
    assert lookups(made, asking=False) == []
    made.handle(PARTNER, Proposal(LeaseId(7, 1), 3, 2.0, 1.0, 0.0), 11.0)
    (lookup,) = lookups(made, asking=False)
    assert (lookup.wants, lookup.leases_max) == ((), 0)
    assert lookup.closed == (Closed(LeaseId(7, 1), "done"),)


def test_answers_and_slots_looked_up_are_counted() -> None:
    made = exchange(order="concurrent", at_once=9)
    for numbers in ((1, 2), (3,)):
        (lookup,) = lookups(made)
        slots = lookup.wants
        leases = tuple(lease(slot, number) for slot, number in zip(slots, numbers, strict=False))
        said = match(lookup, leases=leases, none=slots[2:5], busy=slots[5:7])
        made.handle(MAKERS[0], said, 11.0)
    counts = made.counts
    assert (counts.answers, counts.lookups, counts.matches) == (2, 13, 3)


def test_answers_are_held_back_until_their_own_matchmaker_knows() -> None:
    """In sequential order; slots 0 and 2 are looked up at the first matchmaker, 1 at the second."""
    made = exchange(makers=2, order="sequential")
    first, second = lookups(made)
    for number, slot in ((1, 0), (2, 1), (3, 2)):
        proposal = Proposal(LeaseId(7, number), slot, 2.0, 1.0, 0.0)
        assert made.handle(PARTNER, proposal, 11.0) == []
    for maker, lookup in zip(MAKERS, (first, second), strict=True):
        made.handle(maker, match(lookup), 12.0)
    told = lookups(made, asking=False)
    assert [len(each.closed) for each in told] == [2, 1]
    made.handle(MAKERS[1], match(told[1]), 13.0)
    assert answered(made) == [1]
    made.handle(MAKERS[0], match(told[0]), 14.0)
    assert answered(made) == [0, 2]
    assert answered(made) == []


def answered(made: SlotExchange) -> list[int]:
    """Return the slots of the outcomes that are sent now."""
    return [
        each.message.slot
        for each in made.go_on(15.0, asking=False)
        if isinstance(each.message, Outcome)
    ]


def test_answers_of_both_matchmakers_are_sent_together() -> None:
    made = exchange(makers=2, order="sequential")
    asked = lookups(made)
    for number, slot in ((1, 0), (2, 1)):
        made.handle(PARTNER, Proposal(LeaseId(7, number), slot, 2.0, 1.0, 0.0), 11.0)
    for lookup, maker in zip(asked, MAKERS, strict=True):
        made.handle(maker, match(lookup), 12.0)
    for lookup, maker in zip(lookups(made, asking=False), MAKERS, strict=True):
        made.handle(maker, match(lookup), 13.0)
    assert answered(made) == [0, 1]


def test_a_matchmaker_without_news_holds_back_nothing() -> None:
    made = exchange(makers=2, order="sequential")
    for maker, lookup in zip(MAKERS, lookups(made), strict=True):
        made.handle(maker, match(lookup, none=lookup.wants), 11.0)
    made.handle(PARTNER, Proposal(LeaseId(7, 1), 1, 2.0, 1.0, 0.0), 12.0)
    (told,) = lookups(made, asking=False)
    assert answered(made) == []
    made.handle(MAKERS[1], match(told), 13.0)
    assert answered(made) == [1]
