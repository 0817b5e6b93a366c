"""The matchmaker for cycles, message by message: entries, steps, repetitions and nonsense."""

import numpy as np
import pytest

from matchmaker.trading_matchmaker import TradingMatchmaker, matchmaker_of, precedence
from protocol.errors import PeerError
from protocol.messages import (
    Address,
    Choice,
    Comparison,
    End,
    Message,
    PoolEntry,
    Reentry,
    Trades,
)
from protocol.runtime.machine import Envelope
from protocol.terms import ExchangeTerms

MAKER = Address("maker", "maker")
ONE, TWO, THREE = (Address(f"host{number}", f"h{number}") for number in (1, 2, 3))


def entry(*values: float, session: int = 1, number: int = 1, households: int = 2) -> PoolEntry:
    slots = tuple(range(len(values)))
    return PoolEntry(session, number, households, slots, np.array(values))


class Talk:
    """A matchmaker, and what it says to whom."""

    def __init__(self) -> None:
        self.maker = TradingMatchmaker(MAKER, 4, seed=0)

    def say(self, sender: Address, message: Message) -> list[tuple[Address, Message]]:
        said = self.maker.handle(Envelope(sender, MAKER, message), 0.0)
        return [(envelope.to, envelope.message) for envelope in said]

    def begin(self) -> dict[Address, Message]:
        """Let two households enter that want to swap at slot 0."""
        assert self.say(ONE, entry(1.0)) == []
        return dict(self.say(TWO, entry(2.0)))


def test_nothing_is_asked_before_all_have_entered() -> None:
    said = Talk().begin()
    assert set(said) == {ONE, TWO}
    for message in said.values():
        assert isinstance(message, Comparison)
        assert (message.slots, message.step) == ((0,), 1)
        assert message.lower_kwh.tolist() == [1.0]
        assert message.upper_kwh.tolist() == [2.0]


def test_the_next_step_follows_the_last_answer() -> None:
    talk = Talk()
    talk.begin()
    assert talk.say(ONE, Choice(1, 1, 1, (0,))) == []
    assert talk.say(ONE, Choice(1, 1, 1, (0,))) == []
    said = dict(talk.say(TWO, Choice(1, 1, 1, ())))
    told = {who: message for who, message in said.items() if isinstance(message, Trades)}
    assert {who: message.values_kwh.tolist() for who, message in told.items()} == {
        ONE: [2.0],
        TWO: [1.0],
    }
    counts = talk.maker.ledger.summary()
    assert (counts["households"], counts["offers"], counts["lookups"]) == (2, 2, 2)
    assert (counts["matches"], counts["none"], counts["open"]) == (2, 0, 0)
    assert talk.maker.answered == 4
    # Asked again, it says the same.
    again = talk.say(TWO, Choice(1, 1, 1, ()))
    assert [type(message) for _, message in again] == [Trades]
    assert talk.maker.next_deadline() is None
    assert talk.maker.tick(9.0) == []


def test_a_household_that_keeps_its_values_trades_nothing() -> None:
    talk = Talk()
    assert talk.say(ONE, entry()) == []
    said = dict(talk.say(TWO, entry()))
    assert [message.slots for message in said.values() if isinstance(message, Trades)] == [(), ()]


def test_a_repeated_entry_is_answered_with_what_was_said_last() -> None:
    talk = Talk()
    assert talk.say(ONE, entry(1.0)) == []
    assert talk.say(ONE, entry(1.0)) == []
    talk.say(TWO, entry(2.0))
    ((_, same),) = talk.say(ONE, entry(1.0))
    assert isinstance(same, Comparison)
    assert (same.session, same.number, same.step) == (1, 1, 1)
    ((_, again),) = talk.say(ONE, entry(1.0, session=2))
    assert isinstance(again, Comparison)
    assert (again.session, again.number, again.step) == (2, 1, 1)
    assert talk.say(ONE, entry(1.0)) == []
    assert talk.say(ONE, Choice(1, 1, 1, (0,))) == []
    assert len(talk.say(TWO, Choice(1, 1, 1, ()))) == 0
    assert len(talk.say(ONE, Choice(2, 1, 1, (0,)))) == 2


def test_a_repeated_entry_may_have_another_number() -> None:
    talk = Talk()
    talk.begin()
    ((_, again),) = talk.say(ONE, entry(1.0, number=2))
    assert isinstance(again, Comparison)
    assert (again.session, again.number, again.step) == (1, 2, 1)


