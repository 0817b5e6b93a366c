"""Stage 2 of one household, message by message: rounds, final sum, result, and restarts after a
kill."""

import msgpack
import numpy as np
import pytest

from agents.exchange.journal.entries import Entry
from agents.exchange.stage import remembered
from agents.mandate import Mandate
from protocol.codec import decode_message, encode_message
from protocol.errors import PeerError
from protocol.messages import (
    Down,
    End,
    Lookup,
    Match,
    NextRound,
    Outcome,
    Place,
    Proposal,
    RoundDone,
)
from protocol.messages.exchange import Closed, LeaseId
from protocol.runtime.machine import Envelope
from tests.support.staged_household import (
    HELD,
    MAKER,
    ORCHESTRATOR,
    OWN,
    PARENT,
    PARTNER,
    PLANNED,
    Household,
    lease,
    proposal,
    reported,
    rises,
)


def test_a_household_alone_goes_through_all_rounds() -> None:
    own = Household(trace=True)
    assert reported(own.sent) == [(ORCHESTRATOR, -1)]
    assert own.stage.household is own.household
    assert own.stage.gathered
    assert own.stage.begun
    assert list(own.stage.missing) == [MAKER]
    assert own.stage.progress == 0
    assert own.lookup.slots == (0,)
    own.answer()
    assert reported(own.sent) == [(ORCHESTRATOR, 0)]
    assert list(own.lookup.wants) == [0]
    own.answer(leases=(lease(0, 5),))
    (proposal,) = own.sent
    assert isinstance(proposal.message, Proposal)
    own.hear(PARTNER, Outcome(LeaseId(9, 5), 0, True, ""))
    assert own.lookup.closed == (Closed(LeaseId(9, 5), "done"),)
    own.answer()
    assert reported(own.sent) == [(ORCHESTRATOR, 1), (ORCHESTRATOR, 2)]
    result = own.stage.result
    assert list(own.stage.missing) == []
    assert own.stage.next_deadline() == float("inf")
    assert result is not None
    assert (result.selected_plan, result.beta, result.discomfort_planned_kwh) == (3, 0.5, 0.7)
    exchanged, history = result.exchanged, result.exchange_history
    assert exchanged is not None
    assert history is not None
    assert (exchanged.discomfort_kwh, exchanged.energy_drift_kwh) == (0.0, 1.0)
    assert (exchanged.requests, exchanged.accepted, exchanged.refused) == (1, 1, 0)
    assert exchanged.trace is not None
    assert exchanged.trace.slots == (0,)
    assert (exchanged.clipped_slots, exchanged.clipped_kwh) == (0, 0.0)
    assert [one.accepted for one in history.rounds] == [0, 0, 1, 0]
    assert [(one.frames, one.bytes) for one in history.rounds] == [(5, 70), *[(0, 0)] * 3]
    assert history.response_kwh.tolist() == [2.0, 2.0]
    assert own.stage.progress == 1


def test_the_journal_has_the_selected_plan_and_the_result() -> None:
    own = Household()
    own.answer()
    own.answer(none=(0,))
    first, last = own.written[0], own.written[-1]
    assert (first.kind, last.kind) == ("planned", "closed")
    *said, _ = msgpack.unpackb(first.data)
    place, planned = map(decode_message, said)
    assert isinstance(place, Place)
    assert (place.attempt, place.parent, place.matchmakers) == (3, None, (MAKER,))
    assert planned == PLANNED
    down = decode_message(last.data)
    assert isinstance(down, Down)
    assert (down.iteration, down.approved, down.reorganise, down.attempt) == (7, True, False, 3)
    assert down.discomfort == pytest.approx(0.5**0.5)
    assert down.discomfort_squares == pytest.approx(0.5)


def test_a_household_that_was_killed_after_the_end_has_the_same_result() -> None:
    own = Household()
    own.answer()
    own.answer(none=(0,))
    before, entries = own.stage.result, len(own.written)
    assert before is not None
    assert before.exchanged is not None
    assert before.exchanged.trace is None, "it was not asked for"
    own.resume(20.0)
    assert own.stage.result is not None
    assert encode_message(own.stage.result) == encode_message(before)
    assert own.stage.household.address == OWN
    assert own.stage.household.orchestrator == ORCHESTRATOR
    assert own.stage.planned_schedule.tolist() == HELD.tolist()
    assert [one.kind for one in own.written[entries:]] == ["resume"]
    assert own.stage.next_deadline() == float("inf")


