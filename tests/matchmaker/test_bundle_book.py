"""The bundle book: who talks to whom in a round, and which pairs are not tried again."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from matchmaker.bundle_book import LEASES_A_ROUND, BundleBook, Talk
from protocol.messages import Address
from protocol.messages.exchange import Closed, Ending, LeaseId
from tests.support.lookups import home, lookup

EPOCH = 7
GOES_DOWN = {"values_kwh": [2.0, 1.0], "limits_kwh": [-2.0, 2.0]}
GOES_UP = {"values_kwh": [1.0, 2.0], "limits_kwh": [2.0, -2.0]}
"""Offers that suit each other. A limit of 2 stands for a wish 2 * GUESS / 2 = 1.2071 kWh away. So
the wishes are 1.4142 kWh apart at both slots, and the gain is 2 * 2 * 1 * 1.4142 = 5.657 kWh^2."""


def take(book: BundleBook, name: str, **fields: Any) -> None:
    given = {"disclosure": "limit", "slots": (0, 1), **fields}
    book.take(name, lookup(epoch=EPOCH, **given))


def enter(book: BundleBook, name: str, **fields: Any) -> None:
    book.enter(home(name))
    take(book, name, **fields)


def book_of(*names: str, seed: int = 0) -> BundleBook:
    """A book of households that suit the next one in the list."""
    made = BundleBook(2, EPOCH, seed)
    for number, name in enumerate(names):
        enter(made, name, **(GOES_UP if number % 2 else GOES_DOWN))
    return made


def pairs(book: BundleBook, round: int = 1, **options: Any) -> set[tuple[str, str]]:
    """Return requester and responder of each talk of a round."""
    return {(talk.requester, talk.responder) for talk in book.talks(round, 0.0, **options)}


def end(book: BundleBook, talk: Talk, ending: Ending) -> None:
    closed = (Closed(talk.lease, ending),)
    take(book, talk.requester, slots=(), closed=closed)


def test_a_summary_counts_without_names() -> None:
    book = book_of("a", "b")
    enter(book, "c", slots=(1,), values_kwh=[3.0], limits_kwh=[1.0])
    (talk,) = book.talks(1, 0.0)
    none = {"busy": 0, "expired": 0, "lookups": 0, "matches": 0, "none": 0, "done": 0, "refused": 0}
    assert book.summary() == {**none, "households": 3, "offers": 5, "open": 1}
    end(book, talk, "done")
    assert book.summary() == {**none, "households": 3, "offers": 5, "open": 0, "done": 1}


def test_a_household_is_known_at_its_last_address() -> None:
    book = book_of("a", "b")
    assert book.knows(home("a"))
    assert not book.knows(home("c"))
    elsewhere = Address("elsewhere", "a")
    assert not book.knows(elsewhere)
    book.enter(elsewhere)
    assert book.knows(elsewhere)
    assert not book.knows(home("a"))
    assert book.summary()["households"] == 2
    assert book.summary()["offers"] == 2, "what it offered before is forgotten"


def test_offers_are_replaced_and_withdrawn_slot_by_slot() -> None:
    book = book_of("a", "b")
    take(book, "a", slots=(), withdrawn=(1,))
    assert book.summary()["offers"] == 3
    assert book.talks(1, 0.1) == [], "what is left would move energy one way"
    take(book, "a", slots=(1,), values_kwh=[1.0], limits_kwh=[2.0])
    assert len(book.talks(1, 0.1)) == 1


@pytest.mark.parametrize(("least", "found"), [(5.656, 1), (5.658, 0)])
def test_a_talk_needs_more_than_the_least_gain(least: float, found: int) -> None:
    assert len(book_of("a", "b").talks(1, least)) == found


@pytest.mark.parametrize(("least", "found"), [(0.828, 1), (0.829, 0)])
def test_a_household_that_discloses_values_alone_is_taken_to_want_them(
    least: float, found: int
) -> None:
    """The wishes of a are 0.2071 kWh away from what b holds: the gain is 2 * 2 * 1 * 0.2071."""
    book = book_of("a", "b")
    take(book, "b", disclosure="value", values_kwh=[1.0, 2.0])
    assert len(book.talks(1, least)) == found


@pytest.mark.parametrize(
    ("first", "second", "asks"),
    [
        ("limit", "limit", "a"),
        ("direction", "direction", "a"),
        ("limit", "direction", "a"),
        ("direction", "limit", "b"),
        ("value", "direction", "b"),
        ("direction", "value", "a"),
        ("value", "value", None),
    ],
)
def test_the_household_that_discloses_more_asks(first: str, second: str, asks: str | None) -> None:
    book = BundleBook(2, EPOCH, 0)
    for name, disclosure, values, signs in (
        ("a", first, [1.25, 1.0], [-1.0, 1.0]),
        ("b", second, [1.0, 1.25], [1.0, -1.0]),
    ):
        limits = [] if disclosure == "value" else signs
        enter(book, name, disclosure=disclosure, values_kwh=values, limits_kwh=limits)
    assert [requester for requester, _ in pairs(book)] == ([] if asks is None else [asks])


def test_values_alone_find_nobody_where_rounding_seems_to_gain() -> None:
    """The price on energy is only halved in on, so that a small difference seems to be worth it."""
    book = BundleBook(3, EPOCH, 0)
    for name, values in (("a", [1.0, 1.0, 2.0]), ("b", [1.001, 2.0, 1.0])):
        enter(book, name, disclosure="value", slots=(0, 1, 2), values_kwh=values)
    assert book.talks(1, 0.0) == []


def test_leases_are_numbered_by_round_and_only_those_of_the_last_one_are_open() -> None:
    book = book_of("a", "b", "c", "d")
    for round in (1, 2, 5):
        first = round * LEASES_A_ROUND
        expected = [LeaseId(EPOCH, first + 1), LeaseId(EPOCH, first + 2)]
        assert [talk.lease for talk in book.talks(round, 0.0)] == expected
    assert book.summary()["open"] == 2


def test_the_absent_are_not_paired_and_nobody_is_alone() -> None:
    book = book_of("a", "b", "c", "d")
    assert pairs(book, absent=("b", "c")) == {("a", "d")}
    assert pairs(book, absent=("b", "c", "d")) == set()
    assert pairs(book_of()) == set()


NAMES = ("a", "b", "c", "d", "e", "f")


@pytest.mark.parametrize("failed", [("a", "b"), ("b", "e"), ("a", "f"), ("d", "e")])
def test_a_pair_that_failed_is_kept_apart_and_no_other_is(failed: tuple[str, str]) -> None:
    book = book_of(*NAMES)
    (talk,) = book.talks(1, 0.0, absent=set(NAMES) - set(failed))
    end(book, talk, "refused")
    suiting = [pair for pair in combinations(NAMES, 2) if (ord(pair[0]) - ord(pair[1])) % 2]
    found = {pair for pair in suiting if book.talks(2, 0.0, absent=set(NAMES) - set(pair))}
    assert found == set(suiting) - {failed}


@pytest.mark.parametrize(
    ("ending", "again"),
    [("refused", False), ("for now", False), ("declined", True), ("void", True), ("done", True)],
)
def test_only_a_refusal_keeps_a_pair_apart(ending: Ending, again: bool) -> None:
    book = book_of("a", "b")
    (talk,) = book.talks(1, 0.0)
    end(book, talk, ending)
    assert bool(book.talks(2, 0.0)) is again
    book.talks(3, 0.0)
    end(book, talk, ending)
    counts = book.counts
    assert (counts.done, counts.refused) == ((2, 0) if ending == "done" else (0, 2))


@pytest.mark.parametrize("name", ["a", "b"])
@pytest.mark.parametrize("how", ["offers", "withdraws", "enters"])
def test_a_pair_that_failed_is_tried_again_after_a_change_on_either_side(
    name: str, how: str
) -> None:
    """A third slot changes nothing in what suits; without a change the pair stays apart."""
    book = BundleBook(3, EPOCH, 0)
    for each, offer in (("a", GOES_DOWN), ("b", GOES_UP)):
        enter(book, each, **offer)
    (talk,) = book.talks(1, 0.0)
    end(book, talk, "refused")
    assert book.talks(2, 0.0) == []
    assert book.talks(3, 0.0) == []
    match how:
        case "offers":
            take(book, name, slots=(2,), values_kwh=[1.0], limits_kwh=[1.0])
        case "withdraws":
            take(book, name, slots=(), withdrawn=(2,))
        case _:
            enter(book, name, **(GOES_DOWN if name == "a" else GOES_UP))
    assert len(book.talks(4, 0.0)) == 1


def test_a_lease_of_an_earlier_life_is_counted_and_no_more() -> None:
    book = book_of("a", "b")
    take(book, "a", slots=(), closed=(Closed(LeaseId(EPOCH - 1, 1), "refused"),))
    assert book.counts.refused == 1
    assert len(book.talks(1, 0.0)) == 1


def test_more_households_than_the_first_table_has_room_for() -> None:
    names = [f"h{number:02}" for number in range(40)]
    book = book_of(*names)
    assert book.summary()["offers"] == 80
    found = pairs(book)
    assert len(found) == 20
    assert {name for pair in found for name in pair} == set(names)
    for first, second in zip(names[::2], names[1::2], strict=True):
        assert len(book.talks(2, 0.0, absent=set(names) - {first, second})) == 1


def test_the_pairs_depend_on_the_seed_and_the_round_but_not_on_the_order_of_entry() -> None:
    names = [f"h{number:02}" for number in range(60)]

    def found(seed: int, round: int, backwards: bool = False) -> frozenset[tuple[str, str]]:
        book = BundleBook(2, EPOCH, seed)
        chance = np.random.default_rng(1)
        offers = {name: (chance.random(2), chance.random(2) - 0.5) for name in names}
        for name in reversed(names) if backwards else names:
            values, limits = offers[name]
            enter(book, name, values_kwh=values, limits_kwh=limits)
        return frozenset(pairs(book, round))

    assert found(1, 1) == found(1, 1, backwards=True)
    assert len({found(1, 1), found(2, 1), found(1, 2)}) == 3
