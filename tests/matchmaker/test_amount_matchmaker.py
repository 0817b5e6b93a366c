"""The matchmaker for amounts: who is found, who is busy, and what it remembers."""

from collections.abc import Sequence

import numpy as np
import pytest

from matchmaker.amount_matchmaker import AmountMatchmaker
from protocol.errors import PeerError
from protocol.messages import Address, AmountLookup, AmountMatch, NextRound
from protocol.messages.amounts import PARTNERS_MAX, LeaseEnd
from protocol.messages.exchange import LeaseId
from protocol.runtime.machine import Envelope
from protocol.vectors import Array

SLOTS, SECONDS, EPOCH = 48, 10.0, 7
MAKER = Address("maker", "maker")
NOTHING = np.zeros(0)


def at(slot: int, kwh: float) -> Array:
    amounts = np.zeros(SLOTS)
    amounts[slot] = kwh
    return amounts


class Talker:
    """A household that talks to a matchmaker."""

    def __init__(self, maker: AmountMatchmaker, name: str, feeder: int = 0) -> None:
        self.maker, self.address, self.number, self.epoch = maker, Address("host", name), 0, 0
        self.feeder = feeder

    def say(
        self,
        *,
        up: Array = NOTHING,
        down: Array = NOTHING,
        want: tuple[Array, Array] = (NOTHING, NOTHING),
        ended: Sequence[LeaseEnd] = (),
        without: Sequence[str] = (),
        whole: bool = False,
        now: float = 0.0,
        round: int = 1,
    ) -> AmountMatch:
        self.number += 1
        lookup = AmountLookup(
            session=1,
            number=self.number,
            epoch=self.epoch,
            round=round,
            up_kwh=up,
            down_kwh=down,
            ended=tuple(ended),
            want_up_kwh=want[0],
            want_down_kwh=want[1],
            whole=whole,
            without=tuple(without),
            feeder=self.feeder,
        )
        (answer,) = self.maker.handle(Envelope(self.address, MAKER, lookup), now)
        assert isinstance(answer.message, AmountMatch)
        self.epoch = 0 if answer.message.anew else answer.message.epoch
        return answer.message


WANT = at(4, 1.0), at(20, 1.0)
"""More in slot 4, less in slot 20."""


@pytest.fixture
def maker() -> AmountMatchmaker:
    return AmountMatchmaker(MAKER, SLOTS, EPOCH, lease_seconds=SECONDS)


def four(maker: AmountMatchmaker) -> list[Talker]:
    """Return a, which wants something, and b, c, d, which announce 0.5, 1 and 2 kWh for it."""
    talkers = [Talker(maker, name) for name in "abcd"]
    for talker, kwh in zip(talkers, (0.0, 0.5, 1.0, 2.0), strict=True):
        assert talker.say(up=at(20, kwh), down=at(4, kwh)).found == "nothing asked"
    return talkers


def partner(match: AmountMatch) -> str:
    assert match.lease is not None
    return match.lease.partner.name


def test_the_partner_is_the_one_who_can_do_most_and_of_equals_the_first(
    maker: AmountMatchmaker,
) -> None:
    a, *_ = four(maker)
    match = a.say(want=WANT)
    assert partner(match) == "c"  # d announces more than is wanted, so it is no better
    assert match.down_kwh.tolist() == at(4, 1.0).tolist()
    assert match.up_kwh.tolist() == at(20, 1.0).tolist()
    assert partner(a.say(want=WANT, without=["c"])) == "d"
    assert partner(a.say(want=WANT, without=["c", "d"])) == "b"
    assert a.say(want=WANT, without=["b", "c", "d"]).found == "none"


def test_partners_are_at_the_same_feeder(maker: AmountMatchmaker) -> None:
    a, b, c = (Talker(maker, name, feeder) for name, feeder in (("a", 1), ("b", 2), ("c", 1)))
    for talker, kwh in ((a, 0.0), (b, 2.0), (c, 0.5)):
        talker.say(up=at(20, kwh), down=at(4, kwh))
    assert partner(a.say(want=WANT)) == "c"
    assert a.say(want=WANT, without=["c"]).found == "none"
    # Many more households make the book grow; each stays at its feeder.
    others = [Talker(maker, f"n{number:02}", number % 3) for number in range(40)]
    for talker in others:
        talker.say(up=at(20, 1.0), down=at(4, 1.0))
    found = {partner(other.say(want=WANT, round=2)) for other in others[:3]}
    assert found == {"b", "n03", "n04"}


