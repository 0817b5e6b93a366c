"""One household's part in top trading cycles, message by message: entries, trades, what is
journalled and restored, and what the root decides."""

import numpy as np
import pytest

from agents.exchange.cycles.cycle_exchange import POOL, TRADE, CycleExchange, trades_follow
from agents.exchange.cycles.pool_client import STEP_WAIT_SECONDS
from agents.exchange.holding import Holding
from agents.exchange.journal import records
from agents.exchange.journal.entries import Entry, MemoryJournal
from agents.mandate import FREE
from agents.retransmission import NEVER
from protocol.errors import PeerError
from protocol.messages import (
    Address,
    Choice,
    Comparison,
    End,
    NextRound,
    PoolEntry,
    Reentry,
    RoundDone,
    Trades,
)
from protocol.runtime.machine import Envelope
from protocol.terms import ExchangeTerms
from tests.support.staged_household import NOTHING

OWN = Address("host", "h")
MAKERS = (Address("maker1", "maker"), Address("maker2", "maker"))
NONE = Trades(1, 1, (), np.zeros(0))
TO_POOL, TO_TRADE = NextRound(POOL, (), 0.25), NextRound(TRADE, (), 0.25)


class Part:
    """A household with two slots and a matchmaker for each."""

    def __init__(self, journal: MemoryJournal | None = None) -> None:
        terms = ExchangeTerms(rule="ttc")
        self.held = Holding(np.array([1.0, 2.0]), np.array([2.0, 1.0]), terms=terms, mandate=FREE)
        self.journal = journal or MemoryJournal()
        self.own = CycleExchange(
            OWN, self.held, self.journal, matchmakers=MAKERS, households=2, session=1
        )

    def enter(self) -> list[PoolEntry]:
        """Enter the pools of both slots."""
        self.own.enter(POOL)
        self.own.ask(TO_POOL)
        return self.entries()

    def entries(self, now: float = 0.0) -> list[PoolEntry]:
        """Send what is due, which is entries."""
        said = self.own.go_on(now, asking=True)
        assert [one.to for one in said] in ([], [*MAKERS])
        return [one.message for one in said if isinstance(one.message, PoolEntry)]

    def written(self) -> list[Entry]:
        self.journal.commit()
        return list(self.journal.entries().get("h", ()))


def test_a_household_waits_for_all_matchmakers() -> None:
    part = Part()
    own, held = part.own, part.held
    assert own.idle
    assert own.missing == ()
    assert own.wake == NEVER
    assert part.entries() == []
    entries = part.enter()
    assert [(entry.slots, entry.households) for entry in entries] == [((0,), 2), ((1,), 2)]
    assert part.entries() == []
    assert not own.idle
    assert own.missing == MAKERS
    assert own.wake == STEP_WAIT_SECONDS
    assert own.handle(MAKERS[0], Trades(1, 1, (0,), np.array([2.0])), 1.0) == []
    assert not own.idle
    assert own.missing == MAKERS[1:]
    assert own.balance
    own.handle(MAKERS[1], NONE, 1.0)
    assert own.idle
    assert held.values[0] == 1.0
    assert [said.to for said in own.repeat(STEP_WAIT_SECONDS)] == [*MAKERS]
    own.enter(TRADE)
    own.ask(TO_TRADE)
    assert (held.values[0], own.balance, own.wake) == (2.0, 0, NEVER)
    assert own.repeat(100.0) == []
    with pytest.raises(PeerError, match="not a matchmaker"):
        own.handle(Address("host", "other"), NONE, 1.0)


def test_a_comparison_is_answered_and_an_entry_that_is_lost_made_anew() -> None:
    part = Part()
    part.enter()
    asked = Comparison(1, 1, 1, (0,), np.array([1.0]), np.array([1.5]))
    assert part.own.handle(MAKERS[0], asked, 1.0) == [
        Envelope(OWN, MAKERS[0], Choice(1, 1, 1, (0,)))
    ]
    assert part.own.handle(MAKERS[0], asked, 1.0) == []
    (again,) = part.own.handle(MAKERS[0], Reentry(1, 1), 7.0)
    assert (again.sender, again.to) == (OWN, MAKERS[0])
    assert isinstance(again.message, PoolEntry)
    assert (again.message.number, again.message.households) == (2, 2)
    assert part.own.handle(MAKERS[0], Reentry(1, 1), 7.0) == []
    assert [said.to for said in part.own.repeat(STEP_WAIT_SECONDS)] == [MAKERS[1]]
    assert part.own.counts.answers == 4
    with pytest.raises(PeerError, match="End is not for"):
        part.own.handle(MAKERS[0], End(1), 8.0)


