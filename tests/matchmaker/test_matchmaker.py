"""The matchmaker as a machine: the parts of a lookup that reach the ledger, and the answers."""

from typing import Any

import pytest

from matchmaker.matchmaker import Matchmaker
from protocol.errors import PeerError
from protocol.messages import Abort, Address, Match
from protocol.messages.exchange import Closed, LeaseId
from protocol.runtime.machine import Envelope
from tests.support.lookups import MAKER, ask, home, lookup

EPOCH, SECONDS = 7, 10.0
OFFERS = {"a": (0.0, 3.0), "b": (1.0, -1.5), "c": (2.0, -2.5)}
"""Value and limit, kWh, at both slots: a gains most with c."""


def maker(per_slot: bool = False, **changed: Any) -> Matchmaker:
    """Return a matchmaker of two slots that knows the offers of a, b and c, with these fields
    `changed`."""
    made = Matchmaker(MAKER, 2, EPOCH, lease=SECONDS, per_slot=per_slot)
    for name, (value, limit) in OFFERS.items():
        fields = {"disclosure": "limit", "limits_kwh": [limit, limit], **changed}
        ask(made, name, lookup(slots=(0, 1), values_kwh=[value, value], **fields))
    return made


def again(made: Matchmaker, name: str, number: int = 2, now: float = 0.0, **fields: Any) -> Match:
    """Return a later lookup of a known household."""
    return ask(made, name, lookup(number, epoch=EPOCH, **fields), now)


def test_an_answer_names_the_lookup_and_the_matchmakers_epoch() -> None:
    made = maker()
    answer = again(made, "a", 5, session=1)
    assert answer == Match(1, 5, EPOCH, False, False, (), (), ())
    restarted = Matchmaker(MAKER, 2, 8, lease=SECONDS, per_slot=False)
    answer = ask(restarted, "a", lookup(3, epoch=EPOCH, session=4, wants=(0,)))
    assert answer == Match(4, 3, 8, True, False, (), (), ())


def test_unknown_and_moved_households_must_send_all_offers() -> None:
    made = maker()
    assert again(made, "x", wants=(0,)).anew
    (answer,) = made.handle(
        Envelope(Address("elsewhere", "a"), MAKER, lookup(2, epoch=EPOCH, wants=(0,))), 0.0
    )
    assert isinstance(answer.message, Match)
    assert answer.message.anew
    assert answer.to == Address("elsewhere", "a")
    assert made.ledger.counts.lookups == 0
    assert ask(made, "a", lookup(2, epoch=EPOCH + 1, wants=(0,))).anew


def test_lookups_are_answered_once_and_repetitions_are_counted() -> None:
    made = maker()
    assert made.answered == 3
    first = again(made, "a", 2, wants=(0,))
    assert again(made, "a", 2, wants=(0,)) == first
    assert made.ledger.counts.matches == 1
    assert made.answered == 5
    # What came before the last one is answered no more; a new session begins at its own number.
    assert made.handle(Envelope(home("a"), MAKER, lookup(1, epoch=EPOCH)), 0.0) == []
    assert made.answered == 6
    assert again(made, "a", 1, session=2) == Match(2, 1, EPOCH, False, True, (), (), ())


@pytest.mark.parametrize("per_slot", [False, True])
def test_leases_have_the_duration_and_scope_of_the_run(per_slot: bool) -> None:
    made = maker(per_slot)
    assert made.next_deadline() is None
    (lease,) = again(made, "a", wants=(0,), now=1.0).leases
    assert (lease.seconds, lease.partner, lease.id) == (SECONDS, home("c"), LeaseId(EPOCH, 1))
    assert made.next_deadline() == 11.0
    assert again(made, "c", wants=(1,), now=2.0).engaged is not per_slot
    made.tick(10.9)
    assert made.ledger.counts.expired == 0
    assert made.tick(11.0) == []
    assert made.ledger.counts.expired == 1


def test_offers_are_withdrawn_by_name_and_slot() -> None:
    made = maker()
    again(made, "c", withdrawn=(0,))
    assert again(made, "a", wants=(0,)).leases[0].partner == home("b")
    made = maker()
    again(made, "c", withdrawn=(1,))
    assert again(made, "a", wants=(0,)).leases[0].partner == home("c")


@pytest.mark.parametrize("binds", [True, False])
def test_limits_that_do_not_bind_reach_the_ledger_as_such(binds: bool) -> None:
    """c names a limit of 1 and would have to go 2."""
    made = maker()
    again(made, "b", withdrawn=(0,))
    changed: dict[str, Any] = {
        "slots": (0,),
        "values_kwh": [2.0],
        "limits_kwh": [-1.0],
        "disclosure": "limit",
    }
    again(made, "c", limits_bind=binds, **changed)
    answer = again(made, "a", wants=(0,))
    assert (len(answer.leases), answer.none) == ((0, (0,)) if binds else (1, ()))


def test_a_direction_reaches_the_ledger_without_a_distance() -> None:
    """b and c go down at slot 0 and up at slot 1, where neither gives a higher value to a."""
    for slot, served in ((0, True), (1, False)):
        made = maker(disclosure="direction", limits_kwh=[-1.0, 1.0])
        answer = again(made, "a", wants=(slot,), wanted_kwh=[1.5], tolerance_kwh=[1.0])
        assert bool(answer.leases) is served
    made = maker(disclosure="direction", limits_kwh=[0.0, 0.0])
    assert again(made, "a", wants=(0,), wanted_kwh=[1.5], tolerance_kwh=[1.0]).none == (0,)


