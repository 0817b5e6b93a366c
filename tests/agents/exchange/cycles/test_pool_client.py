"""A household's conversation with a matchmaker of cycles: what it answers, ignores and refuses."""

import numpy as np
import pytest

from agents.exchange.cycles.pool_client import STEP_WAIT_SECONDS, PoolClient, prefers_upper
from agents.exchange.cycles.trade_balance import MODULUS, trade_balance
from agents.exchange.holding import Holding
from agents.mandate import Mandate
from agents.retransmission import NEVER
from protocol.errors import PeerError
from protocol.messages import Address, Comparison, Reentry, Trades
from protocol.terms import ExchangeTerms

MAKER = Address("maker", "maker")


def holding(mandate: Mandate | None = None) -> Holding:
    return Holding(
        np.array([1.0, 2.0, 3.0, 4.0]),
        np.array([2.0, 2.0, 1.0, 6.0]),
        terms=ExchangeTerms(rule="ttc"),
        mandate=mandate or Mandate(),
    )


def client(slots: tuple[int, ...] = (0, 1, 2, 3)) -> PoolClient:
    return PoolClient(MAKER, 5, slots)


def asked(step: int, number: int = 1, session: int = 5) -> Comparison:
    return Comparison(session, number, step, (0, 2), np.array([1.0, 0.5]), np.array([2.5, 3.0]))


def test_it_enters_what_it_would_trade() -> None:
    entry = client().enter(holding(), 7, now=0.0)
    assert (entry.session, entry.number, entry.households) == (5, 1, 7)
    assert entry.slots == (0, 2, 3)  # slot 1 is as preferred
    assert entry.values_kwh.tolist() == [1.0, 3.0, 4.0]
    assert client((0, 2)).enter(holding(), 7, now=0.0).slots == (0, 2)
    never = Mandate(never=frozenset({0}))
    assert client().enter(holding(never), 7, now=0.0).slots == (2, 3)
    assert client().enter(holding(Mandate(exchange=False)), 7, now=0.0).slots == ()


def test_it_answers_each_comparison_once() -> None:
    own, kept = client(), holding()
    assert own.answer(asked(1), kept, 0.0) is None  # it has not entered
    own.enter(kept, 7, now=0.0)
    choice = own.answer(asked(1), kept, 1.0)
    assert choice is not None
    assert (choice.session, choice.number, choice.step, choice.upper) == (5, 1, 1, (0,))
    assert own.answer(asked(1), kept, 1.0) is None
    assert own.answer(asked(2, session=4), kept, 1.0) is None
    assert own.answer(asked(2), kept, 1.0) is not None


def test_it_repeats_what_is_unanswered() -> None:
    own, kept = client(), holding()
    assert own.wake == NEVER
    entry = own.enter(kept, 7, now=0.0)
    assert own.wake == STEP_WAIT_SECONDS
    assert own.repeat(STEP_WAIT_SECONDS / 2) is None
    assert own.repeat(STEP_WAIT_SECONDS) == entry
    choice = own.answer(asked(1), kept, 5.0)
    assert own.repeat(20.0) == choice
    own.stop()
    assert own.wake == NEVER


def test_it_enters_anew_for_a_matchmaker_that_has_forgotten() -> None:
    own, kept = client(), holding()
    own.enter(kept, 7, now=0.0)
    own.answer(asked(3), kept, 1.0)
    assert own.forgotten(Reentry(5, 1))
    assert own.enter(kept, 7, now=2.0).number == 2
    assert not own.forgotten(Reentry(5, 1))
    assert own.answer(asked(4), kept, 3.0) is None
    assert own.answer(asked(1, number=2), kept, 3.0) is not None


def test_the_first_trades_stand() -> None:
    own, kept = client(), holding()
    own.enter(kept, 7, now=0.0)
    assert own.trades(Trades(5, 1, (0, 3), np.array([2.0, 5.0])), kept) == {0: 2.0, 3: 5.0}
    assert own.trades(Trades(5, 1, (0,), np.array([1.5])), kept) is None


def test_a_value_equally_near_is_no_loss() -> None:
    own, kept = client(), holding()
    own.enter(kept, 7, now=0.0)
    assert own.trades(Trades(5, 1, (2,), np.array([-1.0])), kept) == {2: -1.0}


@pytest.mark.parametrize(
    "trades",
    [
        Trades(5, 1, (0,), np.array([3.25])),  # a loss of 0.5625 kWh^2
        Trades(5, 1, (1,), np.array([2.0])),  # not entered
        Trades(5, 1, (0, 2), np.array([2.0])),
    ],
)
def test_it_refuses_trades_that_it_did_not_want(trades: Trades) -> None:
    own, kept = client(), holding()
    own.enter(kept, 7, now=0.0)
    with pytest.raises(PeerError):
        own.trades(trades, kept)
    assert not own.told


def test_it_refuses_comparisons_that_make_no_sense() -> None:
    own, kept = client(), holding()
    own.enter(kept, 7, now=0.0)
    one, two = np.array([1.0]), np.array([1.0, 2.0])
    for slots, lower, upper in (((1,), one, one), ((0, 2), one, two), ((0, 2), two, one)):
        with pytest.raises(PeerError):
            own.answer(Comparison(5, 1, 1, slots, lower, upper), kept, 0.0)


def test_trades_balance_if_values_only_change_hands() -> None:
    held = [[1.0, 2.0], [3.0, -0.0], [5.0, 7.0]]
    swaps = [{0: 3.0, 1: 0.0}, {0: 5.0, 1: 2.0}, {0: 1.0}]
    parts = [trade_balance(own, taken) for own, taken in zip(held, swaps, strict=True)]
    assert all(0 <= part < MODULUS for part in parts)
    assert sum(parts) % MODULUS == 0
    assert trade_balance(held[0], {}) == 0
    # The same values at another slot, or a value in the last bit, do not balance.
    assert (trade_balance([1.0, 2.0], {0: 2.0}) + trade_balance([2.0, 1.0], {1: 1.0})) % MODULUS
    assert (parts[1] + parts[2] + trade_balance(held[0], {0: 3.0 + 2**-50, 1: 0.0})) % MODULUS


def test_the_balance_is_the_same_on_all_machines() -> None:
    assert trade_balance([1.0, 2.0], {1: 0.75}) == 10615224884159446708
    assert trade_balance([2.0**-60], {0: 2.0**-61})


@pytest.mark.parametrize(
    ("lower", "upper", "held", "preferred_upper"),
    [
        (1.0, 2.0, 1.0, True),
        (3.0, 4.0, 3.0, False),
        (2.0, 2.875, 2.0, True),
        (2.0, 3.5, 3.5, False),
        (2.0, 3.0, 3.0, True),
        (2.0, 3.0, 2.0, False),
        (2.0, 3.0, 9.0, False),
    ],
)
def test_the_nearer_value_is_preferred(
    lower: float, upper: float, held: float, preferred_upper: bool
) -> None:
    assert prefers_upper(lower, upper, 2.5, held=held) == preferred_upper
