"""Rounds of an exchange that follows another one, and what a journal keeps of its beginning."""

import numpy as np
import pytest

from agents.exchange.journal.another_exchange import AnotherExchange, read_another, write_another
from agents.exchange.rounds import Rounds, what_follows
from protocol.errors import PeerError
from protocol.messages import Address, End, NextRound, Replanned, Result, RoundCount, RoundDone

PARENT, CHILD, OWN = (Address("host-1", name) for name in ("p", "c", "h"))
NOTHING = RoundCount(*(0,) * len(RoundCount._fields))


def done(round: int, attempt: int = 1) -> RoundDone:
    return RoundDone(round=round, count=NOTHING, changed=(), attempt=attempt)


def ended() -> Rounds:
    rounds = Rounds(OWN, PARENT, (CHILD,), sequential=False, round=5)
    rounds.end(End(5))
    return rounds


def test_rounds_go_on_and_begin_by_adding_up() -> None:
    rounds = ended()
    assert [sent.message for sent in rounds.on_done(CHILD, done(5))] == [End(5)]
    rounds.reopen(attempt=2)
    assert (rounds.round, rounds.over) == (6, False)
    assert rounds.on_done(CHILD, done(6)) == []  # of an attempt that is over
    rounds.on_done(CHILD, done(6, attempt=2))
    rounds.done(NOTHING, ())
    assert rounds.complete() == done(6, attempt=2)
    with pytest.raises(PeerError):
        rounds.follows(PARENT, NextRound(8, (), 1.0))


def test_an_exchange_that_is_withdrawn_leaves_the_last_end_standing() -> None:
    rounds = ended()
    rounds.reopen(attempt=2)
    rounds.done(NOTHING, ())
    rounds.withdraw()
    assert (rounds.round, rounds.over) == (5, True)
    assert [sent.message for sent in rounds.on_done(CHILD, done(5, attempt=2))] == [End(5)]


def test_a_later_exchange_looks_up_at_once_and_counts_its_own_rounds() -> None:
    def after(round: int, *, quiet: bool = False) -> NextRound | End:
        return what_follows(done(round), 2.0, slots=3, rounds_max=2, quiet=quiet, gather=6)

    assert after(6) == NextRound(7, (0, 1, 2), 2.0)
    assert after(7) == NextRound(8, (), 2.0)
    assert after(7, quiet=True) == End(7)
    assert after(8) == End(8)


def test_a_journal_keeps_the_beginning_of_another_exchange() -> None:
    planned = Result(1, 0.5, 0.25, replanned=(Replanned(2, 0.125),))
    another = AnotherExchange(planned, np.array([0.5, 1.5]), 0.03125, 2**48 - 1, attempt=3)
    again = read_another(write_another(another))
    assert again.schedule.tolist() == another.schedule.tolist()
    assert again._replace(schedule=another.schedule) == another
