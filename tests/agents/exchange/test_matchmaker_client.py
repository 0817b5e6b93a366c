"""A household's conversation with one matchmaker: the contents of a lookup, and the time of the
next."""

from typing import Any

import numpy as np
import pytest

from agents.exchange.matchmaker_client import REST, REST_AT_MOST
from agents.mandate import Mandate
from agents.retransmission import EXCHANGE_MAX_WAIT_SECONDS, NEVER
from protocol.codec import encode_message
from protocol.errors import PeerError
from protocol.messages import Lookup, Match
from protocol.messages.exchange import Closed, LeaseId
from tests.support.client_lookups import (
    SLOTS,
    client,
    holding,
    lease,
    lookup_of,
    match,
    sent,
)


def test_the_first_lookup_has_all_offers() -> None:
    own, held = client(), holding()
    own.announce()
    own.closed.append(Closed(LeaseId(7, 1), "done"))
    assert not own.idle
    assert not own.informed
    lookup = sent(own, held)
    expected = Lookup(
        session=3,
        number=1,
        epoch=0,
        round=2,
        limits_bind=True,
        disclosure="limit",
        slots=tuple(range(SLOTS)),
        values_kwh=np.arange(1.0, SLOTS + 1),
        limits_kwh=np.full(SLOTS, 8.0),
        withdrawn=(),
        closed=(Closed(LeaseId(7, 1), "done"),),
        wants=(),
        wanted_kwh=np.array([]),
        tolerance_kwh=np.array([]),
        min_gain_kwh2=0.25,
        leases_max=4,
    )
    assert encode_message(lookup) == encode_message(expected)
    assert own.outstanding is lookup
    assert (own.changed, own.closed) == (set(), [])
    assert not own.idle
    assert not own.informed
    assert own.heard(match(lookup), 0.0) is lookup
    assert own.idle
    assert own.informed


@pytest.mark.parametrize(
    ("terms", "wanted", "tolerance", "limits"),
    [
        ({}, [], [], [8.0]),
        ({"disclosure": "direction"}, [5.0], [4.0], [1.0]),
        ({"disclosure": "value"}, [5.0], [4.0], []),
        ({"tolerance_kwh": 0.5}, [5.0], [0.5], [8.0]),
    ],
)
def test_a_lookup_discloses_what_the_terms_require(
    terms: dict[str, Any], wanted: list[float], tolerance: list[float], limits: list[float]
) -> None:
    own = client()
    own.changed.add(0)
    own.ask([0])
    lookup = sent(own, holding(**terms))
    assert lookup.wants == (0,)
    assert lookup.wanted_kwh.tolist() == wanted
    assert lookup.tolerance_kwh.tolist() == tolerance
    assert lookup.limits_kwh.tolist() == limits
    assert lookup.disclosure == terms.get("disclosure", "limit")


def test_old_offers_are_withdrawn_from_a_matchmaker_that_knows_them() -> None:
    own, held = client(), holding(Mandate(never=frozenset({1})))
    own.changed.update({1, 2})
    lookup = sent(own, held)
    assert (lookup.epoch, lookup.slots, lookup.withdrawn) == (0, (2,), ())
    own.heard(match(lookup), 0.0)
    own.changed.update({1, 2, 0})
    lookup = sent(own, held)
    assert (lookup.epoch, lookup.number) == (7, 2)
    assert (lookup.slots, lookup.withdrawn) == ((0, 2), (1,))
    assert lookup.values_kwh.tolist() == [1.0, 3.0]


def test_a_restarted_matchmaker_gets_all_offers() -> None:
    own = client()
    own.ask([0])
    first = sent(own)
    assert own.heard(match(first, anew=True, none=(0,)), 0.0) is first
    assert own.due == [0], "nothing was looked for"
    again = sent(own)
    assert (again.epoch, again.slots, again.wants) == (0, tuple(range(SLOTS)), (0,))
    own.heard(match(again, none=(0,)), 0.0)
    own.announce()
    assert sent(own).epoch == 0


