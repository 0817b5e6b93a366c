"""The matchmaker in waves, as a machine: which lookups it answers, when, and with what."""

from typing import Any

import pytest

from matchmaker.matchmaker import Matchmaker
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


def maker(seed: int = 0) -> WaveMatchmaker:
    """A matchmaker of two slots to which a, b and c have made their offers in round 0."""
    made = WaveMatchmaker(MAKER, 2, EPOCH, lease=SECONDS, per_slot=True, seed=seed)
    for name, (value, limit) in OFFERS.items():
        offer(made, name, value, limit, 0, 1)
    return made


def offer(made: Matchmaker, name: str, value: float, limit: float, *slots: int) -> None:
    """Let a household enter in round 0 with the same offer at these slots."""
    offers: dict[str, Any] = {
        "values_kwh": [value] * len(slots),
        "limits_kwh": [limit] * len(slots),
    }
    message = lookup(round=0, disclosure="limit", slots=slots, **offers)
    made.handle(Envelope(home(name), MAKER, message), 0.0)


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
    for order in ("waves", "concurrent"):
        for locks in ("slot", "household"):
            terms = ExchangeTerms(order=order, locks=locks, lease_seconds=3.0)
            ledger = matchmaker_of(MAKER, 2, EPOCH, terms=terms).ledger
            assert (ledger.per_slot, ledger.lease_seconds) == (locks == "slot", 3.0)


def test_the_seed_decides_who_is_served_first() -> None:
    """a and b both want c, and cannot use each other's value."""
    winners: set[str] = set()
    for seed in range(8):
        made = matchmaker_of(MAKER, 1, EPOCH, terms=ExchangeTerms(order="waves", seed=seed))
        assert isinstance(made, WaveMatchmaker)
        for name, value, limit in (("a", 0.0, 3.0), ("b", 0.0, 3.0), ("c", 2.0, -2.5)):
            offer(made, name, value, limit, 0)
        tell(made, "a", 2, wants=(0,))
        tell(made, "b", 2, wants=(0,))
        winners.update(name for name, match in tell(made, "c", 2).items() if match.leases)
    assert winners == {"a", "b"}


@pytest.mark.parametrize("seed", range(8))
def test_a_wave_serves_all_who_are_free_in_any_order(seed: int) -> None:
    """a and b suit each other at slot 0, c and d at slot 1; whoever was found first waits."""
    made = WaveMatchmaker(MAKER, 2, EPOCH, lease=SECONDS, per_slot=False, seed=seed)
    for name, value, limit, slot in (
        *(("a", 0.0, 3.0, 0), ("b", 2.0, -2.5, 0)),
        *(("c", 0.0, 3.0, 1), ("d", 2.0, -2.5, 1)),
    ):
        offer(made, name, value, limit, slot)
    for name, slot in (("a", 0), ("b", 0), ("c", 1)):
        tell(made, name, 2, wants=(slot,))
    found = tell(made, "d", 2, wants=(1,))
    pairs = {frozenset({name, match.leases[0].partner.name}) for name, match in found.items()}
    assert pairs == {frozenset("ab"), frozenset("cd")}
    assert len(found) == 2


@pytest.mark.parametrize("seed", range(4))
def test_a_slot_where_all_are_busy_has_no_answer_yet_even_beside_a_lease(seed: int) -> None:
    made = maker(seed)
    tell(made, "a", 2, wants=(0,))
    tell(made, "b", 2, wants=(0, 1))
    found = tell(made, "c", 2)
    assert [match.busy for match in found.values() if match.leases] != []
    assert {match.busy for match in found.values()} == {()}
    assert made.ledger.counts.busy == 0


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


def test_a_lookup_that_is_sent_again_with_more_news_wants_what_it_says_now() -> None:
    made, lease = matched()
    tell(made, "b", 3, wants=(0, 1), leases_max=2)
    ended = (Closed(lease.id, "refused"),)
    assert tell(made, "b", 3, wants=(1,), closed=ended, leases_max=2) == {}
    tell(made, "a", 3, closed=ended)
    found = tell(made, "c", 3, closed=ended)
    assert [each.slot for each in found["b"].leases] == [1]


def test_a_lookup_that_is_sent_again_keeps_what_was_found_out_for_it() -> None:
    """b offers nothing at slot 1, so that nobody can suit it there, and comes after a at slot 0."""
    made = maker(seed=2)
    tell(made, "a", 2, wants=(0,))
    tell(made, "b", 2, wants=(0, 1), withdrawn=(1,))
    first = tell(made, "c", 2)
    assert first.keys() == {"c", "a"}
    ended = (Closed(first["a"].leases[0].id, "refused"),)
    assert tell(made, "b", 2, wants=(0, 1), closed=ended) == {}
    tell(made, "c", 3, closed=ended)
    found = tell(made, "a", 3, closed=ended)
    assert (found["b"].none, [each.slot for each in found["b"].leases]) == ((1,), [0])


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