def test_nobody_sits_on_more_leases_than_a_whole_has_partners(maker: AmountMatchmaker) -> None:
    """Whoever takes one partner after another, and never ends a lease."""
    a = Talker(maker, "a")
    a.say(up=at(20, 0.0), down=at(4, 0.0))
    others = [Talker(maker, f"n{number:02}") for number in range(PARTNERS_MAX + 3)]
    for talker in others:
        talker.say(up=at(20, 1.0), down=at(4, 1.0))
    taken: list[str] = []
    for _ in range(PARTNERS_MAX):
        taken.append(partner(a.say(want=WANT, without=taken)))
    assert taken == [talker.address.name for talker in others[:PARTNERS_MAX]]
    assert [a.say(want=WANT, without=taken).found for _ in range(3)] == ["busy"] * 3
    assert partner(others[-1].say(want=WANT)) == f"n{PARTNERS_MAX:02}", "others are served"
    assert a.say(want=WANT, now=SECONDS).found == "match", "those have run out"


def test_who_moves_the_other_way_is_no_partner(maker: AmountMatchmaker) -> None:
    a, *_ = four(maker)
    assert a.say(want=(WANT[1], WANT[0])).found == "none"


def test_both_homes_are_busy_until_the_requester_reports_the_end(maker: AmountMatchmaker) -> None:
    a, b, c, d = four(maker)
    lease = a.say(want=WANT, without=["d"]).lease
    assert lease is not None
    assert c.say(want=(at(4, 1.0), at(20, 1.0))).found == "engaged"
    assert partner(d.say(want=WANT)) == "b"
    assert Talker(maker, "e").say(want=WANT, up=at(1, 1.0), down=at(2, 1.0)).found == "busy"
    a.say(ended=[LeaseEnd(lease=lease.id, ending="void", left=(), entered=())])
    assert c.say(want=WANT).found == "busy"  # free again, but b and d are not
    assert b.say(want=WANT).found == "engaged"


def test_a_lease_expires(maker: AmountMatchmaker) -> None:
    a, _, c, _ = four(maker)
    a.say(want=WANT)
    assert maker.next_deadline() == SECONDS
    maker.tick(SECONDS)
    assert maker.ledger.counts.expired == 1
    assert c.say(want=WANT, now=SECONDS).found == "match"


def test_a_refusal_counts_for_its_hours_until_the_partner_announces_more(
    maker: AmountMatchmaker,
) -> None:
    a, _, c, _ = four(maker)
    lease = a.say(want=WANT).lease
    assert lease is not None
    end = LeaseEnd(lease=lease.id, ending="refused", left=(2,), entered=(10,))
    assert partner(a.say(want=WANT, ended=[end])) == "d"
    a.say(ended=[LeaseEnd(lease=LeaseId(EPOCH, 2), ending="void", left=(), entered=())])
    c.say(up=at(20, 1.0), down=at(4, 1.0))
    lease = a.say(want=WANT).lease
    assert lease is not None
    assert lease.partner.name == "d"
    a.say(ended=[LeaseEnd(lease=lease.id, ending="void", left=(), entered=())])
    c.say(up=at(20, 1.5), down=at(4, 1.0))
    assert partner(a.say(want=WANT)) == "c"


def test_refusals_are_forgotten_in_the_first_round_for_all(maker: AmountMatchmaker) -> None:
    a, *_ = four(maker)
    a.say(want=WANT, round=2)
    end = LeaseEnd(lease=LeaseId(EPOCH, 1), ending="refused", left=(2,), entered=(10,))
    assert partner(a.say(want=WANT, ended=[end], round=2)) == "d"
    a.say(ended=[LeaseEnd(lease=LeaseId(EPOCH, 2), ending="void", left=(), entered=())], round=2)
    assert partner(a.say(want=WANT, round=3)) == "c"