def test_no_lookup_without_changes_or_wanted_slots() -> None:
    own = client()
    assert own.idle
    assert own.informed
    assert lookup_of(own) is None
    own.ask([0])
    assert not own.idle
    assert own.informed
    assert lookup_of(own, room=0) is None, "no further lease may be opened"
    assert own.number == 0
    assert sent(own, room=1).leases_max == 1
    assert lookup_of(own) is None, "one lookup at a time"


def test_changes_are_sent_without_room_for_leases() -> None:
    own = client()
    own.ask([0])
    own.changed.add(0)
    lookup = sent(own, room=0)
    assert (lookup.slots, lookup.wants, lookup.leases_max) == ((0,), (), 0)


def test_closed_leases_are_sent_without_other_changes() -> None:
    own = client()
    own.closed.append(Closed(LeaseId(7, 1), "void"))
    assert not own.idle
    assert not own.informed
    assert sent(own).closed == (Closed(LeaseId(7, 1), "void"),)


def test_the_number_of_slots_looked_up_doubles_without_a_match() -> None:
    own = client()
    own.ask(range(20))
    first = sent(own)
    assert first.wants == tuple(range(8))
    own.heard(match(first, none=tuple(range(8))), 0.0)
    assert own.due == list(range(8, 20))
    second = sent(own)
    assert second.wants == tuple(range(8, 20)), "16 at most"
    assert second.number == 2
    own.due += range(8)
    own.heard(match(second, none=(8,), leases=(lease(9),)), 0.0)
    assert own.due == [*range(10, 20), *range(8)]
    assert sent(own).wants == tuple(range(10, 18)), "few again, since something was found"


def test_doubling_does_not_look_up_all_slots() -> None:
    own = client()
    own.ask(range(20))
    own.heard(match(sent(own), none=(0,)), 0.0)
    assert sent(own).wants == tuple(range(1, 17))


def test_a_new_round_starts_with_few_slots() -> None:
    own = client()
    own.ask(range(8))
    own.heard(match(sent(own), none=tuple(range(8))), 0.0)
    own.ask(range(20))
    assert sent(own).wants == tuple(range(8))


def test_a_slot_that_is_no_longer_wanted_is_not_looked_up() -> None:
    own, held = client(), holding()
    held.take(0, held.preferred[0])
    held.take(9, held.preferred[9])
    own.ask(range(12))
    lookup = sent(own, held)
    assert lookup.wants == tuple(range(1, 9))
    assert own.due == [*range(1, 9), 9, 10, 11]
    own.heard(match(lookup, busy=(3,), none=(1, 2)), 0.0)
    assert own.due == [4, 5, 6, 7, 8, 9, 10, 11, 3], "whoever is busy comes last"


def test_the_rest_doubles_while_all_partners_are_busy() -> None:
    own, now, rests = client(), 10.0, []
    own.ask([0, 1])
    for _ in range(7):
        lookup = sent(own, now=now)
        assert lookup.wants == (0, 1)
        own.heard(match(lookup, busy=(0, 1)), now)
        assert own.due == [0, 1]
        rests.append(own.resting - now)
        assert own.wake == own.resting
        assert lookup_of(own, now=own.resting - 0.001) is None
        now = own.resting
    assert rests == pytest.approx([REST, 0.1, 0.2, 0.4, 0.8, REST_AT_MOST, REST_AT_MOST])
    lookup = sent(own, now=now)
    own.heard(match(lookup, leases=(lease(0),), busy=(1,)), now)
    lookup = sent(own, now=now)
    assert lookup.wants == (1,), "a lease ends the rest"
    own.heard(match(lookup, busy=(1,)), now)
    assert own.resting == pytest.approx(now + REST)


def test_a_new_round_ends_a_rest() -> None:
    own = client()
    for _ in range(2):
        own.ask([0])
        lookup = sent(own, now=1.0)
        own.heard(match(lookup, busy=(0,)), 1.0)
        assert own.resting == pytest.approx(1.0 + REST)
    own.ask([0])
    assert own.resting == 0.0
    assert own.wake == NEVER


