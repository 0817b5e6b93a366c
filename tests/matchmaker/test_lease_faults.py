"""The ledger against those who behave wrongly, or at odd moments."""

import pytest

from matchmaker.leases import Found, Leases
from matchmaker.offer_book import ALWAYS, Wish
from protocol.messages.exchange import Closed, Ending, LeaseId
from tests.support.lookups import home, offered

SECONDS = 10.0


def four(per_slot: bool = False, slots: int = 2) -> Leases:
    """a holds 0 and goes up; b, c and d hold 1, 2 and 2.5 and go down. a gains most with c."""
    made = Leases(slots, epoch=7, lease_seconds=SECONDS, per_slot=per_slot)
    known = (("a", 0.0, 3.0), ("b", 1.0, -1.5), ("c", 2.0, -2.5), ("d", 2.5, -2.6))
    for name, value, limit in known:
        offered(made, name, *[(value, limit)] * slots)
    return made


def look_up(
    made: Leases, name: str, *slots: int, now: float = 0.0, leases_max: int = 1, round: int = 1
) -> Found:
    wishes = [Wish(slot) for slot in slots]
    return made.look_up(name, wishes, now, leases_max=leases_max, round=round)


def lease(made: Leases, name: str, slot: int = 0, now: float = 0.0) -> LeaseId:
    (only,) = look_up(made, name, slot, now=now).leases
    return only.id


def partner(made: Leases, name: str, slot: int = 0, round: int = 1) -> str:
    """Return whom `name` is matched with; the lease ends at once."""
    (only,) = look_up(made, name, slot, round=round).leases
    made.close(name, Closed(only.id, "void"), round)
    return only.partner.name


def free(made: Leases, name: str, slot: int = 0) -> bool:
    """Whether the household's offer may be part of a new lease."""
    return bool(made._offers.free[slot, made._offers.columns[name]])


# -- as many leases as were asked for -------------------------------------------------------------


@pytest.mark.parametrize("leases_max", [0, 1, 2, 3])
def test_nobody_gets_one_lease_too_many(leases_max: int) -> None:
    made = four(per_slot=True, slots=5)
    got = look_up(made, "a", 0, 1, 2, 3, 4, leases_max=leases_max)
    assert [one.slot for one in got.leases] == list(range(leases_max))
    assert [one.id.number for one in got.leases] == list(range(1, leases_max + 1))
    # Slots that were not looked at are neither busy nor without an offer.
    assert (got.engaged, got.none, got.busy) == (False, (), ())
    assert (made.counts.lookups, made.counts.matches) == (leases_max, leases_max)


def test_a_lookup_that_names_no_number_gets_one_lease() -> None:
    made = four(per_slot=True)
    assert len(made.look_up("a", [Wish(0), Wish(1)], 0.0).leases) == 1


def test_a_lookup_that_names_no_round_is_one_before_all_rounds() -> None:
    made = four()
    made._offers.remember(0, 0, 2, 0)
    assert made.look_up("a", [Wish(0)], 0.0).leases[0].partner.name == "d"


def test_a_lease_says_how_long_it_lasts() -> None:
    (got,) = look_up(four(), "a", 1).leases
    assert (got.slot, got.seconds, got.value, got.partner) == (1, SECONDS, 2.0, home("c"))


def test_slots_without_success_do_not_end_a_lookup() -> None:
    made = four(per_slot=True, slots=5)
    made.withdraw("a", 0)  # no offer of its own
    assert lease(made, "a", 1)  # busy itself
    for name in "bcd":
        made.withdraw(name, 2)  # nobody offers anything
    for name in "cd":
        made.withdraw(name, 3)
    offered(made, "e", *[(0.0, 3.0)] * 5)
    assert lease(made, "e", 3)  # with b, the only one left there
    got = look_up(made, "a", 0, 1, 2, 3, 4)
    assert (got.none, got.busy) == ((0, 2), (1, 3))
    assert [one.slot for one in got.leases] == [4]


def test_those_marked_busy_learn_nothing_else() -> None:
    made = four()
    lease(made, "a")
    assert look_up(made, "c", 0, 1) == Found(True, (), (), ())
    assert made.counts.lookups == 1


def test_counts_add_up_over_lookups() -> None:
    made = four(per_slot=True)
    made.withdraw("b", 1)
    for _ in range(2):
        assert look_up(made, "b", 1).none == (1,)
    for ending in ("void", "for now"):
        made.close("a", Closed(lease(made, "a", 1), ending), 1)
    first, second = lease(made, "a", 0), lease(made, "a", 1)
    for _ in range(2):
        assert look_up(made, "a", 0).busy == (0,)
    for id_ in (first, second):
        made.close("a", Closed(id_, "done"), 1)
    made.close("c", Closed(first, "done"), 1)
    assert made.summary() == {
        **{"households": 4, "offers": 7, "open": 1, "lookups": 8, "matches": 4},
        **{"none": 2, "busy": 2, "done": 2, "refused": 2, "expired": 0},
    }


