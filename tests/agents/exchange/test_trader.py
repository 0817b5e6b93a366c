"""What reaches the trader of a household in stage 2, what it shares, reports and writes down, and
the equal shift in its place."""

import numpy as np
import pytest

from agents.mandate import Mandate
from protocol.codec import encode_message
from protocol.messages import (
    Address,
    Down,
    End,
    Excess,
    Match,
    NextRound,
    Outcome,
    RoundDone,
    Shares,
    Up,
)
from protocol.messages.exchange import Closed, LeaseId
from protocol.runtime.machine import Envelope
from tests.support.staged_household import (
    MAKER,
    NOTHING,
    OWN,
    PARENT,
    PARTNER,
    SHARES,
    Household,
    lease,
    proposal,
    rises,
)


def test_the_root_adds_up_what_its_child_holds_and_tells_it() -> None:
    """The child has nothing to exchange."""
    child = Address("host3", "child")
    own = Household(children=(child,))
    of_child = NOTHING._replace(households=1, deviation_kwh2=1.5)
    for round in (-1, 0, 1):
        if round >= 0:
            own.answer(none=(0,) if round else ())
        own.hear(child, RoundDone(round, of_child, (), attempt=3))
        of_child = NOTHING
        scales = [one.message.scale_kwh2 for one in own.sent if isinstance(one.message, NextRound)]
        assert scales == [1.0] * (round < 1), "half of 0.5 and 1.5"
    assert own.stage.trader.finished
    assert list(own.stage.missing) == [child]
    assert own.stage.result is None
    own.hear(child, Up(7, 1, np.array([5.0, 6.0]), 1.0, 1.0, attempt=3))
    (down,) = own.sent
    assert down.to == child
    assert isinstance(down.message, Down)
    assert down.message.response_kwh.tolist() == [6.0, 8.0]
    assert own.stage.result is not None


def test_a_lookup_is_repeated_when_it_is_due() -> None:
    own = Household(PARENT)
    own.enter()
    (asked,) = own.sent
    assert own.stage.next_deadline() == 1.5
    assert own.stage.tick(1.4) == []
    assert own.stage.tick(1.5) == [asked]
    assert own.stage.next_deadline() > 1.5


def test_an_own_rule_decides_what_is_proposed() -> None:
    own = Household(PARENT, accepts=lambda exchange: False)
    own.enter()
    own.answer(leases=(lease(0, 5),))
    assert own.lookup.closed == (Closed(LeaseId(9, 5), "declined"),)


def test_the_traffic_of_a_round_is_counted_after_a_kill_as_well() -> None:
    own = Household(PARENT)
    own.enter()
    own.resume(20.0)
    own.traffic.counters.frames, own.traffic.counters.bytes = 12, 170
    own.answer(none=(0,))
    (done,) = (one.message for one in own.sent if isinstance(one.message, RoundDone))
    assert (done.count.frames, done.count.bytes) == (7, 100)


def test_a_household_killed_after_its_report_sends_it_again_and_starts_its_child_again() -> None:
    child = Address("host3", "child")
    own = Household(PARENT, children=(child,))
    own.hear(child, RoundDone(-1, NOTHING, (), attempt=3))
    own.hear(PARENT, NextRound(0, (), 0.5))
    own.answer()
    own.hear(child, RoundDone(0, NOTHING, (), attempt=3))
    own.resume(20.0)
    said = {(type(one.message), one.to) for one in own.sent}
    assert {(NextRound, child), (RoundDone, PARENT)} <= said
    own.answer()
    own.hear(PARENT, NextRound(1, (0, 1), 0.5))
    own.answer(none=(0,))
    own.hear(child, RoundDone(1, NOTHING, (), attempt=3))
    (done,) = (one.message for one in own.sent if isinstance(one.message, RoundDone))
    assert done.count.answers == 2, "one of them since the report of round 0"


# -- the equal shift in place of exchanges --------------------------------------------------------