def test_a_whole_is_not_begun_if_all_together_announce_too_little(maker: AmountMatchmaker) -> None:
    a, *_ = four(maker)
    too_much = at(4, 4.2), at(20, 4.2)  # b, c and d announce 3.5, which may mean 4.16
    assert a.say(want=too_much, whole=True).found == "none"
    assert a.say(want=(at(4, 4.1), at(20, 4.1)), whole=True, without=["b"]).found == "none"
    assert partner(a.say(want=(at(4, 4.1), at(20, 4.1)), whole=True)) == "d"


def test_less_than_all_is_wanted_unless_it_is_a_whole(maker: AmountMatchmaker) -> None:
    a, *_ = four(maker)
    assert partner(a.say(want=(at(4, 5.0), at(20, 5.0)))) == "d"


def test_a_whole_needs_room_in_every_slot(maker: AmountMatchmaker) -> None:
    a, *_ = four(maker)
    elsewhere = at(4, 1.0), at(20, 0.5) + at(21, 0.5)
    assert a.say(want=elsewhere, whole=True).found == "none"
    assert a.say(want=elsewhere).found == "match"


def test_a_partner_that_suits_in_nothing_is_not_found_again(maker: AmountMatchmaker) -> None:
    a, *_ = four(maker)
    lease = a.say(want=WANT).lease
    assert lease is not None
    declined = LeaseEnd(lease=lease.id, ending="declined", left=(), entered=())
    assert partner(a.say(want=WANT, ended=[declined])) == "d"


def test_nobody_ends_the_lease_of_another(maker: AmountMatchmaker) -> None:
    a, b, c, _ = four(maker)
    lease = a.say(want=WANT).lease
    assert lease is not None
    b.say(ended=[LeaseEnd(lease=lease.id, ending="void", left=(), entered=())])
    assert c.say(want=WANT).found == "engaged"


def test_a_repeated_lookup_has_the_same_answer_and_changes_nothing(
    maker: AmountMatchmaker,
) -> None:
    a, *_ = four(maker)
    first = a.say(want=WANT)
    a.number -= 1
    assert a.say(want=WANT).lease == first.lease
    assert maker.ledger.counts.matches == 1
    a.number -= 2
    with pytest.raises(ValueError, match="not enough values"):
        a.say(want=WANT)  # an older one has none


def test_who_is_unknown_enters_anew(maker: AmountMatchmaker) -> None:
    a = Talker(maker, "a")
    a.epoch = EPOCH - 1
    assert a.say(want=WANT).anew
    assert a.say(up=at(1, 1.0), down=at(2, 1.0), want=WANT).found == "none"


def test_a_household_that_restarts_gives_up_its_leases(maker: AmountMatchmaker) -> None:
    a, _, c, _ = four(maker)
    a.say(want=WANT)
    a.epoch = 0
    a.say(up=at(1, 0.0), down=at(1, 0.0))
    assert c.say(want=WANT).found == "match"


@pytest.mark.parametrize(
    ("up", "down"), [(at(1, 1.0), NOTHING), (np.zeros(3), np.zeros(3)), (at(1, -1.0), at(1, 0.0))]
)
def test_lists_that_do_not_fit_are_refused(maker: AmountMatchmaker, up: Array, down: Array) -> None:
    a = Talker(maker, "a")
    with pytest.raises(PeerError):
        a.say(up=up, down=down)
    with pytest.raises(PeerError):
        a.say(want=(up, down))


def test_other_messages_are_not_for_it(maker: AmountMatchmaker) -> None:
    with pytest.raises(PeerError, match="is not for a matchmaker of amounts"):
        maker.handle(Envelope(Address("host", "a"), MAKER, NextRound(1, (), 0.0)), 0.0)


def test_the_summary_names_nobody(maker: AmountMatchmaker) -> None:
    a, *_ = four(maker)
    a.say(want=WANT)
    summary = maker.ledger.summary()
    assert summary["households"] == 4
    assert summary["offers"] == 6
    assert summary["open"] == 1