def test_a_leaf_repeats_its_sums_until_it_receives_those_of_all() -> None:
    own = Household(PARENT)
    (done,) = own.sent
    assert done.to == PARENT
    assert isinstance(done.message, RoundDone)
    assert (done.message.round, done.message.attempt) == (-1, 3)
    assert (done.message.count.frames, done.message.count.bytes) == (5, 70)
    assert own.stage.gathered
    assert not own.stage.begun
    own.enter()
    own.answer(none=(0,))
    assert own.stage.begun
    own.hear(PARENT, End(1), now=10.0)
    (up,) = rises(own.sent)
    assert (up.iteration, up.size, up.attempt) == (7, 1, 3)
    assert up.response_kwh.tolist() == HELD.tolist()
    assert up.discomfort_squares == pytest.approx(0.5)
    assert own.stage.next_deadline() == 10.5
    assert own.stage.tick(10.4) == []
    assert [one.to for one in own.stage.tick(10.5)] == [PARENT]
    assert own.stage.next_deadline() == 11.5
    down = Down(7, np.array([5.0, 6.0]), 1.0, 2.0, True, False, attempt=3)
    assert own.stage.closes_with(down)
    assert own.stage.closes_with(up)
    assert not own.stage.closes_with(Down(6, np.array([5.0, 6.0]), 1.0, 2.0, True, False))
    own.hear(PARENT, down, now=11.0)
    assert own.sent == []
    assert own.stage.result is not None
    assert own.stage.result.exchange_history is None, "only the root has it"
    assert own.stage.next_deadline() == float("inf")
    assert own.stage.tick(100.0) == []


def test_a_leaf_killed_before_it_has_the_sums_sends_its_own_again() -> None:
    own = Household(PARENT)
    own.enter()
    own.answer(none=(0,))
    own.hear(PARENT, End(1))
    own.resume(20.0)
    (up,) = rises(own.sent)
    assert up.response_kwh.tolist() == HELD.tolist()
    assert own.stage.result is None
    assert own.stage.next_deadline() == 20.5


def test_a_leaf_killed_after_it_has_the_sums_sends_nothing() -> None:
    own = Household(PARENT)
    own.enter()
    own.answer(none=(0,))
    own.hear(PARENT, End(1))
    own.hear(PARENT, Down(7, np.array([5.0, 6.0]), 1.0, 2.0, True, False, attempt=3))
    own.resume(20.0)
    assert own.sent == []
    assert own.stage.result is not None


def test_journal_entries_before_a_restart_of_stage_1_are_ignored() -> None:
    planned, begin, anew = (Entry("own", kind) for kind in ("planned", "begin", "anew"))
    assert list(remembered([planned, begin])) == [planned, begin]
    assert list(remembered([begin, planned, begin])) == [planned, begin]
    assert list(remembered([planned, begin, anew])) == []
    assert list(remembered([planned, anew, planned, begin])) == [planned, begin]
    assert list(remembered([begin])) == []
    assert list(remembered([])) == []


def test_the_mandate_holds_in_the_exchange_and_after_a_kill() -> None:
    own = Household(PARENT, mandate=Mandate(exchange=False))
    own.hear(PARENT, NextRound(0, (), 0.5))
    assert own.lookup.slots == ()
    own.resume(20.0)
    assert own.lookup.slots == ()


# -- attempts, and slots that were given up -------------------------------------------------------


def test_a_slot_is_given_up_after_several_attempts_until_the_next_round() -> None:
    own = Household(PARENT, attempts=2)
    own.enter()
    for number in (5, 6):
        assert list(own.lookup.wants) == [0]
        own.answer(leases=(lease(0, number),))
        own.hear(PARTNER, Outcome(LeaseId(9, number), 0, False, "stale"))
    assert list(own.lookup.wants) == [], "it only tells that the lease is over"
    assert own.lookup.closed == (Closed(LeaseId(9, 6), "void"),)
    own.answer()
    (done,) = own.sent
    assert isinstance(done.message, RoundDone)
    assert (done.message.count.refused, done.message.changed) == (2, ())
    own.hear(PARENT, NextRound(2, (1,), 0.5))
    assert list(own.lookup.wants) == [0], "it was left before everything was tried"
    own.answer(leases=(lease(0, 7, value=0.0),))
    assert list(own.lookup.wants) == [0], "attempts are counted anew; what brings a loss is one"
    assert own.lookup.closed == (Closed(LeaseId(9, 7), "declined"),)
    own.answer(none=(0,))
    own.hear(PARENT, NextRound(3, (1,), 0.5))
    assert [one.message for one in own.sent if isinstance(one.message, Lookup)] == []


