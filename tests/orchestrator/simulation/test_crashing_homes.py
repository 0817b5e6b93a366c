"""Both stages of homes in simulation, with hosts and the matchmaker killed at any moment."""

import numpy as np
import pytest

from agents.exchange.trader import Trader
from orchestrator.coordination.nodes import households_of
from tests.support.crashing_run import CrashingRun
from tests.support.effort import CRASH_SCHEDULES

SEEDS = min(CRASH_SCHEDULES // 10, 200)


def check(seed: int) -> tuple[int, int]:
    """Kill at random; return how often, and the number of exchanges."""
    run = CrashingRun(seed, homes=True)
    kills = run.run_to_its_end()
    held = run.schedules()
    before = np.array([own.preferred for own in run.plans.values()])
    after = np.array([held[name] for name in run.plans])
    assert (before.sum(axis=0) == after.sum(axis=0)).all(), f"seed {seed}"
    assert (before.sum(axis=1) == after.sum(axis=1)).all(), f"seed {seed}"
    made = 0
    for name in run.hosts:
        for household in households_of(run.nodes[name]):
            own, stage = run.plans[household.address.name].home, household._exchange
            assert own is not None
            assert stage is not None
            assert isinstance(stage.trader, Trader)
            home = stage.trader.held
            assert home is not None
            assert home.home.fault(home.schedules) is None, f"seed {seed}"
            assert (home.total == held[household.address.name]).all(), f"seed {seed}"
            exchanged = run.course.results[household.address.name].exchanged
            assert exchanged is not None
            assert exchanged.comfort is not None
            began, now = own.home.discomfort(own.plans[0]), exchanged.comfort.discomfort
            assert (now or 0.0) <= (began or 0.0) + 1e-6, f"seed {seed}"
            made += exchanged.accepted
    return kills, made


@pytest.mark.storm
@pytest.mark.timeout(max(300, 10 * SEEDS))
def test_whatever_is_killed_whenever_homes_can_follow_and_the_sums_stay() -> None:
    kills = made = 0
    for seed in range(SEEDS):
        killed, exchanged = check(seed)
        kills, made = kills + killed, made + exchanged
    assert kills > SEEDS / 2
    assert made > SEEDS / 2