# -- closing --------------------------------------------------------------------------------------

ENDINGS: tuple[Ending, ...] = ("done", "refused", "for now", "declined", "void")


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_stranger_cannot_close_a_lease(ending: Ending) -> None:
    made = four()
    id_ = lease(made, "a")
    made.close("b", Closed(id_, ending), 1)
    assert look_up(made, "a", 1).engaged
    assert look_up(made, "c", 1).engaged
    assert (made.summary()["open"], made.counts.done, made.counts.refused) == (1, 0, 0)


def test_a_lease_that_nobody_gave_is_closed_without_effect() -> None:
    made = four()
    id_ = lease(made, "a")
    for unknown in (LeaseId(7, 99), LeaseId(6, id_.number)):
        made.close("a", Closed(unknown, "void"), 1)
        assert look_up(made, "a", 1).engaged
    for _ in range(2):
        made.close("a", Closed(id_, "void"), 1)
    assert made.counts.refused == 1


@pytest.mark.parametrize("per_slot", [False, True])
@pytest.mark.parametrize(("first", "second"), [("a", "c"), ("c", "a")])
def test_done_of_one_side_does_not_free_the_other(per_slot: bool, first: str, second: str) -> None:
    made = four(per_slot)
    id_ = lease(made, "a")
    assert not free(made, first)
    assert not free(made, second)
    for _ in range(2):  # said again, it does not speak for the other side either
        made.close(first, Closed(id_, "done"), 1)
        assert free(made, first)
        assert not free(made, second)
        assert made.summary()["open"] == 1
    made.close(second, Closed(id_, "done"), 1)
    assert free(made, second)
    assert (made.summary()["open"], made.counts.done, made.counts.refused) == (0, 1, 0)
    made.expire(SECONDS)
    assert made.counts.expired == 0


@pytest.mark.parametrize(("done", "other"), [("a", "c"), ("c", "a")])
def test_after_done_the_other_side_may_still_say_that_it_did_not_agree(
    done: str, other: str
) -> None:
    """Which cannot be true of both; but nothing is remembered of it, and both are free."""
    made = four()
    id_ = lease(made, "a")
    made.close(done, Closed(id_, "done"), 1)
    made.close(other, Closed(id_, "refused"), 1)
    assert free(made, "a")
    assert free(made, "c")
    assert made.counts.refused == 1
    assert partner(made, "a") == "c"


@pytest.mark.parametrize(
    ("ending", "again", "reverse", "next_round"),
    [
        ("refused", "b", "b", "b"),
        ("for now", "b", "b", "c"),
        ("declined", "b", "a", "b"),
        ("void", "c", "a", "c"),
    ],
)
def test_how_a_lease_ends_decides_who_is_matched_next(
    ending: Ending, again: str, reverse: str, next_round: str
) -> None:
    """Without d. c, asked again, would find a, or b which holds 1 and goes up as well."""

    def ended() -> Leases:
        made = four()
        made.withdraw("d", 0)
        id_ = lease(made, "a")
        made.close("a", Closed(id_, ending), 1)
        return made

    assert partner(ended(), "a") == again
    assert partner(ended(), "a", round=2) == next_round
    made = ended()
    made.offer("b", 0, 1.0, 1.2)
    assert partner(made, "c") == reverse


def test_what_a_refusal_teaches_holds_for_others_too() -> None:
    """c did not go down to 0 for a: nor does it for e; but a that declined says nothing of c."""
    endings: dict[Ending, str] = {"refused": "b", "declined": "c", "for now": "c"}
    for ending, expected in endings.items():
        made = four()
        made.withdraw("d", 0)
        made.close("a", Closed(lease(made, "a"), ending), 1)
        offered(made, "e", (0.0, 3.0), (0.0, 3.0))
        assert partner(made, "e") == expected, ending
    assert ALWAYS < 0  # no round is kept by chance


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


def test_a_lookup_ends_what_is_over_first() -> None:
    made = four()
    lease(made, "a", now=0.0)
    assert look_up(made, "a", 0, now=9.9).engaged
    assert look_up(made, "a", 0, now=10.0).leases


def test_leases_that_were_closed_do_not_keep_others_from_ending() -> None:
    made = four(per_slot=True, slots=4)
    for slot, now in ((0, 0.0), (1, 1.0), (2, 2.0), (3, 3.0)):
        id_ = lease(made, "a", slot, now=now)
        if slot in (0, 2):
            made.close("a", Closed(id_, "void"), 1)
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


def test_many_households_keep_what_they_said_when_room_is_made() -> None:
    """The 17th makes room: who may lose (not bound) still may, and offers stay as they were."""
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
