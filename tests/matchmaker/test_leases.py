"""The matchmaker's ledger and machine: first come, first served, and nothing twice."""

import numpy as np
import pytest

from matchmaker.leases import Leases
from matchmaker.matchmaker import Matchmaker
from matchmaker.offer_book import FAR, Wish
from protocol.errors import PeerError
from protocol.messages import Address, Lookup, Match
from protocol.messages.exchange import Closed, Ending
from protocol.runtime.machine import Envelope

NAMES = "abcd"


def home(name: str) -> Address:
    return Address(f"host-{name}", name)


def ledger(per_slot: bool = False) -> Leases:
    """Return a ledger with slots 0 and 1: a holds 0 and goes up to 3; b and c hold 1 and 2 and go
    down below 0."""
    made = Leases(2, epoch=7, lease_seconds=10.0, per_slot=per_slot)
    for name, value, limit in (("a", 0.0, 3.0), ("b", 1.0, -1.5), ("c", 2.0, -2.5)):
        made.enter(home(name))
        made.bind(name, limits_bind=True)
        for slot in (0, 1):
            made.offer(name, slot, value, limit)
    return made


def test_the_pair_that_gains_most_is_matched() -> None:
    found = ledger().look_up("a", [Wish(0)], 0.0)
    (lease,) = found.leases
    assert (lease.id, lease.slot, lease.partner) == ((7, 1), 0, home("c"))
    assert lease.value_kwh == 2.0


def test_a_lease_marks_both_busy_everywhere_or_at_its_slot() -> None:
    whole, single = ledger(), ledger(per_slot=True)
    for made in (whole, single):
        (lease,) = made.look_up("a", [Wish(0)], 0.0).leases
        assert lease.partner.name == "c"
    assert whole.look_up("c", [Wish(1)], 0.0).engaged
    assert whole.look_up("a", [Wish(1)], 0.0).engaged
    # Nobody but a, who is busy, would serve b.
    assert whole.look_up("b", [Wish(0), Wish(1)], 0.0).busy == (0, 1)
    assert single.look_up("c", [Wish(0)], 0.0).busy == (0,)
    found = single.look_up("b", [Wish(0), Wish(1)], 0.0)
    assert found.busy == (0,)
    assert [(lease.slot, lease.partner.name) for lease in found.leases] == [(1, "a")]


def test_lease_numbers_rise_and_are_not_used_again() -> None:
    made = ledger()
    numbers = []
    for _ in range(3):
        (lease,) = made.look_up("a", [Wish(0)], 0.0).leases
        numbers.append(lease.id)
        made.close("a", Closed(lease.id, "void"), 1)
    assert numbers == [(7, 1), (7, 2), (7, 3)]


@pytest.mark.parametrize(
    ("ending", "again"), [("refused", False), ("for now", False), ("void", True)]
)
def test_a_refused_pair_is_not_matched_until_an_offer_changes(ending: Ending, again: bool) -> None:
    made = ledger()
    (lease,) = made.look_up("a", [Wish(0)], 0.0, round=1).leases
    made.close("c", Closed(lease.id, ending), 1)
    (other,) = made.look_up("a", [Wish(0)], 0.0, round=1).leases
    assert (other.partner.name == "c") is again
    made.close("a", Closed(other.id, "void"), 1)
    if ending == "for now":
        (later,) = made.look_up("a", [Wish(0)], 0.0, round=2).leases
        assert later.partner.name == "c"
    if ending == "refused":
        assert made.look_up("a", [Wish(0)], 0.0, round=2).leases[0].partner.name == "b"
        made.offer("c", 0, 2.0, -2.5)
        assert made.look_up("a", [Wish(0)], 100.0, round=2).leases[0].partner.name == "c"


def test_after_an_exchange_each_is_free_when_it_has_reported() -> None:
    made = ledger()
    (lease,) = made.look_up("a", [Wish(0)], 0.0).leases
    made.offer("a", 0, 1.0, 1.0)
    made.close("a", Closed(lease.id, "done"), 1)
    assert not made.look_up("a", [Wish(1)], 0.0).engaged
    assert made.look_up("c", [Wish(1)], 0.0).engaged


def test_an_expired_lease_withdraws_offers_known_to_be_gone() -> None:
    made = ledger()
    (lease,) = made.look_up("a", [Wish(0)], 0.0).leases
    made.close("a", Closed(lease.id, "done"), 1)
    assert made.next_deadline() == 10.0
    made.expire(10.0)
    assert made.counts.expired == 1
    found = made.look_up("c", [Wish(0)], 10.0)
    assert (found.engaged, found.none) == (False, (0,))


def blind(limits_bind: bool = True) -> Leases:
    """Return a ledger with one slot and offers that disclose only their value: a 0, b 1, c 2, d
    3."""
    made = Leases(1, epoch=7, lease_seconds=10.0)
    for value, name in enumerate(NAMES):
        made.enter(home(name))
        made.bind(name, limits_bind=limits_bind)
        made.offer(name, 0, float(value), None)
    return made


def partner(made: Leases, who: str, wish: Wish, ending: Ending = "void") -> str:
    """Return the partner that is found; the lease then ends as the partner reports."""
    (lease,) = made.look_up(who, [wish], 0.0).leases
    made.close(lease.partner.name, Closed(lease.id, ending), 1)
    return lease.partner.name


def test_a_wanted_value_gets_the_largest_expected_gain() -> None:
    """c is nearer to the value that a wants, but b is more likely to accept; if limits do not bind,
    every household that holds no more than the wanted value will accept."""
    assert partner(blind(), "a", Wish(0, 1.9, 1.9)) == "b"
    assert partner(blind(limits_bind=False), "a", Wish(0, 2.0, 2.0)) == "c"
    made = blind()
    assert partner(made, "a", Wish(0, 1.9, 0.5)) == "c"
    assert made.look_up("a", [Wish(0, 1.4, 0.3)], 0.0).none == (0,)