def test_a_rest_ends_when_a_partner_has_been_answered() -> None:
    own = Household(PARENT)
    own.enter()
    lookup = own.lookup
    busy = Match(lookup.session, lookup.number, 9, False, False, (), (), (0,))
    own.hear(MAKER, busy, now=0.25)
    assert own.sent == []
    own.hear(PARTNER, Proposal(LeaseId(9, 5), 1, 2.0, 2.0, 0.0), now=0.25)
    assert list(own.lookup.wants) == [0]


def test_lookups_and_matches_are_counted() -> None:
    own = Household(PARENT)
    own.enter()
    own.answer(leases=(lease(0, 5),))
    counts = own.stage.trader.counts
    assert (counts.lookups, counts.matches, counts.answers, counts.proposals) == (1, 1, 2, 1)
    own.hear(PARTNER, Outcome(LeaseId(9, 5), 0, True, ""))
    own.answer()
    (done,) = own.sent
    assert isinstance(done.message, RoundDone)
    assert done.message.changed == (0,)
    assert done.message.count.accepted == 1
    # RoundDone thrice, Lookup thrice, Proposal once.
    assert own.stage.trader.counts.messages == 7


def test_a_restart_is_a_new_session_with_all_offers() -> None:
    own = Household(PARENT)
    own.enter()
    assert own.lookup.session == 1
    for session in (2, 3):
        own.resume(20.0)
        assert (own.lookup.session, own.lookup.number, own.lookup.epoch) == (session, 1, 0)
        assert (own.lookup.slots, own.lookup.wants) == ((0,), (0,))


def test_an_open_proposal_is_repeated_after_a_restart() -> None:
    own = Household(PARENT)
    own.enter()
    own.answer(leases=(lease(0, 5),))
    (before,) = own.sent
    own.resume(20.0)
    assert before in own.sent
    own.hear(PARTNER, Outcome(LeaseId(9, 5), 0, True, ""), now=21.0)
    own.resume(30.0)
    assert own.stage.trader.schedule.tolist() == [2.0, 2.0]
    own.answer()
    (done,) = (one.message for one in own.sent if isinstance(one.message, RoundDone))
    assert (done.changed, done.count.accepted) == ((0,), 1), "the next round does not look there"


def test_proposals_are_answered_only_in_rounds_and_consistently() -> None:
    own = Household(PARENT)
    with pytest.raises(PeerError, match="outside the rounds"):
        own.hear(PARTNER, proposal())
    own.hear(PARENT, NextRound(0, (), 0.5))
    own.hear(PARTNER, proposal())
    sent = Envelope(OWN, PARTNER, Outcome(LeaseId(9, 5), 0, True, ""))
    assert sent in own.sent
    own.hear(PARTNER, proposal())
    assert own.sent == [sent]
    own.resume(20.0)
    own.hear(PARTNER, proposal())
    assert sent in own.sent
    own = Household(PARENT)
    own.enter()
    own.answer(none=(0,))
    own.hear(PARENT, End(1))
    with pytest.raises(PeerError, match="outside the rounds"):
        own.hear(PARTNER, proposal())


def test_in_sequential_order_an_answer_waits_until_the_matchmaker_knows() -> None:
    own = Household(PARENT, order="sequential")
    own.enter()
    own.answer(none=(0,))
    own.hear(PARTNER, proposal())
    assert own.lookup.closed == (Closed(LeaseId(9, 5), "done"),)
    told = own.lookup
    own.hear(PARTNER, proposal())
    assert own.sent == [], "a repetition is no faster"
    own.hear(MAKER, Match(told.session, told.number, 9, False, False, (), (), ()))
    sent = Envelope(OWN, PARTNER, Outcome(LeaseId(9, 5), 0, True, ""))
    assert own.sent == [sent]
    own.hear(PARTNER, proposal())
    assert own.sent == [sent]


def test_an_answer_of_another_matchmaker_is_an_error() -> None:
    own = Household(PARENT)
    own.enter()
    lookup = own.lookup
    match = Match(lookup.session, lookup.number, 9, False, False, (lease(1, 5),), (), ())
    with pytest.raises(PeerError, match="not a matchmaker"):
        own.hear(PARTNER, match)
    with pytest.raises(PeerError, match="what was not looked for"):
        own.hear(MAKER, match)
    own = Household(PARENT)
    with pytest.raises(PeerError, match="beyond the 2 slots"):
        own.hear(PARENT, NextRound(0, (2,), 0.5))
