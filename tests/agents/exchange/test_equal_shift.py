"""The equal shift: its arithmetic, its part of the mandate, and its messages between households."""

import numpy as np
import pytest

from agents.exchange.equal_shift import EqualShift, count_rounds, divide, excess_of, taking
from agents.exchange.journal.entries import MemoryJournal
from agents.exchange.journal.explanation import explain, sentences
from agents.exchange.journal.records import Setting
from agents.mandate import FREE, Mandate
from protocol.errors import PeerError
from protocol.messages import Address, Excess, Shares
from protocol.messages.equal_shift import UNIT_KWH
from protocol.runtime.machine import Envelope
from protocol.terms import ExchangeTerms
from protocol.vectors import AMOUNT_MAX, Int64Array

ROOT, LEFT, RIGHT = (Address("host", name) for name in ("root", "left", "right"))
TERMS = ExchangeTerms(equal_shift=True)


def ints(*values: int) -> Int64Array:
    return np.array(values, np.int64)


def shift(
    place: Address,
    planned: list[float],
    preferred: list[float],
    *,
    journal: MemoryJournal | None = None,
    mandate: Mandate = FREE,
    attempt: int = 1,
) -> EqualShift:
    """Return the root of three households, or one of its children."""
    root = place == ROOT
    return EqualShift(
        place,
        Setting(None if root else ROOT, (LEFT, RIGHT) if root else (), (), TERMS, attempt=attempt),
        schedule=np.array(planned),
        preferred=np.array(preferred),
        journal=MemoryJournal() if journal is None else journal,
        mandate=mandate,
    )


def said(sender: Address, message: Excess | Shares, to: Address = ROOT) -> Envelope:
    return Envelope(sender, to, message)


@pytest.mark.parametrize("seed", range(50))
def test_shares_are_divided_without_a_rest_and_equally(seed: int) -> None:
    chance = np.random.default_rng(seed)
    takers = chance.integers(0, 6, (chance.integers(1, 7), 9))
    everybody = takers.sum(0)
    shares = np.where(everybody, chance.integers(-(10 ** chance.integers(1, 13)), 10**3, 9), 0)
    parts = divide(shares, list(takers))
    assert (np.sum(parts, axis=0) == shares).all()
    least = shares // np.maximum(everybody, 1)
    for part, number in zip(parts, takers, strict=True):
        assert (least * number <= part).all()
        assert (part <= (least + 1) * number).all()


def test_three_households_share_what_is_planned_beyond_what_they_prefer() -> None:
    root = shift(ROOT, [3.0, 1.0], [0.0, 1.0])
    left = shift(LEFT, [1.0, 1.0], [1.0, 4.0])
    right = shift(RIGHT, [2.0, 0.5], [2.0, 0.5])
    assert root.start(0.0) == []
    (up,) = left.start(0.0)
    assert isinstance(up.message, Excess)
    assert (up.message.households, up.message.excess.tolist()) == (1, [0, -3 * 2**20])
    assert root.missing == (LEFT, RIGHT)
    assert root.handle(up, 1.0) == []
    downs = root.handle(right.start(0.0)[0], 2.0)
    for down, child in zip(downs, (left, right), strict=True):
        assert child.missing == (ROOT,)
        assert child.handle(down, 3.0) == []
        assert child.handle(down, 4.0) == []  # a repetition changes nothing
    assert root.schedule.tolist() == [1.0, 0.0]
    assert left.schedule.tolist() == [2.0, 3.0]
    assert right.schedule.tolist() == [3.0, -0.5]
    assert [one.clipped for one in (root, left, right)] == [(0, 0.0), (0, 0.0), (1, 0.5)]
    assert [one.counts.messages for one in (root, left, right)] == [2, 1, 1]
    assert [count.messages for count in root.counted] == [0, 4]
    assert all(one.finished for one in (root, left, right))


def test_an_unanswered_sum_is_repeated_and_a_repeated_one_is_answered_again() -> None:
    left, root = shift(LEFT, [1.0], [0.0]), shift(ROOT, [0.0], [0.0])
    root.start(0.0)
    (up,) = left.start(0.0)
    deadline = left.next_deadline()
    assert deadline is not None
    assert left.tick(deadline - 0.01) == []
    assert left.tick(deadline) == [up]
    root.handle(up, 1.0)
    answers = root.handle(said(RIGHT, Excess(1, ints(1), ints(2**20))), 1.0)
    assert root.handle(up, 9.0) == answers[:1]
    assert left.handle(answers[0], 2.0) == []
    assert left.next_deadline() is None
    assert left.tick(99.0) == []