def test_trades_are_counted_once_and_journalled_before_they_are_made() -> None:
    part = Part()
    part.enter()
    for _ in range(2):
        part.own.handle(MAKERS[0], Trades(1, 1, (0,), np.array([2.0])), 1.0)
    part.own.handle(MAKERS[1], NONE, 1.0)
    counts = part.own.counts
    assert (counts.lookups, counts.matches, counts.answers) == (2, 1, 3)
    assert (counts.proposals, counts.accepted) == (0, 0)
    told, nothing = part.written()
    assert (told.household, told.kind, told.round) == ("h", "traded", POOL)
    assert [(one.host, one.partner) for one in (told, nothing)] == [
        ("maker1", "maker"),
        ("maker2", "maker"),
    ]
    slots, values = records.read_deal(told.data)
    assert (tuple(slots), values.tolist()) == ((0,), [2.0])
    part.own.enter(TRADE)
    part.own.ask(TO_TRADE)
    assert (counts.proposals, counts.accepted) == (1, 1)
    done = part.written()[-1]
    assert (done.household, done.kind, done.round, done.slot) == ("h", "done", TRADE, 0)
    assert (done.given, done.taken, done.change) == (1.0, 2.0, -1.0)
    assert part.own.trace().rounds == ()
    assert part.own.trace().gains_kwh2.tolist() == []
    assert part.own.changed == ()


def test_trades_are_made_at_all_slots() -> None:
    part = Part()
    part.enter()
    part.own.handle(MAKERS[0], Trades(1, 1, (0,), np.array([1.5])), 1.0)
    part.own.handle(MAKERS[1], Trades(1, 1, (1,), np.array([1.25])), 1.0)
    part.own.enter(TRADE)
    part.own.ask(TO_TRADE)
    assert part.held.values == [1.5, 1.25]
    counts = part.own.counts
    assert (counts.lookups, counts.matches, counts.proposals, counts.accepted) == (2, 2, 2, 2)


def test_after_a_kill_the_same_trades_are_known_and_made() -> None:
    part = Part()
    part.enter()
    part.own.handle(MAKERS[0], Trades(1, 1, (0,), np.array([2.0])), 1.0)
    again = Part()
    again.own.enter(POOL)
    for entry in part.written():
        again.own.replay(entry, 20.0)
    assert again.own.missing == MAKERS[1:]
    assert again.own.balance == part.own.balance
    assert again.own.counts.matches == 1
    assert again.held.values == [1.0, 2.0]
    part.own.handle(MAKERS[1], Trades(1, 1, (1,), np.array([1.5])), 1.0)
    part.own.enter(TRADE)
    part.own.ask(TO_TRADE)
    again = Part()
    again.own.enter(TRADE)
    for entry in part.written()[:-1]:  # killed between the two
        again.own.replay(entry, 20.0)
    assert again.held.values == [2.0, 2.0]
    again.own.ask(TO_TRADE)
    assert again.held.values == [2.0, 1.5]
    assert [(entry.kind, entry.slot) for entry in again.written()] == [("done", 1)]
    assert again.own.counts.accepted == 2


def test_entries_are_made_anew_only_while_trades_are_sought() -> None:
    part = Part()
    part.own.announce()
    assert part.entries() == []
    part.own.enter(POOL)
    part.own.announce()
    assert [entry.number for entry in part.entries()] == [1, 1]
    part.own.announce()
    assert [entry.number for entry in part.entries(3.0)] == [2, 2]
    assert part.own.wake == 3.0 + STEP_WAIT_SECONDS


def test_at_the_end_nothing_is_traded_any_more() -> None:
    part = Part()
    part.enter()
    part.own.handle(MAKERS[0], Trades(1, 1, (0,), np.array([2.0])), 1.0)
    part.own.end()
    assert (part.own.balance, part.own.wake) == (0, NEVER)
    assert part.own.repeat(100.0) == []
    part.own.enter(TRADE)
    part.own.ask(TO_TRADE)
    assert part.held.values == [1.0, 2.0]


@pytest.mark.parametrize(
    ("round", "matches", "balance", "follows"),
    [
        (-1, 0, 0, NextRound(0, (), 4.0)),
        (POOL - 1, 0, 0, NextRound(POOL, (), 4.0)),
        (POOL, 2, 0, NextRound(TRADE, (), 4.0)),
        (POOL, 2, 1, End(POOL)),
        (POOL, 0, 0, End(POOL)),
        (TRADE, 2, 0, End(TRADE)),
    ],
)
def test_the_root_begins_the_trades_if_they_balance(
    round: int, matches: int, balance: int, follows: NextRound | End
) -> None:
    count = NOTHING._replace(matches=matches)
    done = RoundDone(round=round, count=count, changed=(), attempt=1, balance=balance)
    assert trades_follow(done, 4.0) == follows