def test_offers_without_limits_have_only_a_value() -> None:
    made = maker(disclosure="value", limits_kwh=[])
    assert again(made, "a", wants=(0,)).none == (0,)
    (lease,) = again(made, "a", 3, wants=(0,), wanted_kwh=[2.0], tolerance_kwh=[0.5]).leases
    assert lease.partner == home("c")


def test_each_wanted_value_belongs_to_its_slot() -> None:
    made = maker(per_slot=True, disclosure="value", limits_kwh=[])
    answer = again(
        made, "a", wants=(1, 0), wanted_kwh=[2.0, 1.0], tolerance_kwh=[0.2, 0.2], leases_max=2
    )
    assert [(one.slot, one.partner.name) for one in answer.leases] == [(1, "c"), (0, "b")]
    exact = again(made, "b", wants=(1,), wanted_kwh=[1.6], tolerance_kwh=[0.3])
    assert exact.none == (1,)


def test_the_number_of_leases_and_the_least_gain_are_the_requesters() -> None:
    made = maker(per_slot=True)
    answer = again(made, "a", wants=(0, 1), leases_max=2)
    assert [one.slot for one in answer.leases] == [0, 1]
    made = maker(per_slot=True)
    assert len(again(made, "a", wants=(0, 1), leases_max=1).leases) == 1
    # a gains 2 * (3 - 2) = 2 with c and 1 * (3 - 1) = 2 with b.
    made = maker()
    assert again(made, "a", wants=(0,), min_gain_kwh2=2.0).none == (0,)
    assert again(made, "a", 3, wants=(0,), min_gain_kwh2=1.9).leases


def test_closings_reach_the_ledger_with_household_and_round() -> None:
    made = maker()
    (lease,) = again(made, "a", wants=(0,)).leases
    again(made, "b", closed=(Closed(lease.id, "void"),))  # a stranger
    assert again(made, "a", 3, wants=(0,)).engaged
    again(made, "c", closed=(Closed(lease.id, "for now"),), round=4)
    for round, partner, number in ((4, "b", 4), (5, "c", 6)):
        (other,) = again(made, "a", number, wants=(0,), round=round).leases
        assert other.partner == home(partner)
        again(made, "a", number + 1, closed=(Closed(other.id, "void"),))


def test_closings_come_after_new_offers() -> None:
    """Otherwise, the new offer of c, sent together with its refusal, would make it a partner
    again."""
    made = maker()
    (lease,) = again(made, "a", wants=(0,)).leases
    again(
        made, "c", slots=(0,), values_kwh=[2.0], limits_kwh=[-2.5], disclosure="limit",
        closed=(Closed(lease.id, "refused"),),
    )  # fmt: skip
    assert again(made, "a", 3, wants=(0,)).leases[0].partner == home("b")


def test_a_lookup_may_ask_at_the_same_time_as_it_enters() -> None:
    made = maker()
    answer = ask(
        made,
        "e",
        lookup(slots=(1,), values_kwh=[0.0], disclosure="limit", limits_kwh=[3.0], wants=(1, 0)),
    )
    assert [(one.slot, one.partner.name) for one in answer.leases] == [(1, "c")]


@pytest.mark.parametrize(
    "fields",
    [
        {"slots": (0,)},
        {"values_kwh": [1.0]},
        {"slots": (0,), "values_kwh": [1.0, 2.0]},
        {"slots": (0,), "values_kwh": [1.0], "limits_kwh": [1.0]},  # disclosure value
        {"slots": (0,), "values_kwh": [1.0], "disclosure": "limit"},
        {"slots": (0,), "values_kwh": [1.0], "disclosure": "direction"},
        {"slots": (0,), "values_kwh": [1.0], "disclosure": "limit", "limits_kwh": [1.0, 2.0]},
        {"wants": (0,), "wanted_kwh": [1.0]},
        {"wants": (0,), "wanted_kwh": [1.0], "tolerance_kwh": [1.0, 2.0]},
        {"wants": (0,), "wanted_kwh": [1.0, 2.0], "tolerance_kwh": [1.0]},
        {"wants": (0,), "wanted_kwh": [1.0, 2.0], "tolerance_kwh": [1.0, 2.0]},
        {"wants": (0,), "tolerance_kwh": [1.0]},
        {"tolerance_kwh": [1.0]},
        {"wanted_kwh": [1.0], "tolerance_kwh": [1.0]},
    ],
)
def test_lists_of_wrong_lengths_are_refused_and_change_nothing(fields: dict[str, Any]) -> None:
    made = maker()
    known = made.ledger.summary()
    with pytest.raises(PeerError, match="lists do not fit"):
        again(made, "a", **fields)
    with pytest.raises(PeerError, match="lists do not fit"):
        ask(made, "a", lookup(2, **fields))
    assert made.ledger.summary() == known
    assert made.answered == 3
    assert again(made, "a", wants=(0,)).leases


@pytest.mark.parametrize("slots", [(-1,), (2,), (0, 2), (-1, 1)])
@pytest.mark.parametrize("where", ["slots", "withdrawn", "wants"])
def test_slots_beyond_the_run_are_refused(where: str, slots: tuple[int, ...]) -> None:
    fields: dict[str, Any] = {"values_kwh": [0.0] * len(slots) if where == "slots" else []}
    with pytest.raises(PeerError, match="beyond the 2 slots"):
        again(maker(), "a", **{**fields, where: slots})


def test_other_messages_are_refused() -> None:
    with pytest.raises(PeerError, match="Abort is not for a matchmaker"):
        maker().handle(Envelope(home("a"), MAKER, Abort("")), 0.0)