def test_the_steps_of_a_household_are_counted() -> None:
    """Among three values, all would rather have the lower one of the upper two: they are asked once
    more."""
    talk = Talk()
    for household, value in zip((ONE, TWO, THREE), (1.0, 2.0, 3.0), strict=True):
        said = talk.say(household, entry(value, households=3))
    for step, upper in ((1, 3.0), (2, 2.0)):
        assert {to for to, _ in said} == {ONE, TWO, THREE}
        for _, message in said:
            assert isinstance(message, Comparison)
            assert (message.step, message.upper_kwh.tolist()) == (step, [upper])
        for household in (ONE, TWO, THREE):
            said = talk.say(household, Choice(1, 1, step, ()))
    assert [type(message) for _, message in said] == [Trades] * 3


def test_offers_are_counted_at_all_slots() -> None:
    talk = Talk()
    talk.say(ONE, entry(1.0, 2.0))
    talk.say(TWO, entry(2.0, 1.0, 4.0))
    assert talk.maker.ledger.summary()["offers"] == 5


def test_all_must_know_of_equally_many_households() -> None:
    talk = Talk()
    talk.say(ONE, entry(1.0))
    with pytest.raises(PeerError, match="3 households, not 2"):
        talk.say(TWO, entry(2.0, households=3))


def test_the_order_among_equal_values_follows_from_seed_and_slot() -> None:
    names = [f"h{number:02}" for number in range(40)]
    order = precedence(names, 3, seed=5)
    assert sorted(order) == names
    assert order == precedence(names, 3, seed=5)
    assert order != precedence(names, 4, seed=5)
    assert order != precedence(names, 3, seed=6)


def test_a_value_that_stays_is_counted() -> None:
    talk = Talk()
    talk.begin()
    talk.say(ONE, Choice(1, 1, 1, ()))
    said = dict(talk.say(TWO, Choice(1, 1, 1, (0,))))
    assert [message.slots for message in said.values() if isinstance(message, Trades)] == [(), ()]
    counts = talk.maker.ledger.summary()
    assert (counts["matches"], counts["none"]) == (0, 2)


@pytest.mark.parametrize("entered", [False, True])
def test_a_household_of_an_earlier_matchmaker_enters_anew(entered: bool) -> None:
    talk = Talk()
    if entered:
        talk.begin()
    step = 2 if entered else 1
    assert talk.say(ONE, Choice(1, 1, step, ())) == [(ONE, Reentry(1, 1))]
    assert talk.say(ONE, Choice(1, 2, 1, ())) == [(ONE, Reentry(1, 2))]


def test_nonsense_is_refused() -> None:
    talk = Talk()
    wrong: list[tuple[Address, Message]] = [
        (ONE, PoolEntry(1, 1, 2, (0, 1), np.array([1.0]))),
        (ONE, PoolEntry(1, 1, 2, (1, 0), np.array([1.0, 2.0]))),
        (ONE, PoolEntry(1, 1, 2, (4,), np.array([1.0]))),
        (ONE, PoolEntry(1, 1, 2, (-1,), np.array([1.0]))),
        (ONE, End(1)),
    ]
    for sender, message in wrong:
        with pytest.raises(PeerError):
            talk.say(sender, message)
    talk.begin()
    wrong = [
        (THREE, entry(1.0)),
        (ONE, entry(3.0, number=2)),
        (ONE, entry(1.0, households=3)),
        (Address("host9", "h1"), entry(1.0)),
        (Address("host9", "h1"), Choice(1, 1, 1, ())),
        (ONE, Choice(1, 1, 1, (1,))),
    ]
    for sender, message in wrong:
        with pytest.raises(PeerError):
            talk.say(sender, message)
    assert len(talk.say(ONE, Choice(1, 1, 1, (0,)))) == 0
    assert len(talk.say(TWO, Choice(1, 1, 1, ()))) == 2


def test_the_rule_decides_which_matchmaker_serves() -> None:
    made = [
        type(matchmaker_of(MAKER, 2, 1, terms=terms)).__name__
        for terms in (ExchangeTerms(rule="ttc"), ExchangeTerms(), ExchangeTerms(content="bundle"))
    ]
    assert made == ["TradingMatchmaker", "Matchmaker", "PairingMatchmaker"]
