"""A household's part in the rounds: turns, repetitions and refusals."""

from agents.exchange.rounds import Rounds
from protocol.messages import Address, NextRound, RoundDone
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
