"""Named changes: an honest requester never contradicts itself, a dishonest one soon does."""

import numpy as np
import pytest

from agents.exchange.holding import Holding
from agents.exchange.journal.entries import MemoryJournal
from agents.exchange.negotiations import NamedChanges, Negotiations
from agents.mandate import FREE
from protocol.messages import Address, Outcome, Proposal
from protocol.messages.exchange import LeaseId
from protocol.terms import ExchangeTerms, RuleName
from tests.support.effort import examples

ASKER, OTHER = Address("host", "h1"), Address("host", "h2")


def proposal(
    given: float, taken: float, change: float, *, slot: int = 0, lease: int = 1
) -> Proposal:
    return Proposal(LeaseId(1, lease), slot, given, taken, change)


def change(given: float, taken: float, preferred: float) -> float:
    """The change as a household computes it (agents/exchange/holding.py)."""
    new, old = taken - preferred, given - preferred
    return new * new - old * old


@pytest.mark.parametrize("seed", range(examples(50)))
def test_the_truth_never_contradicts_itself(seed: int) -> None:
    chance = np.random.default_rng(seed)
    known = NamedChanges()
    scale = 10.0 ** chance.integers(-4, 4)
    preferred = float(chance.uniform(-1, 1)) * scale
    for _ in range(40):
        given, taken = (chance.uniform(-1, 1, 2) * scale).tolist()
        if chance.random() < 0.2:
            taken = given + float(chance.uniform(1, 9)) * 2.0**-20 * scale
        said = proposal(given, taken, change(given, taken, preferred))
        assert not known.contradicts(ASKER, said)


@pytest.mark.parametrize("factor", [0.5, 0.99, 1.01, 2.0, -1.0])
def test_a_factor_contradicts_at_the_second_value(factor: float) -> None:
    known = NamedChanges()
    first = change(1.0, 1.5, 2.0) * factor
    assert not known.contradicts(ASKER, proposal(1.0, 1.5, first))
    # The same values again say the same.
    assert not known.contradicts(ASKER, proposal(1.0, 1.5, first))
    assert known.contradicts(ASKER, proposal(1.5, 1.75, change(1.5, 1.75, 2.0) * factor))
    # Of another household or slot nothing is known yet.
    assert not known.contradicts(OTHER, proposal(1.5, 1.75, -0.1))
    assert not known.contradicts(ASKER, proposal(1.5, 1.75, -0.1, slot=1))


def test_what_was_said_exactly_is_not_forgotten_for_what_is_said_roughly() -> None:
    known = NamedChanges()
    near = 2.0 + 2.0**-22
    assert not known.contradicts(ASKER, proposal(1.0, 1.5, change(1.0, 1.5, 2.0)))
    # Values this close say little, so this is still in agreement.
    close = 1.0 + 2.0**-30
    assert not known.contradicts(ASKER, proposal(1.0, close, change(1.0, close, near)))
    assert known.contradicts(ASKER, proposal(1.0, 1.5, change(1.0, 1.5, near)))


def test_a_false_wish_that_is_kept_up_is_not_noticed() -> None:
    known = NamedChanges()
    for given, taken in ((1.0, 1.5), (1.5, 1.75), (1.75, 2.5)):
        assert not known.contradicts(ASKER, proposal(given, taken, change(given, taken, 3.0)))


def test_a_change_without_an_exchange_contradicts() -> None:
    assert NamedChanges().contradicts(ASKER, proposal(1.0, 1.0, -0.5))


@pytest.mark.parametrize("named", [-1e300, 1e300, -1e200, -1.7e308])
def test_a_change_beyond_all_numbers_contradicts(named: float) -> None:
    known = NamedChanges()
    assert known.contradicts(ASKER, proposal(1.0, 1.0 + 2**-30, named))
    assert not known.contradicts(ASKER, proposal(1.0, 1.5, -0.25))
    assert known.contradicts(ASKER, proposal(1.5, 1.75, -0.25))


def test_nothing_named_is_no_contradiction() -> None:
    known = NamedChanges()
    assert not known.contradicts(ASKER, proposal(1.0, 1.5, 0.0))
    assert not known.contradicts(ASKER, proposal(1.5, 9.0, 0.0))


@pytest.mark.parametrize(("rule", "reason"), [("cooperative", "contradiction"), ("mutual", "loss")])
def test_a_contradiction_is_refused(rule: RuleName, reason: str) -> None:
    holding = Holding(
        np.array([1.5]), np.array([1.5]), terms=ExchangeTerms(rule=rule), mandate=FREE
    )
    talks = Negotiations(Address("host", "h0"), holding, MemoryJournal())
    saying = [
        proposal(1.0, 1.5, change(1.0, 1.5, 1.3), lease=1),
        proposal(0.5, 1.5, 9 * change(0.5, 1.5, 1.3), lease=2),
    ]
    reasons = []
    for said in saying:
        answer = talks.answer(ASKER, said, 1, 10.0).message
        assert isinstance(answer, Outcome)
        reasons.append(answer.reason)
    assert reasons[1] == reason
