"""The pool of one slot: which questions it asks, and what it finds."""

from collections.abc import Mapping

import numpy as np
import pytest

from agents.exchange.cycles.pool_client import prefers_upper
from matchmaker.value_pool import Question, ValuePool
from orchestrator.baselines.trading_cycles import taken_from

NAMES = [f"h{number:02}" for number in range(40)]


def ask_all(pool: ValuePool, wished: Mapping[str, float], held: Mapping[str, float]) -> list[int]:
    """Answer all questions as the households would. Returns how many were asked in each step."""
    steps = []
    asked: set[Question] = set()
    while questions := pool.questions():
        assert asked.isdisjoint(questions), "nobody is asked the same twice"
        asked.update(questions)
        assert len({question.household for question in questions}) == len(questions)
        steps.append(len(questions))
        for name, lower, upper in questions:
            assert lower < upper
            pool.answer(name, prefers_upper(lower, upper, wished[name], held=held[name]))
    return steps


@pytest.mark.parametrize("seed", range(30))
def test_the_answers_lead_to_the_cycles(seed: int) -> None:
    chance = np.random.default_rng(seed)
    count = int(chance.integers(1, 40))
    held, wished = chance.integers(0, 30, (2, count)) / 4.0
    names = NAMES[:count]
    values, wishes = (
        dict(zip(names, held.tolist(), strict=True)),
        dict(zip(names, wished.tolist(), strict=True)),
    )
    pool = ValuePool(values, names)
    steps = ask_all(pool, wishes, values)
    sources = taken_from(held, wished, list(range(count)))
    assert pool.taken_kwh == dict(zip(names, held[sources].tolist(), strict=True))
    assert len(steps) <= 2 * count


def test_a_bisection_finds_what_is_wanted_most() -> None:
    values = {name: float(number) for number, name in enumerate(NAMES)}
    pool = ValuePool(values, NAMES)
    # Everybody wants its own value: six steps to find it among forty, and no cycle of others.
    assert ask_all(pool, values, values) == [40, 40, 40, 40, 40, 16]
    assert pool.taken_kwh == values


def test_equal_values_need_no_question() -> None:
    values = dict.fromkeys(NAMES, 1.0)
    pool = ValuePool(values, NAMES)
    assert pool.questions() == []
    assert pool.taken_kwh == values


def test_a_household_that_keeps_its_value_leaves_at_once() -> None:
    """Two hold 1 kWh; one of them swaps with a third. The last is not asked about the other."""
    held = {"h0": 1.0, "h1": 1.0, "h2": 2.0, "h3": 5.0}
    wished = {"h0": 2.0, "h1": 1.0, "h2": 1.0, "h3": 2.0}
    pool = ValuePool(held, list(held))
    assert ask_all(pool, wished, held) == [4, 4]
    assert pool.taken_kwh == {"h0": 2.0, "h1": 1.0, "h2": 1.0, "h3": 5.0}