def test_a_household_may_take_part_in_an_equal_shift_instead() -> None:
    """It holds 1 kWh less than it prefers at slot 0; the parent gives it 3 kWh less there."""
    own = Household(PARENT, equal_shift=True, trace=True)
    (rising,) = own.sent
    assert isinstance(rising.message, Excess)
    assert rising.message.attempt == 3
    own.resume(20.0)
    assert [encode_message(one.message) for one in own.sent] == [encode_message(rising.message)]
    own.sent = own.stage.handle(Envelope(PARENT, OWN, Shares(SHARES, attempt=3)), 21.0)
    assert [up.response_kwh.tolist() for up in rises(own.sent)] == [[-1.0, 2.0]]
    own.resume(30.0)
    assert own.stage.trader.finished
    own.hear(PARENT, Down(7, np.array([5.0, 6.0]), 1.0, 2.0, True, False, attempt=3), now=31.0)
    result = own.stage.result
    assert result is not None
    exchanged = result.exchanged
    assert exchanged is not None
    assert (exchanged.energy_drift_kwh, exchanged.requests) == (-2.0, 0)
    assert (exchanged.clipped_slots, exchanged.clipped_kwh) == (1, 1.0)
    assert exchanged.trace is not None
    assert exchanged.trace.slots == ()


def test_a_mandate_keeps_a_household_out_of_an_equal_shift_after_a_kill_as_well() -> None:
    own = Household(PARENT, equal_shift=True, mandate=Mandate(exchange=False))
    for _ in range(2):
        (rising,) = own.sent
        assert isinstance(rising.message, Excess)
        assert rising.message.takers.tolist() == [0, 0]
        own.resume(20.0)


# -- what the trader shares, reports and writes down ----------------------------------------------


def test_the_least_gain_is_a_share_of_the_scale_except_under_the_rule_paper() -> None:
    for rule, least in (("mutual", 2.0), ("cooperative", 2.0), ("paper", 0.0)):
        own = Household(PARENT, rule=rule, min_gain=0.5)
        own.hear(PARENT, NextRound(0, (), 4.0))
        own.answer()
        own.hear(PARENT, NextRound(1, (0, 1), 4.0))
        assert own.lookup.min_gain_kwh2 == least


@pytest.mark.parametrize(("scale", "limit"), [(16.0, 2.0), (64.0, 0.0)])
def test_limits_below_a_quarter_of_the_root_mean_square_are_not_disclosed(
    scale: float, limit: float
) -> None:
    """It would go 2 kWh; the floor is 1 or 2 kWh."""
    own = Household(PARENT)
    own.hear(PARENT, NextRound(0, (), scale))
    assert own.lookup.limits_kwh.tolist() == [limit]


@pytest.mark.parametrize(
    ("others", "exchanges", "ends"),
    [(9, (3, 2), True), (9, (3, 3), False), (4, (1, 1), True), (4, (2, 1), False)],
)
def test_bundles_end_after_two_rounds_with_few_exchanges(
    others: int, exchanges: tuple[int, int], ends: bool
) -> None:
    """Of ten households that look up, 0.26 in each of two rounds are 5.2; of five, 2.6."""
    child = Address("host3", "child")
    own = Household(children=(child,), content="bundle", order="waves")
    nine = NOTHING._replace(households=9)
    own.hear(child, RoundDone(-1, nine, (), attempt=3))
    own.hear(child, RoundDone(0, nine, (), attempt=3))
    for round, accepted in zip((1, 2), exchanges, strict=True):
        assert own.stage.trader.round == round
        own.answer()
        count = nine._replace(lookups=others, accepted=accepted)
        own.hear(child, RoundDone(round, count, (), attempt=3))
    assert own.stage.trader.finished is ends


def test_every_entry_has_its_round_and_no_more_than_it_needs() -> None:
    own = Household()
    own.answer()
    own.answer(none=(0,))
    own.resume(20.0)
    written = [(entry.kind, entry.round) for entry in own.written]
    assert written == [
        *[("planned", 0), ("begin", -1), ("counted", -1), ("round", 0), ("counted", 0)],
        *[("round", 1), ("counted", 1), ("over", 1), ("closed", 0), ("resume", -1)],
    ]
    assert {entry.kind for entry in own.written if not entry.data} == {"over", "resume"}


def test_an_end_is_taken_once() -> None:
    own = Household(PARENT)
    own.enter()
    own.answer(none=(0,))
    own.hear(PARENT, End(1))
    assert own.stage.trader.next_deadline() is None
    entries = len(own.written)
    own.hear(PARENT, End(1))
    assert own.sent == []
    assert len(own.written) == entries


def test_what_was_held_back_leaves_with_the_report_of_the_round() -> None:
    own = Household(PARENT, order="sequential")
    own.enter()
    asked = own.lookup
    own.hear(PARTNER, proposal())
    assert own.sent == []
    own.hear(MAKER, Match(asked.session, asked.number, 9, False, False, (), (0,), ()))
    told = own.lookup
    own.hear(MAKER, Match(told.session, told.number, 9, False, False, (), (), ()))
    assert [type(one.message) for one in own.sent] == [Outcome, RoundDone]
