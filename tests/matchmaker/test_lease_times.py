"""The ledger at unusual moments: leases that expire, and households that enter, move and return."""

import pytest

from matchmaker.leases import Leases
from protocol.messages.exchange import Closed
from tests.support.ledger import SECONDS, four, free, lease, look_up, partner
from tests.support.lookups import home, offered

# -- expiry ---------------------------------------------------------------------------------------


def test_a_lease_ends_exactly_at_its_deadline() -> None:
    made = four()
    assert made.next_deadline() is None
    lease(made, "a", now=3.0)
    assert made.next_deadline() == 13.0
    made.expire(12.999)
    assert (made.counts.expired, free(made, "a"), free(made, "c")) == (0, False, False)
    made.expire(13.0)
    assert (made.counts.expired, free(made, "a"), free(made, "c")) == (1, True, True)
    assert made.next_deadline() is None
    assert made.summary()["offers"] == 8


def test_a_lookup_first_ends_expired_leases() -> None:
    made = four()
    lease(made, "a", now=0.0)
    assert look_up(made, "a", 0, now=9.9).engaged
    assert look_up(made, "a", 0, now=10.0).leases


def test_leases_that_were_closed_do_not_keep_others_from_ending() -> None:
    made = four(per_slot=True, slots=4)
    leases = [lease(made, "a", slot, now=float(slot)) for slot in range(4)]
    for slot in (0, 2):
        made.close("a", Closed(leases[slot], "void"), 1)
    made.expire(12.5)
    assert [free(made, "a", slot) for slot in range(4)] == [True, True, True, False]
    assert made.next_deadline() == 13.0
    made.expire(13.0)
    assert made.counts.expired == 2


@pytest.mark.parametrize(("done", "silent"), [("a", "c"), ("c", "a")])
def test_the_offer_of_a_side_that_never_reports_is_withdrawn(done: str, silent: str) -> None:
    made = four()
    id_ = lease(made, "a", 1)
    made.close(done, Closed(id_, "done"), 1)
    made.expire(SECONDS)
    assert look_up(made, silent, 1).none == (1,)
    assert free(made, done, 1)
    assert not free(made, silent, 1)
    assert free(made, silent, 0)
    assert made.summary()["offers"] == 7
    made.offer(silent, 1, 0.5, 2.0)
    assert free(made, silent, 1)


# -- who enters, moves and leaves -----------------------------------------------------------------


def test_a_household_is_known_from_where_it_entered() -> None:
    made = four()
    assert made.knows(home("a"))
    assert not made.knows(home("a")._replace(host="elsewhere"))
    assert not made.knows(home("x"))
    made.enter(home("a")._replace(host="elsewhere"))
    assert not made.knows(home("a"))
    assert made.summary()["households"] == 4


@pytest.mark.parametrize("again", ["a", "c"])
def test_a_household_that_enters_again_has_no_offers_and_no_leases(again: str) -> None:
    made = four()
    lease(made, "a")
    made.enter(home(again))
    other = "c" if again == "a" else "a"
    assert free(made, other)
    assert (made.summary()["open"], made.summary()["offers"]) == (0, 6)
    assert not free(made, again)
    assert look_up(made, again, 0).none == (0,)
    made.offer(again, 0, 2.0 if again == "c" else 0.0, -2.5 if again == "c" else 3.0)
    assert free(made, again)
    assert partner(made, "a") == "c"


def test_a_household_that_moved_is_found_where_it_is_now() -> None:
    made = four()
    moved = home("c")._replace(host="elsewhere")
    made.enter(moved)
    made.offer("c", 0, 2.0, -2.5)
    (got,) = look_up(made, "a", 0).leases
    assert got.partner == moved


@pytest.mark.parametrize("per_slot", [False, True])
def test_an_offer_of_a_busy_household_is_busy(per_slot: bool) -> None:
    made = four(per_slot)
    lease(made, "a")
    for name in "ac":
        made.offer(name, 0, 1.5, 1.0)
        assert not free(made, name, 0)
        made.offer(name, 1, 1.5, 1.0)
        assert free(made, name, 1) is per_slot
    made.withdraw("c", 0)
    assert not free(made, "c", 0)


def test_offers_are_kept_when_the_table_grows() -> None:
    """The 17th household makes the table grow: households whose limits do not bind may still lose,
    and offers stay as they were."""
    made = Leases(2, epoch=1, per_slot=True)
    offered(made, "h00", (0.0, 3.0), (0.0, 3.0), limits_bind=False)
    offered(made, "h01", (3.3, -2.5), (3.3, -2.5), limits_bind=False)
    offered(made, "h02", (3.3, -2.5), (2.0, -2.5))
    offered(made, "h03", (9.0, -0.1), (9.0, None), limits_bind=False)
    for number in range(4, 40):
        offered(made, f"h{number:02}", (0.0, 3.0), (0.0, 3.0), limits_bind=number % 2 == 0)
    assert (made.summary()["households"], made.summary()["offers"]) == (40, 80)
    # Only h01, whose limit does not bind, goes 3.3 down, and only for one whose own does not.
    assert [one.partner.name for one in look_up(made, "h00", 0).leases] == ["h01"]
    assert look_up(made, "h04", 0).none == (0,)
    assert partner(made, "h05", 1) == "h02"


def test_who_may_lose_is_remembered_by_name() -> None:
    """Households are sorted by name before the first lookup; z, not bound, goes 3.3 down for a."""
    made = Leases(1, epoch=1)
    offered(made, "y", (3.3, -2.5))
    offered(made, "z", (3.3, -2.5), limits_bind=False)
    offered(made, "a", (0.0, 3.0), limits_bind=False)
    assert partner(made, "a") == "z"


def test_offers_are_free_until_they_are_leased() -> None:
    made = Leases(1, epoch=7, lease_seconds=SECONDS)
    assert not made.any_free
    offered(made, "a", (0.0, 3.0))
    offered(made, "b", (1.0, -1.5))
    assert made.any_free
    made.close("a", Closed(lease(made, "a"), "void"), 1)
    assert made.any_free
    lease(made, "a")
    assert not made.any_free