def test_a_household_rests_if_all_others_or_itself_are_busy() -> None:
    own = client()
    own.ask(range(9))
    own.heard(match(sent(own), busy=tuple(range(8))), 1.0)
    assert own.resting == 0.0, "slot 8 was not looked up yet"
    own.ask(range(9))
    own.heard(match(sent(own), engaged=True), 1.0)
    assert own.resting == pytest.approx(1.0 + REST)
    assert own.due == list(range(9))


def test_a_rest_without_a_due_slot_sets_no_deadline() -> None:
    own = client(resting=5.0)
    assert own.wake == NEVER
    own.due.append(1)
    assert own.wake == 5.0
    assert lookup_of(own, now=4.9) is None
    assert own.resting == 5.0
    assert sent(own, now=5.0).wants == (1,)
    assert own.resting == 0.0


def test_changes_alone_do_not_affect_the_slots_looked_up() -> None:
    own = client()
    own.ask(range(20))
    own.changed.add(0)
    own.heard(match(sent(own, room=0), engaged=True), 1.0)
    assert own.resting == 0.0
    assert own.due == list(range(20))
    assert sent(own).wants == tuple(range(8))


def test_a_lookup_is_repeated_until_it_is_answered() -> None:
    own = client()
    own.changed.add(0)
    lookup = sent(own, now=10.0)
    assert own.wake == 10.5
    assert own.repeat(10.4) is None
    assert own.repeat(10.5) is lookup
    assert own.wake == 11.5
    now = 11.5
    for wait in (2.0, 4.0, EXCHANGE_MAX_WAIT_SECONDS, EXCHANGE_MAX_WAIT_SECONDS):
        assert own.repeat(now) is lookup
        assert own.wake == now + wait
        now = own.wake
    assert own.heard(match(lookup), now) is lookup
    assert own.wake == NEVER
    assert own.repeat(now + 100) is None
    assert own.heard(match(lookup), now) is None, "a repetition"


def test_the_wait_adapts_to_the_time_of_the_last_answer() -> None:
    own = client()
    own.changed.add(0)
    own.heard(match(sent(own, now=10.0)), 11.0)
    own.changed.add(0)
    sent(own, now=20.0)
    assert own.wake == 23.0


def test_an_answer_to_another_lookup_is_ignored() -> None:
    own = client()
    assert own.heard(match(Lookup(**LOOKUP_FIELDS)), 0.0) is None
    own.changed.add(0)
    lookup = sent(own)
    for session, number in ((2, 1), (3, 0), (3, 2)):
        other = Match(session, number, 9, False, False, (), (), ())
        assert own.heard(other, 0.0) is None
    assert own.outstanding is lookup


LOOKUP_FIELDS: dict[str, Any] = {
    "session": 3,
    "number": 0,
    "epoch": 0,
    "round": 0,
    "limits_bind": True,
    "disclosure": "limit",
    "slots": (),
    "values_kwh": np.array([]),
    "limits_kwh": np.array([]),
    "withdrawn": (),
    "closed": (),
    "wants": (),
    "wanted_kwh": np.array([]),
    "tolerance_kwh": np.array([]),
    "min_gain_kwh2": 0.0,
    "leases_max": 0,
}


@pytest.mark.parametrize(
    "said", [{"busy": (1,)}, {"none": (1,)}, {"busy": (0, 0)}, {"none": (0,), "busy": (0,)}]
)
def test_an_answer_about_other_slots_is_refused_and_changes_nothing(said: dict[str, Any]) -> None:
    own = client()
    own.ask([0])
    lookup = sent(own)
    with pytest.raises(PeerError, match="what was not looked up"):
        own.heard(match(lookup, **said), 11.0)
    assert own.outstanding == lookup
    assert own.due == [0]
    assert own.heard(match(lookup, busy=(0,)), 11.0) == lookup
