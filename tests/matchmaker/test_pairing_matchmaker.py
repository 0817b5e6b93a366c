"""The matchmaker for bundles: one pairing a round, whatever the order of lookups, and after it
forgot everything."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from matchmaker.matchmaker import Matchmaker
from matchmaker.pairing_matchmaker import PairingMatchmaker, matchmaker_of
from protocol.errors import PeerError
from protocol.messages import Address, Lookup, Match, NextRound
from protocol.messages.exchange import WHOLE, Closed
from protocol.runtime.machine import Envelope
from protocol.terms import DisclosureName, ExchangeTerms

MAKER = Address("maker", "maker")
NAMES = ("a", "b", "c", "d")
HELD = {"a": [2.0, 1.0], "b": [1.0, 2.0], "c": [2.25, 0.75], "d": [0.75, 2.25]}
WANTS = {"a": [-2.0, 2.0], "b": [2.0, -2.0], "c": [-2.0, 2.0], "d": [2.0, -2.0]}


def place(name: str) -> Address:
    return Address(f"host-{name}", name)


def new(epoch: int = 7, seed: int = 0) -> PairingMatchmaker:
    return PairingMatchmaker(MAKER, 2, epoch, patience_seconds=10.0, seed=seed)


def lookup(
    name: str,
    round: int,
    *,
    number: int | None = None,
    epoch: int = 7,
    session: int = 1,
    disclosure: DisclosureName = "limit",
    closed: Sequence[Closed] = (),
    offers: bool | None = None,
    everybody: int = len(NAMES),
) -> Lookup:
    """Return the lookup of a household in a round in which `everybody` looks up; it lists all
    offers if its epoch is 0."""
    listed = epoch == 0 if offers is None else offers
    limits = WANTS[name] if listed and disclosure != "value" else []
    return Lookup(
        session=session,
        number=round + 1 if number is None else number,
        epoch=epoch,
        round=round,
        limits_bind=True,
        disclosure=disclosure,
        slots=(0, 1) if listed else (),
        values_kwh=np.array(HELD[name] if listed else []),
        limits_kwh=np.array(limits),
        withdrawn=(),
        closed=tuple(closed),
        wants=(),
        wanted_kwh=np.array([]),
        tolerance_kwh=np.array([]),
        min_gain_kwh2=0.1,
        leases_max=1,
        households=everybody,
    )


def tell(
    maker: PairingMatchmaker, name: str, message: Lookup, now: float = 0.0
) -> dict[str, Match]:
    """Send one lookup; returns the answers by household."""
    return {
        said.to.name: said.message
        for said in maker.handle(Envelope(place(name), MAKER, message), now)
        if isinstance(said.message, Match)
    }


def entered(names: Sequence[str] = NAMES, **options: Any) -> PairingMatchmaker:
    """A matchmaker that has the offers of these households."""
    maker = new()
    for name in names:
        answers = tell(maker, name, lookup(name, 0, epoch=0, **options))
        assert list(answers) == [name]
        assert answers[name].epoch == 7
    return maker


def pairs(answers: dict[str, Match]) -> set[frozenset[str]]:
    return {
        frozenset((name, lease.partner.name))
        for name, match in answers.items()
        for lease in match.leases
    }


def a_round(maker: PairingMatchmaker, names: Sequence[str], round: int) -> dict[str, Match]:
    """All lookups of one round; everybody is answered with the last."""
    answers: dict[str, Match] = {}
    for name in names:
        assert not answers
        answers = tell(maker, name, lookup(name, round, everybody=len(names)))
    assert set(answers) == set(names)
    return answers


def test_all_are_answered_when_the_last_has_spoken_in_pairs() -> None:
    answers = a_round(entered(), NAMES, 1)
    found = pairs(answers)
    assert len(found) == 2
    assert len(frozenset().union(*found)) == 4
    leases = [lease for match in answers.values() for lease in match.leases]
    assert len({lease.id for lease in leases}) == 2
    assert {(lease.slot, lease.value_kwh, lease.seconds) for lease in leases} == {
        (WHOLE, 0.0, 10.0)
    }
    for name, match in answers.items():
        assert (match.session, match.number, match.epoch) == (1, 2, 7)
        assert (match.anew, match.engaged, match.none, match.busy) == (False, False, (), ())
        assert place(name) not in {lease.partner for lease in match.leases}


def test_lookups_and_their_answers_are_counted_also_without_a_partner() -> None:
    maker = entered(("a", "b", "c"))
    assert maker.answered == 3
    a_round(maker, ("a", "b", "c"), 1)
    counts = maker.ledger.summary()
    assert (counts["lookups"], counts["matches"], counts["none"]) == (3, 1, 1)
    assert maker.answered == 6
    tell(maker, "a", lookup("a", 1, everybody=3))
    assert maker.answered == 7, "a repeated lookup is answered again"
    a_round(maker, ("a", "b", "c"), 2)
    counts = maker.ledger.summary()
    assert (counts["lookups"], counts["matches"], counts["none"]) == (6, 2, 2)
    tell(maker, "a", lookup("a", 3))
    tell(maker, "a", lookup("a", 3))
    assert maker.answered == 10, "while it waits there is no answer"


def test_a_household_that_speaks_to_another_matchmaker_must_send_all_offers() -> None:
    maker = entered(("a",))
    assert tell(maker, "b", lookup("b", 1))["b"].anew, "it has never entered"
    assert tell(maker, "a", lookup("a", 1, epoch=6))["a"].anew, "it means an earlier matchmaker"


def test_a_lookup_that_says_no_number_of_households_waits_for_the_end_of_patience() -> None:
    maker = entered(("a", "b"))
    assert tell(maker, "a", lookup("a", 1, everybody=0)) == {}
    assert tell(maker, "b", lookup("b", 1, everybody=0)) == {}
    assert len(maker.tick(10.0)) == 2


def test_a_household_may_offer_a_single_slot() -> None:
    maker = entered(("a",))
    one = replace(
        lookup("a", 1, everybody=1), slots=(1,), values_kwh=np.ones(1), limits_kwh=np.ones(1)
    )
    assert tell(maker, "a", one).keys() == {"a"}


@pytest.mark.parametrize(("least", "found"), [(5.82, 2), (5.83, 0)])
def test_the_least_gain_is_that_of_the_lookups(least: float, found: int) -> None:
    """a and d, or b and c, hold 1.25 kWh less or more and want 1.1642 more or less: 5.821 kWh^2."""
    maker = entered()
    answers: dict[str, Match] = {}
    for name in NAMES:
        answers |= tell(maker, name, replace(lookup(name, 1), min_gain_kwh2=least))
    assert len(pairs(answers)) == found


def test_terms_decide_what_is_matched_and_how_long_households_are_waited_for() -> None:
    slots = matchmaker_of(MAKER, 2, 7, terms=ExchangeTerms(content="slot"))
    assert isinstance(slots, Matchmaker)
    for seed in (0, 1):
        terms = ExchangeTerms(content="bundle", lease_seconds=3.0, seed=seed)
        maker = matchmaker_of(MAKER, 2, 7, terms=terms)
        assert isinstance(maker, PairingMatchmaker)
        assert (maker.address, maker.ledger.slots, maker.ledger.epoch) == (MAKER, 2, 7)
        assert maker.ledger.seed == seed
        tell(maker, "a", lookup("a", 0, epoch=0), now=1.0)
        tell(maker, "b", lookup("b", 0, epoch=0), now=1.0)
        tell(maker, "a", lookup("a", 1), now=2.0)
        assert maker.next_deadline() == 5.0


def test_the_order_of_lookups_changes_nothing() -> None:
    found = {name: match.leases for name, match in a_round(entered(), NAMES, 1).items()}
    for order in permutations(NAMES):
        again = a_round(entered(order), order, 1)
        assert {name: again[name].leases for name in NAMES} == found


def test_a_repeated_lookup_gets_the_same_answer() -> None:
    maker = entered(("a", "b"))
    assert tell(maker, "a", lookup("a", 1, everybody=2)) == {}
    assert tell(maker, "a", lookup("a", 1, everybody=2)) == {}
    answers = tell(maker, "b", lookup("b", 1, everybody=2))
    assert tell(maker, "a", lookup("a", 1, everybody=2)) == {"a": answers["a"]}
    assert tell(maker, "a", lookup("a", 0)) == {}


def test_a_pair_that_failed_is_not_tried_again_before_an_offer_changes() -> None:
    maker = entered(("a", "b"))
    answers = a_round(maker, ("a", "b"), 1)
    (asker,) = [name for name, match in answers.items() if match.leases]
    closed = Closed(answers[asker].leases[0].id, "refused")
    other = "b" if asker == "a" else "a"
    tell(maker, other, lookup(other, 2, everybody=2))
    again = lookup(asker, 2, closed=[closed], everybody=2)
    assert pairs(tell(maker, asker, again)) == set()
    tell(maker, other, lookup(other, 3, everybody=2))
    changed = lookup(asker, 3, offers=True, everybody=2)
    assert pairs(tell(maker, asker, changed)) == {frozenset("ab")}
    counts = maker.ledger.summary()
    assert (counts["lookups"], counts["matches"], counts["refused"]) == (6, 2, 1)


def test_whoever_discloses_more_asks_and_values_alone_find_nobody() -> None:
    for silent, asker in (("a", "b"), ("b", "a")):
        maker = new()
        tell(maker, silent, lookup(silent, 0, epoch=0, disclosure="value"))
        tell(maker, asker, lookup(asker, 0, epoch=0))
        tell(maker, silent, lookup(silent, 1, disclosure="value", everybody=2))
        answers = tell(maker, asker, lookup(asker, 1, everybody=2))
        assert [name for name, match in answers.items() if match.leases] == [asker]
    maker = entered(("a", "b"), disclosure="value")
    tell(maker, "a", lookup("a", 1, disclosure="value", everybody=2))
    last = lookup("b", 1, disclosure="value", everybody=2)
    assert pairs(tell(maker, "b", last)) == set()


def test_silence_ends_the_waiting_for_those_who_are_missing() -> None:
    maker = entered()
    tell(maker, "a", lookup("a", 1), now=1.0)
    tell(maker, "b", lookup("b", 1), now=2.0)
    assert maker.next_deadline() == 12.0
    assert maker.tick(11.9) == []
    answered = {said.to.name for said in maker.tick(12.0)}
    assert answered == {"a", "b"}
    assert maker.next_deadline() is None
    # Whoever comes late is answered at once, without a partner, and is there in the next round.
    late = tell(maker, "c", lookup("c", 1), now=13.0)
    assert late["c"].leases == ()
    assert len(pairs(a_round(maker, NAMES, 2))) == 2


def test_a_matchmaker_that_starts_late_waits_only_until_all_have_spoken() -> None:
    maker = new(epoch=9)
    for name in NAMES:
        assert tell(maker, name, lookup(name, 5))[name].anew
    for name in NAMES[:3]:
        assert tell(maker, name, lookup(name, 5, number=7, epoch=0), now=1.0) == {}
    answers = tell(maker, "d", lookup("d", 5, number=7, epoch=0), now=1.0)
    assert len(pairs(answers)) == 2


def test_households_whose_answers_were_lost_wait_for_nobody_for_long() -> None:
    """The matchmaker has answered c and d and is killed before it answers a and b."""
    maker = new(epoch=9)
    for name in ("a", "b"):
        assert tell(maker, name, lookup(name, 5, number=7, epoch=0), now=1.0) == {}
    assert len(maker.tick(11.0)) == 2
    for name in ("a", "b"):
        assert tell(maker, name, lookup(name, 6, number=8, epoch=9), now=12.0) == {}
    assert tell(maker, "c", lookup("c", 6, number=8, epoch=0), now=12.0) == {}
    assert len(tell(maker, "d", lookup("d", 6, number=8, epoch=0), now=12.0)) == 4


def test_a_matchmaker_of_a_part_of_the_households_waits_for_these() -> None:
    maker = entered()
    assert tell(maker, "a", lookup("a", 1, everybody=2)) == {}
    assert pairs(tell(maker, "d", lookup("d", 1, everybody=2))) == {frozenset("ad")}
    leases = [
        match.leases[0].id
        for round in (2, 3)
        for match in a_round(maker, ("b", "c"), round).values()
        if match.leases
    ]
    assert len(set(leases)) == len(leases)


def test_a_household_that_starts_again_is_answered_once_more() -> None:
    maker = entered(("a", "b"))
    tell(maker, "a", lookup("a", 1, everybody=2))
    again = lookup("a", 1, session=2, number=1, epoch=0, everybody=2)
    assert tell(maker, "a", again) == {}
    answers = tell(maker, "b", lookup("b", 1, everybody=2))
    assert answers["a"].session == 2
    assert pairs(answers) == {frozenset("ab")}


@pytest.mark.parametrize(
    "changes",
    [
        {"values_kwh": np.array([1.0])},
        {"limits_kwh": np.array([1.0])},
        {"wants": (0,)},
        {"slots": (0, 2)},
        {"slots": (-1, 0)},
        {"withdrawn": (2,)},
    ],
)
def test_nonsense_is_refused(changes: dict[str, Any]) -> None:
    wrong = replace(lookup("a", 0, epoch=0), **changes)
    with pytest.raises(PeerError, match="lookup"):
        tell(new(), "a", wrong)


def test_other_messages_are_not_for_a_matchmaker() -> None:
    with pytest.raises(PeerError, match="NextRound"):
        new().handle(Envelope(place("a"), MAKER, NextRound(1, (), 0.0)), 0.0)
