"""Hostile messages to every machine, in every kind of run."""

from itertools import count

from tests.fuzz.fuzzed_run import RUNS, fuzzed
from tests.support.effort import CRASH_SCHEDULES

EXECUTIONS_PER_SCHEDULE = 20
"""Hostile messages for each crash schedule that a storm would try: 200,000 in CI."""


def test_no_machine_raises_anything_but_a_refusal() -> None:
    total = fuzzed(count(), EXECUTIONS_PER_SCHEDULE * CRASH_SCHEDULES)
    assert total.runs >= len(RUNS)


def test_the_liar_is_refused_and_also_believed() -> None:
    """Otherwise all that it says would stop at the first check, and test nothing behind it."""
    total = fuzzed(count(), 200)
    assert 0.1 * total.executions < total.refused < 0.9 * total.executions
