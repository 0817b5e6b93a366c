"""A household's conversation with a matchmaker that serves in waves."""

from agents.exchange.matchmaker_client import WAVE_WAIT_SECONDS, MatchmakerClient
from agents.retransmission import FIRST_WAIT_SECONDS
from protocol.messages.exchange import Closed, LeaseId
from tests.support.client_lookups import SLOTS, client, holding, lease, lookup_of, match, sent


def in_waves(*, due: int = SLOTS) -> MatchmakerClient:
    """A client that has announced its offers, and now begins a round with so many slots due."""
    own = client(waves=True)
    own.announce()
    own.heard(match(sent(own)), 0.0)
    own.ask(range(due))
    return own


def test_a_lookup_names_all_slots_that_are_due() -> None:
    assert sent(in_waves()).wants == tuple(range(SLOTS))


def test_every_round_has_a_lookup_even_without_news_or_wishes() -> None:
    own = in_waves(due=0)
    assert not own.idle
    lookup = sent(own)
    assert (lookup.wants, lookup.slots, lookup.closed) == ((), (), ())
    own.heard(match(lookup), 0.0)
    assert own.idle
    assert lookup_of(own) is None


def test_an_answer_without_leases_has_another_lookup_follow() -> None:
    own = in_waves(due=2)
    own.heard(match(sent(own), none=(0, 1)), 0.0)
    assert not own.idle
    assert sent(own).wants == ()
    own = in_waves(due=1)
    own.heard(match(sent(own), leases=(lease(0),)), 0.0)
    assert own.idle


def test_news_goes_out_under_the_number_of_the_lookup_that_waits() -> None:
    own = in_waves(due=3)
    first = sent(own)
    assert lookup_of(own) is None
    own.closed.append(Closed(LeaseId(7, 1), "done"))
    own.changed.add(5)
    second = sent(own)
    assert (second.number, second.wants) == (first.number, first.wants)
    assert second.closed == (Closed(LeaseId(7, 1), "done"),)
    assert second.slots == (5,)
    own.closed.append(Closed(LeaseId(7, 2), "refused"))
    third = sent(own)
    assert [closed.lease.number for closed in third.closed] == [1, 2]
    assert third.slots == (5,)


def test_news_that_the_answer_may_not_know_is_told_once_more() -> None:
    own = in_waves(due=3)
    sent(own)
    own.closed.append(Closed(LeaseId(7, 1), "done"))
    second = sent(own)
    own.heard(match(second, leases=(lease(0),)), 0.0)
    last = sent(own)
    assert last.number == second.number + 1
    assert last.closed == second.closed
    own.heard(match(last, none=(1, 2)), 0.0)
    assert sent(own).closed == ()


def test_slots_of_both_versions_may_be_found() -> None:
    own, held = in_waves(due=2), holding()
    sent(own, held)
    own.due = [1]
    own.closed.append(Closed(LeaseId(7, 1), "done"))
    assert sent(own, held).wants == (1,)
    assert own.asked == {0, 1}
    last = own.outstanding
    assert last is not None
    own.heard(match(last), 0.0)
    own.ask([3])
    sent(own, held)
    assert own.asked == {3}


def test_only_a_lookup_that_may_wait_is_repeated_late() -> None:
    own = in_waves(due=1)
    sent(own, now=10.0)
    assert own.wake == 10.0 + WAVE_WAIT_SECONDS
    own = in_waves(due=0)
    sent(own, now=10.0)
    assert own.wake == 10.0 + FIRST_WAIT_SECONDS