def test_after_a_crash_the_answer_is_the_same_and_the_schedule_changes_once() -> None:
    journal = MemoryJournal()
    root = shift(ROOT, [1.0], [0.0], journal=journal)
    root.start(0.0)
    for child in (LEFT, RIGHT):
        answers = root.handle(said(child, Excess(1, ints(1), ints(5))), 1.0)
    journal.commit()
    again, out = EqualShift.resume(ROOT, journal.entries()["root"], journal, 2.0)
    assert out == []
    assert again.schedule.tolist() == root.schedule.tolist() != [1.0]
    assert again.counted == root.counted
    repeated = again.handle(said(RIGHT, Excess(1, ints(1), ints(5))), 3.0)
    assert repeated[0].message == answers[1].message


def test_a_household_that_crashed_before_adds_up_anew() -> None:
    journal = MemoryJournal()
    left = shift(LEFT, [1.0], [0.0], journal=journal)
    (up,) = left.start(0.0)
    journal.commit()
    again, out = EqualShift.resume(LEFT, journal.entries()["left"], journal, 2.0)
    assert out == [up]
    assert not again.finished
    journal.commit()
    last = journal.entries()["left"][-1]
    assert (last.kind, last.round, last.data) == ("resume", -1, b"")


@pytest.mark.parametrize(
    ("mandate", "takes"),
    [
        (FREE, [1, 1, 1]),
        (Mandate(never=frozenset({1})), [1, 0, 1]),
        (Mandate(exchange=False), [0, 0, 0]),
        (Mandate(rule="mutual"), [0, 0, 0]),
        (Mandate(discomfort=0.5), [0, 0, 0]),
        (Mandate(energy_drift=0.0), [0, 0, 0]),
        (Mandate(tolerance=0.1, disclosure="value"), [1, 1, 1]),
    ],
)
def test_a_mandate_that_restricts_exchanges_keeps_its_household_out(
    mandate: Mandate, takes: list[int]
) -> None:
    assert taking(mandate, 3).tolist() == takes
    assert taking(mandate, 3).dtype == np.int64
    root = shift(ROOT, [3.0, 3.0, 3.0], [0.0, 0.0, 0.0], mandate=mandate)
    root.start(0.0)
    for child in (LEFT, RIGHT):
        root.handle(said(child, Excess(1, ints(1, 1, 1), ints(0, 0, 0))), 1.0)
    assert root.schedule.tolist() == [1.0 if slot else 3.0 for slot in takes]


def test_excess_is_in_whole_units_and_has_a_limit() -> None:
    planned, preferred = np.array([1.0, 0.3]), np.array([0.75, 0.1])
    units = excess_of(planned, preferred, ints(1, 1))
    assert units[0] == 2**18
    assert units.dtype == np.int64
    assert abs(units[1] * UNIT_KWH - 0.2) <= UNIT_KWH / 2
    with pytest.raises(OverflowError):
        excess_of(np.array([1e12]), np.zeros(1), ints(1))


@pytest.mark.parametrize(
    ("sender", "message", "reason"),
    [
        (Address("host", "stranger"), Excess(1, ints(1), ints(0)), "not a child"),
        (LEFT, Excess(1, ints(1, 1), ints(0, 0)), "speaks of 2 slots"),
        (LEFT, Excess(1, ints(2), ints(0)), "more households than it has"),
        (LEFT, Shares(ints(0)), "not the parent"),
    ],
)
def test_what_no_honest_neighbour_says_is_refused(
    sender: Address, message: Excess | Shares, reason: str
) -> None:
    root = shift(ROOT, [1.0], [0.0])
    root.start(0.0)
    with pytest.raises(PeerError, match=reason):
        root.handle(said(sender, message), 1.0)


def test_messages_of_another_attempt_are_ignored() -> None:
    root, left = shift(ROOT, [1.0], [0.0]), shift(LEFT, [1.0], [0.0])
    root.start(0.0)
    left.start(0.0)
    root.handle(said(LEFT, Excess(1, ints(1), ints(0), attempt=2)), 1.0)
    left.handle(said(ROOT, Shares(ints(0), attempt=2), to=LEFT), 1.0)
    assert root.missing == (LEFT, RIGHT)
    assert not left.finished


def test_a_household_explains_its_part_from_its_journal() -> None:
    journal = MemoryJournal()
    root = shift(ROOT, [3.0], [0.0], journal=journal, mandate=Mandate(never=frozenset()))
    root.start(0.0)
    for child in (LEFT, RIGHT):
        root.handle(said(child, Excess(1, ints(1), ints(0))), 1.0)
    journal.commit()
    explanation = explain(journal.entries()["root"])
    assert (explanation.discomfort_planned, explanation.discomfort_exchanged) == (3.0, 1.0)
    told = sentences(explanation)
    assert told[0].startswith("root was part of an equal shift")
    assert "from 3 to 1" in told[1]
    assert len(told) == 2


def test_the_shift_counts_as_one_round_of_messages() -> None:
    """Two messages for each of two children; two vectors of 5 slots go up, and one comes down."""
    start, shifted = count_rounds(3, 5)
    assert sum(start) == start.households == 3
    assert shifted == start._replace(messages=4, frames=4, bytes=2 * 3 * 5 * 8)


