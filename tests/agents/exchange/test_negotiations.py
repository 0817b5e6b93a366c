"""The negotiations of one household: all journal entries, counts and repetitions."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from agents.exchange.holding import Holding
from agents.exchange.journal.entries import Entry, Kind, MemoryJournal
from agents.exchange.negotiations import ExchangeCounts, Negotiations, ending
from agents.mandate import FREE, Mandate
from agents.retransmission import EXCHANGE_MAX_WAIT_SECONDS, NEVER
from protocol.errors import PeerError
from protocol.messages import Address, Outcome, Proposal
from protocol.messages.exchange import Closed, Ending, Lease, LeaseId, Refusal, RoundCount
from protocol.runtime.machine import Envelope
from protocol.terms import ExchangeTerms, RuleName

OWN, PARTNER, OTHER = Address("host0", "own"), Address("host1", "partner"), Address("host2", "x")
HELD, PREFERRED = (1.0, 2.0, 3.0, 4.0), (2.0, 5.0, 1.0, 4.0)


class Household:
    """Negotiations with their holding and journal."""

    def __init__(self, rule: RuleName = "mutual", mandate: Mandate = FREE) -> None:
        terms = ExchangeTerms(rule=rule, tolerance_kwh=9.0 if rule == "paper" else None)
        self.holding = Holding(np.array(HELD), np.array(PREFERRED), terms, mandate)
        self.journal = MemoryJournal()
        self.own = Negotiations(OWN, self.holding, self.journal)

    @property
    def written(self) -> list[Entry]:
        self.journal.commit()
        return self.journal.entries().get("own", [])

    def ask(self, slot: int, value: float, now: float = 0.0, least: float = 0.0) -> object:
        return self.own.consider(lease(slot, value), 3, least, now)

    def counted(self) -> dict[str, int]:
        """Return the counts that are not 0."""
        return {name: count for name, count in asdict(self.own.counts).items() if count}


def lease(slot: int, value: float) -> Lease:
    return Lease(LeaseId(7, 100 + slot), slot, PARTNER, value, 15.0)


def entry(
    kind: Kind, slot: int, given: float, taken: float, change: float, reason: Refusal = ""
) -> Entry:
    """Return an entry about the lease of this slot with `PARTNER`."""
    return Entry(
        household="own",
        kind=kind,
        round=3,
        slot=slot,
        host="host1",
        partner="partner",
        epoch=7,
        lease=100 + slot,
        given=given,
        taken=taken,
        change=change,
        reason=reason,
    )


def outcome(slot: int, reason: Refusal = "") -> Outcome:
    return Outcome(LeaseId(7, 100 + slot), slot, not reason, reason)


def proposal(slot: int, given: float, taken: float | None = None, change: float = 0.0) -> Proposal:
    taken = HELD[slot] if taken is None else taken
    return Proposal(LeaseId(7, 100 + slot), slot, given, taken, change)


def again(said: Proposal) -> Proposal:
    """The same proposal under another lease."""
    return replace(said, lease=LeaseId(7, 200))


# -- as requester ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("rule", "named"), [("mutual", 0.0), ("cooperative", -1.0)])
def test_a_gain_is_proposed_and_the_slot_becomes_busy(rule: RuleName, named: float) -> None:
    household = Household(rule)
    envelope = household.ask(0, 2.0, now=10.0)
    proposal = Proposal(LeaseId(7, 100), 0, 1.0, 2.0, named, round=3)
    assert envelope == Envelope(OWN, PARTNER, proposal)
    assert household.written == [entry("proposed", 0, 1.0, 2.0, -1.0)]
    assert household.holding.pending == {0: 1.0}
    assert household.counted() == {"proposals": 1}
    own = household.own
    assert (own.open, own.partners, own.wake) == (1, (PARTNER,), 10.5)
    assert household.holding.values == list(HELD)


def test_too_small_gains_are_declined_and_impossible_exchanges_are_void() -> None:
    household = Household(mandate=Mandate(never=frozenset({1})))
    assert household.ask(0, 0.5) == Closed(LeaseId(7, 100), "declined")
    assert household.ask(0, 2.0, least=1.5) == Closed(LeaseId(7, 100), "declined")
    assert household.ask(1, 5.0) == Closed(LeaseId(7, 101), "void")
    assert household.written == [
        entry("declined", 0, 1.0, 0.5, 1.25, "loss"),
        entry("declined", 0, 1.0, 2.0, -1.0, "loss"),
        entry("declined", 1, 2.0, 5.0, -9.0, "never"),
    ]
    assert household.own.open == 0
    assert household.own.wake == NEVER
    assert household.counted() == {}


def test_an_acceptance_is_taken_once() -> None:
    household = Household()
    household.ask(0, 2.0, now=10.0)
    household.ask(1, 4.0, now=10.0)
    own = household.own
    assert own.conclude(PARTNER, outcome(0), 4, 12.0) == Closed(LeaseId(7, 100), "done")
    assert own.conclude(PARTNER, outcome(0), 4, 12.0) is None
    assert own.open == 1
    assert household.holding.values == [2.0, 2.0, 3.0, 4.0]
    assert household.holding.pending == {1: 2.0}
    assert household.written[2:] == [entry("done", 0, 1.0, 2.0, -1.0)._replace(round=4)]
    assert own.conclude(PARTNER, outcome(1), 4, 12.0) == Closed(LeaseId(7, 101), "done")
    assert household.counted() == {"proposals": 2, "accepted": 2}
    assert own.open == 0


def test_a_refusal_is_journalled_with_its_reason() -> None:
    household = Household()
    for slot in (0, 1):
        household.ask(slot, PREFERRED[slot])
        closed = household.own.conclude(PARTNER, outcome(slot, "stale"), 3, 1.0)
        assert closed == Closed(LeaseId(7, 100 + slot), "void")
    assert household.written[1] == entry("failed", 0, 1.0, 2.0, -1.0, "stale")
    assert household.counted() == {"proposals": 2, "refused": 2}
    assert (household.holding.values, household.holding.pending) == (list(HELD), {})


def test_answers_from_others_are_errors_and_old_answers_are_ignored() -> None:
    household = Household()
    household.ask(0, 2.0)
    with pytest.raises(PeerError, match=r"name='x'.* answers what .*name='partner'.* was asked"):
        household.own.conclude(OTHER, outcome(0), 3, 1.0)
    other = Outcome(LeaseId(8, 100), 0, True, "")
    assert household.own.conclude(PARTNER, other, 3, 1.0) is None
    assert household.own.conclude(PARTNER, outcome(1), 3, 1.0) is None
    assert household.own.open == 1
    assert len(household.written) == 1


@pytest.mark.parametrize(
    ("reason", "end"),
    [
        ("", "done"),
        ("cap", "for now"),
        ("drift", "for now"),
        ("stale", "void"),
        ("busy", "void"),
        ("loss", "refused"),
        ("no joint gain", "refused"),
        ("preferred", "refused"),
        ("never", "refused"),
    ],
)
def test_how_a_lease_ends(reason: Refusal, end: Ending) -> None:
    assert ending(reason) == end


def test_a_proposal_is_repeated_until_it_is_answered() -> None:
    household, now = Household(), 10.0
    envelope = household.ask(0, 2.0, now=now)
    own = household.own
    for wait in (0.5, 1.0, 2.0, 4.0, EXCHANGE_MAX_WAIT_SECONDS, EXCHANGE_MAX_WAIT_SECONDS):
        assert own.wake == now + wait
        now += wait
        assert own.repeat(now - 0.01) == []
        assert own.repeat(now) == [envelope]
    own.conclude(PARTNER, outcome(0), 3, now)
    assert own.repeat(now + 100) == []


def test_the_wait_adapts_to_the_time_of_the_last_answer() -> None:
    household = Household()
    household.ask(0, 2.0, now=10.0)
    household.own.conclude(PARTNER, outcome(0), 3, 11.0)
    household.ask(1, 5.0, now=20.0)
    assert household.own.wake == 23.0


# -- as responder ---------------------------------------------------------------------------------


def test_an_answer_is_journalled_and_repeated() -> None:
    household = Household()
    own, asked = household.own, proposal(0, 2.0)
    assert own.answered(PARTNER, asked) is None
    envelope = own.answer(PARTNER, asked, 3, 0.0)
    assert envelope == Envelope(OWN, PARTNER, outcome(0))
    assert own.answered(PARTNER, asked) == envelope
    assert own.answered(OTHER, asked) is None
    assert own.answered(PARTNER, proposal(1, 2.0)) is None
    assert household.holding.values[0] == 2.0
    own.answer(PARTNER, proposal(1, 5.0), 3, 0.0)
    assert household.written == [
        entry("accepted", 0, 1.0, 2.0, -1.0),
        entry("accepted", 1, 2.0, 5.0, -9.0),
    ]
    assert household.counted() == {"given": 2}


def test_a_refusal_changes_nothing() -> None:
    household = Household()
    for slot, taken, reason in ((3, 4.0, "loss"), (0, 7.0, "stale")):
        envelope = household.own.answer(PARTNER, proposal(slot, 9.0, taken), 3, 0.0)
        assert isinstance(envelope.message, Outcome)
        assert (envelope.message.accepted, envelope.message.reason) == (False, reason)
        assert household.own.answered(PARTNER, proposal(slot, 9.0, taken)) == envelope
    assert household.written == [
        entry("refused", 3, 4.0, 9.0, 25.0, "loss"),
        entry("refused", 0, 1.0, 9.0, 48.0, "stale"),
    ]
    assert household.counted() == {"withheld": 2}
    assert household.holding.values == list(HELD)


def test_under_cooperative_the_pair_is_weighed() -> None:
    household = Household("cooperative")
    household.holding.take(0, 2.0)  # one squared kWh gained, which it may give back
    refused = household.own.answer(PARTNER, proposal(3, 4.5, change=-0.3), 3, 0.1)
    contradicted = household.own.answer(PARTNER, again(proposal(3, 4.5, change=-0.4)), 3, 0.1)
    accepted = household.own.answer(OTHER, proposal(3, 4.5, change=-0.4), 3, 0.1)
    assert refused.message == outcome(3, "no joint gain")
    assert isinstance(contradicted.message, Outcome)
    assert contradicted.message.reason == "contradiction"
    assert accepted.message == outcome(3)


@pytest.mark.parametrize("slot", [-1, 4, 5])
def test_a_slot_beyond_the_schedule_is_an_error(slot: int) -> None:
    with pytest.raises(PeerError, match=f"speaks of slot {slot} of 4"):
        Household().own.answer(PARTNER, proposal(slot, 1.0, 1.0), 3, 0.0)


@pytest.mark.parametrize(("given", "change"), [(np.nan, 0.0), (np.inf, 0.0), (1.0, np.nan)])
def test_a_value_that_is_not_a_number_is_an_error(given: float, change: float) -> None:
    household = Household()
    with pytest.raises(PeerError, match="no number"):
        household.own.answer(PARTNER, proposal(0, given, change=change), 3, 0.0)
    assert household.written == []


# -- all together ---------------------------------------------------------------------------------


def test_the_trace_has_the_exchanges_of_both_sides_in_their_order() -> None:
    household = Household()
    household.ask(0, 2.0)
    household.own.answer(PARTNER, proposal(1, 5.0), 4, 0.0)
    household.own.answer(PARTNER, proposal(3, 5.0), 4, 0.0)  # refused
    household.own.conclude(PARTNER, outcome(0), 5, 1.0)
    trace = household.own.trace()
    assert (trace.rounds, trace.slots) == ((4, 5), (1, 0))
    assert trace.partners == ("partner", "partner")
    assert trace.leases == (LeaseId(7, 101), LeaseId(7, 100))
    assert trace.asked == (False, True)
    assert trace.given_kwh.tolist() == [2.0, 1.0]
    assert trace.taken_kwh.tolist() == [5.0, 2.0]
    assert trace.gains_kwh2.tolist() == [9.0, 1.0]
    assert household.own.trace(by_lease=True).slots == (0, 1)


def test_replaying_a_journal_gives_the_same_household() -> None:
    before, after = Household(), Household()
    before.ask(0, 2.0)
    before.ask(2, 9.0)  # declined
    before.own.conclude(PARTNER, outcome(0), 3, 1.0)
    before.ask(0, 2.0)  # declined: nothing to gain any more
    before.ask(1, 4.0)
    before.own.conclude(PARTNER, outcome(1, "busy"), 3, 1.0)
    before.own.answer(OTHER, proposal(2, 2.0), 3, 0.0)
    before.own.answer(PARTNER, proposal(3, 9.0), 3, 0.0)  # refused
    envelope = before.own.consider(lease(1, 5.0), 3, 0.0, 1.0)
    for each in before.written:
        after.own.replay(each, 50.0)
    assert after.written == [], "what stands in the journal is not written again"
    assert after.holding.values == before.holding.values == [2.0, 2.0, 2.0, 4.0]
    assert after.holding.pending == before.holding.pending == {1: 3.0}
    assert after.counted() == {**before.counted(), "lookups": 5, "matches": 5}
    assert after.own.trace().slots == before.own.trace().slots
    assert after.own.wake == 50.0
    assert after.own.repeat(50.0) == [envelope], "whatever is open is repeated at once"
    assert after.own.wake == 51.0
    assert after.own.answered(OTHER, proposal(2, 2.0)) is not None
    assert after.own.answered(PARTNER, proposal(3, 9.0)) is not None
    for wait in (2.0, 4.0, EXCHANGE_MAX_WAIT_SECONDS, EXCHANGE_MAX_WAIT_SECONDS):
        now = after.own.wake
        after.own.repeat(now)
        assert after.own.wake == now + wait


def test_a_round_counts_events_since_the_previous_one() -> None:
    before = ExchangeCounts(1, 2, 3, 4, 5, 6, 7, 8, 9)
    now = ExchangeCounts(11, 22, 33, 44, 55, 66, 77, 88, 99)
    assert now.since(before, 0.5, 0.25, 3, 400) == RoundCount(
        households=1,
        lookups=10,
        matches=20,
        proposals=30,
        accepted=40,
        refused=50,
        discomfort_kwh=0.5,
        deviation_kwh2=0.25,
        messages=80,
        answers=90,
        frames=3,
        bytes=400,
    )
    copied = now.copy()
    assert copied == now
    assert copied is not now
