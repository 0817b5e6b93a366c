"""The matchmaker in waves, as a machine: which lookups it answers, when, and with what."""

from typing import Any

import pytest

from matchmaker.wave_matchmaker import WaveMatchmaker, matchmaker_of
from protocol.messages import Lookup, Match
from protocol.messages.exchange import Closed, Lease
from protocol.runtime.machine import Envelope
from protocol.terms import ExchangeTerms
from tests.support.lookups import MAKER, home, lookup

EPOCH, SECONDS = 7, 10.0
OFFERS = {"a": (0.0, 3.0), "b": (1.0, -1.5), "c": (2.0, -2.5)}
"""Value and limit, kWh, at both slots: a gains most with c."""


def tell(
    made: WaveMatchmaker, name: str, number: int, now: float = 0.0, **fields: Any
) -> dict[str, Match]:
    """Hand over a lookup of a household that is known; return all answers by household."""
    return hand(made, name, lookup(number, epoch=EPOCH, **fields), now)


def hand(made: WaveMatchmaker, name: str, message: Lookup, now: float = 0.0) -> dict[str, Match]:
    return answers(made.handle(Envelope(home(name), MAKER, message), now))


def answers(said: list[Envelope]) -> dict[str, Match]:
    found = {}
    for envelope in said:
        assert isinstance(envelope.message, Match)
        found[envelope.to.name] = envelope.message
    return found


def maker() -> WaveMatchmaker:
    """A matchmaker of two slots to which a, b and c have made their offers in round 0."""
    made = WaveMatchmaker(MAKER, 2, EPOCH, lease=SECONDS, per_slot=True)
    for name, (value, limit) in OFFERS.items():
        offers: dict[str, Any] = {"values_kwh": [value, value], "limits_kwh": [limit, limit]}
        hand(made, name, lookup(round=0, disclosure="limit", slots=(0, 1), **offers))
    return made


def matched() -> tuple[WaveMatchmaker, Lease]:
    """That matchmaker after the first wave of round 1, in which a has found c at slot 0."""
    made = maker()
    assert tell(made, "a", 2, wants=(0,)) == {}
    assert tell(made, "c", 2) == {"c": Match(1, 2, EPOCH, False, False, (), (), ())}
    found = tell(made, "b", 2)
    (lease,) = found["a"].leases
    assert lease.partner == home("c")
    return made, lease


def test_terms_decide_how_a_matchmaker_serves() -> None:
    kinds = {
        order: type(matchmaker_of(MAKER, 2, EPOCH, terms=ExchangeTerms(order=order)))
        is WaveMatchmaker
        for order in ("waves", "concurrent", "sequential")
    }
    assert kinds == {"waves": True, "concurrent": False, "sequential": False}


def test_without_wishes_the_answer_comes_at_once() -> None:
    made = maker()
    assert tell(made, "a", 2).keys() == {"a"}


def test_with_wishes_it_comes_when_everybody_has_spoken() -> None:
    made, lease = matched()
    assert lease.slot == 0
    assert made.answered == 6


def test_a_lookup_that_is_repeated_while_it_waits_changes_nothing() -> None:
    made = maker()
    tell(made, "a", 2, wants=(0,))
    assert tell(made, "a", 2, wants=(0,)) == {}
    tell(made, "c", 2)
    (first,) = tell(made, "b", 2)["a"].leases
    (again,) = tell(made, "a", 2, wants=(0,))["a"].leases
    assert first == again
    assert made.ledger.counts.matches == 1


def test_while_all_who_suit_are_busy_a_lookup_waits_for_the_next_wave() -> None:
    made, lease = matched()
    assert tell(made, "b", 3, wants=(0,)) == {}
    ended = (Closed(lease.id, "refused"),)
    assert tell(made, "c", 3, closed=ended).keys() == {"c"}
    found = tell(made, "a", 3, closed=ended)
    assert found.keys() == {"a", "b"}
    assert [each.partner for each in found["b"].leases] == [home("a")]


def test_a_lookup_for_which_nobody_is_left_is_answered_with_none() -> None:
    made = maker()
    tell(made, "b", 2, wants=(0, 1), withdrawn=())
    tell(made, "c", 2)
    found = tell(made, "a", 2, withdrawn=(0, 1))
    assert (found["b"].none, found["b"].busy, found["b"].leases) == ((0, 1), (), ())


def test_news_takes_effect_with_the_next_wave() -> None:
    made = maker()
    tell(made, "c", 2, withdrawn=(0,))
    assert made.ledger.has("c", 0, 2.0)
    tell(made, "a", 2, wants=(0,))
    (lease,) = tell(made, "b", 2)["a"].leases
    assert lease.partner == home("b")
    assert not made.ledger.has("c", 0, 2.0)


def test_a_lookup_that_waits_takes_more_news_under_its_number() -> None:
    made, lease = matched()
    assert tell(made, "c", 3, wants=(0, 1)) == {}
    ended = (Closed(lease.id, "done"),)
    assert tell(made, "a", 3, closed=ended, slots=(0,), values_kwh=[2.0]).keys() == {"a"}
    found = tell(made, "c", 3, closed=ended, slots=(0,), values_kwh=[0.0], wants=(1,))
    assert found["c"].number == 3
    assert [each.slot for each in found["c"].leases] == [1]
    assert made.ledger.has("a", 0, 2.0)
    assert made.ledger.has("c", 0, 0.0)


def test_a_household_that_says_nothing_is_left_behind_after_a_leases_time() -> None:
    made = maker()
    tell(made, "a", 2, now=1.0, wants=(0,))
    tell(made, "c", 2, now=3.0)
    assert made.next_deadline() == 3.0 + SECONDS
    assert made.tick(12.9) == []
    assert answers(made.tick(13.0))["a"].leases
    assert made.next_deadline() == 13.0 + SECONDS


def test_a_household_that_is_unknown_must_tell_everything_and_holds_up_nobody() -> None:
    made = maker()
    assert tell(made, "x", 2, wants=(0,))["x"].anew
    tell(made, "a", 2, wants=(0,))
    tell(made, "c", 2)
    assert tell(made, "b", 2).keys() == {"a", "b"}


@pytest.mark.parametrize("order", [("a", "b", "c"), ("c", "b", "a"), ("b", "c", "a")])
def test_the_answers_of_a_wave_do_not_depend_on_who_came_first(order: tuple[str, ...]) -> None:
    made = maker()
    found: dict[str, Match] = {}
    for name in order:
        found |= tell(made, name, 2, wants=(0, 1), leases_max=2)
    reference = maker()
    expected: dict[str, Match] = {}
    for name in ("a", "c", "b"):
        expected |= tell(reference, name, 2, wants=(0, 1), leases_max=2)
    assert found == expected
    assert sum(len(each.leases) for each in found.values()) == 2