def test_what_a_household_shows_before_and_after_the_shift() -> None:
    root = shift(ROOT, [3.0, 1.0], [0.0, 1.0])
    root.start(0.0)
    assert (root.finished, root.gathered, root.round, root.counted) == (False, False, -1, [])
    assert root.discomfort == pytest.approx(4.5**0.5)
    root.handle(said(LEFT, Excess(1, ints(1, 1), ints(0, 0))), 1.0)
    assert list(root.missing) == [RIGHT]
    root.handle(said(RIGHT, Excess(1, ints(1, 1), ints(0, 0))), 1.0)
    assert (root.finished, root.gathered, root.round) == (True, True, 0)
    assert list(root.missing) == []
    assert root.discomfort == pytest.approx(0.5**0.5)
    trace = root.trace
    assert (trace.rounds, trace.slots, trace.partners, trace.leases, trace.asked) == ((),) * 5
    assert len(trace.given_kwh) == len(trace.taken_kwh) == len(trace.gains_kwh2) == 0
    left = shift(LEFT, [1.0], [0.0])
    left.start(0.0)
    assert (left.finished, left.gathered, left.round) == (False, True, -1)


def test_messages_carry_the_number_of_the_attempt() -> None:
    root, left = (shift(place, [1.0], [0.0], attempt=3) for place in (ROOT, LEFT))
    root.start(0.0)
    (up,) = left.start(0.0)
    assert isinstance(up.message, Excess)
    assert (up.sender, up.to, up.message.attempt) == (LEFT, ROOT, 3)
    root.handle(up, 1.0)
    for down in root.handle(said(RIGHT, Excess(1, ints(1), ints(0), attempt=3)), 1.0):
        assert isinstance(down.message, Shares)
        assert (down.sender, down.message.attempt) == (ROOT, 3)


def test_shares_that_were_not_asked_for_are_refused() -> None:
    left, root = shift(LEFT, [1.0], [0.0]), shift(ROOT, [1.0], [0.0])
    with pytest.raises(PeerError, match="has not been added up"):
        left.handle(said(ROOT, Shares(ints(0)), to=LEFT), 1.0)
    left.start(0.0)
    with pytest.raises(PeerError, match="speaks of 2 slots"):
        left.handle(said(ROOT, Shares(ints(0, 0)), to=LEFT), 1.0)
    root.start(0.0)
    with pytest.raises(PeerError, match="more households than it has"):
        root.handle(said(LEFT, Excess(1, ints(-1), ints(0))), 1.0)


def test_the_largest_excess_can_be_added_up() -> None:
    most = AMOUNT_MAX * UNIT_KWH
    assert excess_of(np.array([most, -most]), np.zeros(2), ints(1, 1)).tolist() == [
        AMOUNT_MAX,
        -AMOUNT_MAX,
    ]
    with pytest.raises(OverflowError, match="too far"):
        excess_of(np.array([most + 2 * UNIT_KWH]), np.zeros(1), ints(1))


def test_only_slots_that_the_shift_pulls_below_zero_are_clipped() -> None:
    """The shift takes 3 kWh from each household at every slot. The second slot would be negative
    anyway, the third is never traded, and the fourth comes to just 0."""
    mandate = Mandate(never=frozenset({2}))
    root = shift(ROOT, [1.0, -1.0, -5.0, 3.0], [1.0, -1.0, 1.0, 3.0], mandate=mandate)
    assert root.clipped == (0, 0.0)
    root.start(0.0)
    down = ints(-9, -9, -6, -9) * 2**20
    root.handle(said(LEFT, Excess(1, ints(1, 1, 1, 1), down)), 1.0)
    root.handle(said(RIGHT, Excess(1, ints(1, 1, 1, 1), ints(0, 0, 0, 0))), 1.0)
    assert root.schedule.tolist() == [-2.0, -4.0, -5.0, 0.0]
    assert root.clipped == (1, 2.0)


def test_a_sum_that_is_repeated_late_waits_longer_and_no_longer_once_it_is_answered() -> None:
    left = shift(LEFT, [1.0], [0.0])
    assert left.next_deadline() is None
    left.start(10.0)
    assert left.next_deadline() == 10.5
    left.tick(10.5)
    later = left.next_deadline()
    assert later is not None
    assert later > 10.5
    assert left.counts.messages == 2
    left.handle(said(ROOT, Shares(ints(2**20)), to=LEFT), 11.0)
    assert left.next_deadline() is None


def test_a_child_may_take_no_part_at_all() -> None:
    root = shift(ROOT, [3.0], [0.0])
    root.start(0.0)
    root.handle(said(LEFT, Excess(1, ints(0), ints(0))), 1.0)
    _, right = root.handle(said(RIGHT, Excess(2, ints(2), ints(0))), 1.0)
    assert root.schedule.tolist() == [1.0]
    assert isinstance(right.message, Shares)
    assert right.message.shares.tolist() == [2 * 2**20]
