"""A household's part in the rounds: turns, repetitions and refusals."""

import pytest

from agents.exchange.rounds import Rounds, what_follows
from protocol.errors import PeerError
from protocol.messages import Address, End, NextRound, RoundDone
from protocol.messages.exchange import RoundCount
from protocol.runtime.machine import Envelope

OWN, PARENT = Address("host0", "own"), Address("host1", "parent")
LEFT, RIGHT = Address("host1", "left"), Address("host1", "right")
ONE = RoundCount(1, 2, 3, 4, 5, 6, 7.0, 8.0, 9, 10, 11, 12)
NEXT = NextRound(1, (0, 1), 0.5)


def rounds(*, sequential: bool) -> Rounds:
    return Rounds(OWN, PARENT, (LEFT, RIGHT), sequential=sequential, attempt=3)


def done(round: int, *changed: int, attempt: int = 3) -> RoundDone:
    return RoundDone(round, ONE, changed, attempt)


def to(*children: Address) -> list[Envelope]:
    return [Envelope(OWN, child, NEXT) for child in children]


def test_in_concurrent_order_all_begin_at_once() -> None:
    own = rounds(sequential=False)
    assert own.begin(NEXT) == to(LEFT, RIGHT)
    assert own.done(ONE, (1,)) == []
    assert own.own == done(1, 1)
    assert own.on_done(LEFT, done(0)) == to(LEFT), "it has missed the round"
    assert own.on_done(LEFT, done(1, 4, attempt=2)) == [], "of another attempt"
    assert list(own.missing) == [LEFT, RIGHT]
    own.on_done(LEFT, done(1, 4))
    assert own.complete() is None
    own.on_done(RIGHT, done(1, 0, 1))
    sums = own.complete()
    assert sums == RoundDone(1, RoundCount._make(3 * each for each in ONE), (0, 1, 4), 3)
    assert own.rise(sums, 10.0) == [Envelope(OWN, PARENT, sums)]
    assert own.complete() is None
    assert list(own.missing) == [PARENT]
    assert own.repeat(10.4) == []
    assert own.repeat(10.5) == [Envelope(OWN, PARENT, sums)]


def test_in_sequential_order_each_has_its_turn() -> None:
    own = rounds(sequential=True)
    assert own.begin(NEXT) == []
    assert own.on_done(LEFT, done(0)) == [], "its turn has not come"
    assert own.done(ONE, ()) == to(LEFT)
    assert own.on_done(RIGHT, done(0)) == []
    assert own.on_done(LEFT, done(0)) == to(LEFT)
    assert own.on_done(LEFT, done(1)) == to(RIGHT)
    assert own.on_done(RIGHT, done(0)) == to(RIGHT)
    assert own.complete() is None
    assert own.on_done(RIGHT, done(1)) == []
    assert own.complete() is not None


def test_a_restarted_parent_remembers_the_turns() -> None:
    own = rounds(sequential=True)
    own.begin(NEXT)
    assert own.on_done(LEFT, done(1)) == []
    assert own.on_done(LEFT, done(0)) == to(LEFT), "it has had its turn"
    assert own.on_done(RIGHT, done(0)) == []
    assert own.done(ONE, ()) == to(RIGHT)


def test_the_gathering_round_has_no_turns() -> None:
    own = rounds(sequential=True)
    assert own.on_done(RIGHT, done(-1)) == []
    assert own.on_done(LEFT, done(-1)) == []
    own.done(ONE, ())
    assert own.complete() == RoundDone(-1, RoundCount._make(3 * each for each in ONE), (), 3)
    assert own.begin(NEXT) == []
    assert own.on_done(LEFT, done(-1)) == []


def test_a_child_that_reports_before_its_turn_gets_its_turn_all_the_same() -> None:
    own = rounds(sequential=True)
    own.begin(NEXT)
    assert own.done(ONE, ()) == to(LEFT)
    assert own.on_done(RIGHT, done(1)) == []
    assert own.on_done(LEFT, done(1)) == to(RIGHT)


def test_only_what_the_parent_says_after_the_report_follows() -> None:
    own = rounds(sequential=False)
    own.begin(NEXT)
    for early in (NextRound(2, (), 0.5), End(1)):
        with pytest.raises(PeerError, match="too early"):
            own.follows(PARENT, early)
    own.done(ONE, ())
    for child in (LEFT, RIGHT):
        own.on_done(child, done(1))
    sums = own.complete()
    assert sums is not None
    own.rise(sums, 10.0)
    with pytest.raises(PeerError, match="not the parent"):
        own.follows(LEFT, NextRound(2, (), 0.5))
    for early in (NextRound(3, (), 0.5), End(2)):
        with pytest.raises(PeerError, match="too early"):
            own.follows(PARENT, early)
    assert not own.follows(PARENT, NEXT)
    assert not own.follows(PARENT, End(0))
    assert own.follows(PARENT, NextRound(2, (), 0.5))
    assert own.follows(PARENT, End(1))
    own.end(End(1))
    assert not own.follows(PARENT, End(1))
    assert not own.follows(PARENT, NextRound(7, (), 0.5))


def test_the_stage_ends_with_the_last_round_or_a_quiet_one() -> None:
    for round, quiet, follows in (
        (4, False, NextRound(5, (2,), 0.5)),
        (5, False, End(5)),
        (6, False, End(6)),
        (4, True, End(4)),
        (0, True, NextRound(1, (0, 1, 2), 0.5)),
        (-1, True, NextRound(0, (), 0.5)),
    ):
        assert what_follows(done(round, 2), 0.5, slots=3, rounds_max=5, quiet=quiet) == follows
