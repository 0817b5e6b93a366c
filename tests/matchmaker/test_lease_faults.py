"""The ledger and households that behave wrongly: requests for leases, and their closings."""

import pytest

from matchmaker.leases import Found, Leases
from matchmaker.offer_book import ALWAYS, Wish
from protocol.messages.exchange import Closed, Ending, LeaseId
from tests.support.ledger import SECONDS, four, free, lease, look_up, partner
from tests.support.lookups import home, offered

# -- as many leases as were asked for -------------------------------------------------------------


@pytest.mark.parametrize("leases_max", [0, 1, 2, 3])
def test_a_lookup_gets_at_most_the_leases_requested(leases_max: int) -> None:
    made = four(per_slot=True, slots=5)
    got = look_up(made, "a", 0, 1, 2, 3, 4, leases_max=leases_max)
    assert [one.slot for one in got.leases] == list(range(leases_max))
    assert [one.id.number for one in got.leases] == list(range(1, leases_max + 1))
    # Slots that were not looked at are neither busy nor without an offer.
    assert (got.engaged, got.none, got.busy) == (False, (), ())
    assert (made.counts.lookups, made.counts.matches) == (leases_max, leases_max)


def test_a_lookup_without_a_number_of_leases_gets_one() -> None:
    made = four(per_slot=True)
    assert len(made.look_up("a", [Wish(0), Wish(1)], 0.0).leases) == 1


def test_a_lookup_without_a_round_is_before_all_rounds() -> None:
    made = four()
    made._offers.remember(0, 0, 2, 0)
    assert made.look_up("a", [Wish(0)], 0.0).leases[0].partner.name == "d"


def test_a_lease_says_how_long_it_lasts() -> None:
    (got,) = look_up(four(), "a", 1).leases
    assert (got.slot, got.seconds, got.value_kwh, got.partner) == (1, SECONDS, 2.0, home("c"))


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


def test_busy_households_get_no_other_information() -> None:
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


def test_closing_an_unknown_lease_has_no_effect() -> None:
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
    made.offer(second, 0, 1.5, 1.0)
    assert free(made, second)
    made.expire(SECONDS)
    assert made.counts.expired == 0


@pytest.mark.parametrize(("done", "other"), [("a", "c"), ("c", "a")])
def test_a_side_may_report_a_refusal_after_the_other_reported_done(done: str, other: str) -> None:
    """Both cannot be true, but nothing is remembered of the contradiction, and both households are
    free."""
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
    """Without d, the next lookup of c would find a, or b, which holds 1 and also goes up."""

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


def test_a_refusal_is_remembered_whoever_entered_first() -> None:
    made = four()
    for name in "bd":
        made.withdraw(name, 0)
    made.close("a", Closed(lease(made, "c"), "for now"), 1)  # c asked a, the first to enter
    assert look_up(made, "c", 0).none == (0,)


def test_a_refusal_is_remembered_in_later_rounds_where_limits_do_not_bind() -> None:
    """There, a refusal gives no bound that keeps this pair apart; only the memory of it does."""
    endings: dict[Ending, bool] = {"refused": False, "for now": True}
    for ending, later in endings.items():
        made = Leases(1, epoch=7)
        for name, value in (("a", 0.0), ("c", 2.0)):
            offered(made, name, (value, None), limits_bind=False)
        wish = [Wish(0, 2.0, 0.1)]
        (got,) = made.look_up("a", wish, 0.0, round=1).leases
        made.close("c", Closed(got.id, ending), 1)
        assert bool(made.look_up("a", wish, 0.0, round=2).leases) is later


def test_the_bound_from_a_refusal_applies_to_other_partners() -> None:
    """c did not go down to 0 for a, so it does not for e; but that a declined says nothing about
    c."""
    endings: dict[Ending, str] = {"refused": "b", "declined": "c", "for now": "c"}
    for ending, expected in endings.items():
        made = four()
        made.withdraw("d", 0)
        made.close("a", Closed(lease(made, "a"), ending), 1)
        offered(made, "e", (0.0, 3.0), (0.0, 3.0))
        assert partner(made, "e") == expected, ending
    assert ALWAYS < 0  # no round is kept by chance
