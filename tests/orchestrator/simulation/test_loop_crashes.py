"""Exchanges between iterations, with hosts and matchmakers killed at any moment, in bad faults."""

import numpy as np
import pytest

from orchestrator.results.audit_checks import all_conserved
from tests.support.crashing_run import CrashingRun
from tests.support.effort import CRASH_SCHEDULES
from tests.support.exchange_schedules import schedules_around_exchanges

SEEDS = CRASH_SCHEDULES // 3
LOOPS = 3
DRIFT = 0.5


def check(seed: int) -> tuple[int, int]:
    """Kill at random; returns how often, and how often planning began anew after an exchange."""
    run = CrashingRun(seed, looped=True)
    kills = run.run_to_its_end((0.003, 0.01, 0.03))
    anew = run.course.attempt - 1 if run.course.resumed_after else 0
    held, around = run.schedules(), {}
    for host, journal in run.journals.items():
        for name, entries in journal.entries().items():
            around[name] = schedules_around_exchanges(entries)
            assert len(around[name]) == LOOPS, f"seed {seed}: {host}"
            assert (around[name][-1][1] == held[name]).all(), f"seed {seed}"
    for loop in range(LOOPS):
        before, after = (
            np.array([around[name][loop][side] for name in run.plans]) for side in (0, 1)
        )
        assert (np.sort(before, axis=0) == np.sort(after, axis=0)).all(), f"seed {seed}"
        assert (np.abs(after.sum(1) - before.sum(1)) <= 2 * DRIFT).all(), f"seed {seed}"
    history = run.course.exchange_history
    assert history is not None
    assert len(history.gathers) == LOOPS
    assert all_conserved(run.evidence()), f"seed {seed}"
    for name, own in run.plans.items():
        energies = own.values.sum(1)
        assert (np.abs(held[name].sum() - energies) <= DRIFT).any(), f"seed {seed}"
    return kills, anew


@pytest.mark.storm
@pytest.mark.timeout(max(300, 3 * SEEDS))
def test_whatever_is_killed_whenever_every_exchange_conserves() -> None:
    kills = anew = 0
    for seed in range(SEEDS):
        killed, again = check(seed)
        kills, anew = kills + killed, anew + again
    assert kills > SEEDS / 2
    assert anew > 0