def test_a_refusal_bounds_later_requests() -> None:
    """c did not go from 2 to 1, so it does not go to 0 for anybody; but it may go up, or make a new
    offer."""
    made = blind()
    assert partner(made, "b", Wish(0, 2.0, 0.1), "refused") == "c"
    assert made.look_up("a", [Wish(0, 2.0, 0.1)], 0.0).none == (0,)
    assert partner(made, "d", Wish(0, 2.0, 0.1)) == "c"
    made.offer("c", 0, 2.0, None)
    assert partner(made, "a", Wish(0, 2.0, 0.1)) == "c"


def test_a_refused_large_gain_excludes_smaller_ones() -> None:
    """Limits do not bind: c would not go from 2 to 1 although b would gain 3 by it; a would gain
    less."""
    cases: list[tuple[Ending, str]] = [("void", "c"), ("refused", "")]
    for ending, found in cases:
        made = blind(limits_bind=False)
        made.withdraw("d", 0)
        assert partner(made, "b", Wish(0, 3.0, 1.0), ending) == "c"
        made.withdraw("b", 0)
        leases = made.look_up("a", [Wish(0, 1.2, 0.8)], 0.0).leases
        assert [lease.partner.name for lease in leases] == ([found] if found else [])


def test_a_direction_binds_if_limits_bind() -> None:
    made = ledger()
    made.offer("b", 0, 1.0, FAR)
    made.offer("c", 0, 2.0, FAR)
    assert made.look_up("a", [Wish(0, 1.0, 1.0)], 0.0).none == (0,)
    made.bind("b", limits_bind=False)
    assert made.look_up("a", [Wish(0, 1.0, 1.0)], 0.0).leases[0].partner.name == "b"


def test_ties_do_not_depend_on_the_order_of_entering() -> None:
    partners = []
    for order in ("abcd", "dcba"):
        made = Leases(1, epoch=1)
        for name in order:
            made.enter(home(name))
            made.bind(name, limits_bind=False)
            made.offer(name, 0, 0.0 if name == "a" else 1.0, 2.0 if name == "a" else -2.0)
        partners.append(made.look_up("a", [Wish(0)], 0.0).leases[0].partner.name)
    assert partners == ["b", "b"]


def test_more_households_than_the_first_table_has_room_for() -> None:
    made = Leases(1, epoch=1)
    for number in range(100):
        made.enter(home(f"h{number:03}"))
        made.bind(f"h{number:03}", limits_bind=True)
        made.offer(f"h{number:03}", 0, float(number), 100.0 if number < 50 else -100.0)
    assert made.look_up("h000", [Wish(0)], 0.0).leases[0].partner.name == "h060"


EMPTY = np.array([])


def lookup(number: int, epoch: int = 0, session: int = 1, wants: tuple[int, ...] = ()) -> Lookup:
    values = np.array([float(number)]) if epoch == 0 else EMPTY
    slots = (0,) if epoch == 0 else ()
    return Lookup(
        session=session,
        number=number,
        epoch=epoch,
        round=1,
        limits_bind=True,
        disclosure="value",
        slots=slots,
        values_kwh=values,
        limits_kwh=EMPTY,
        withdrawn=(),
        closed=(),
        wants=wants,
        wanted_kwh=np.array([5.0] * len(wants)),
        tolerance_kwh=np.array([9.0] * len(wants)),
        min_gain_kwh2=0.0,
        leases_max=1,
    )


def ask(maker: Matchmaker, who: str, message: Lookup) -> Match:
    (answer,) = maker.handle(Envelope(home(who), maker.address, message), 0.0)
    assert isinstance(answer.message, Match)
    return answer.message


def test_a_repeated_lookup_gets_the_recorded_answer() -> None:
    maker = Matchmaker(Address("m", "m"), 1, 7, lease=10.0, per_slot=False)
    ask(maker, "b", lookup(6))
    ask(maker, "a", lookup(1))
    first = ask(maker, "a", lookup(2, 7, wants=(0,)))
    assert first.leases[0].partner.name == "b"
    assert ask(maker, "a", lookup(2, 7, wants=(0,))) == first
    assert maker.ledger.counts.matches == 1
    assert maker.handle(Envelope(home("a"), maker.address, lookup(1)), 0.0) == []


def test_a_restarted_matchmaker_asks_for_all_offers() -> None:
    maker = Matchmaker(Address("m", "m"), 1, 8, lease=10.0, per_slot=False)
    answer = ask(maker, "a", lookup(5, 7, wants=(0,)))
    assert (answer.anew, answer.epoch, answer.leases) == (True, 8, ())
    assert not ask(maker, "a", lookup(6)).anew


def test_lists_of_different_lengths_are_refused() -> None:
    maker = Matchmaker(Address("m", "m"), 1, 8, lease=10.0, per_slot=False)
    with pytest.raises(PeerError, match="beyond"):
        ask(maker, "a", lookup(1, 8, wants=(1,)))
    odd = Lookup(
        session=1,
        number=1,
        epoch=0,
        round=1,
        limits_bind=True,
        disclosure="limit",
        slots=(0,),
        values_kwh=EMPTY,
        limits_kwh=EMPTY,
        withdrawn=(),
        closed=(),
        wants=(),
        wanted_kwh=EMPTY,
        tolerance_kwh=EMPTY,
        min_gain_kwh2=0.0,
        leases_max=1,
    )
    with pytest.raises(PeerError, match="do not fit"):
        ask(maker, "a", odd)
