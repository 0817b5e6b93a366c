"""Both stages in simulation, with hosts and matchmakers killed at any moment, on a
network with faults."""

from functools import cache

import numpy as np
import pytest

from orchestrator.coordination.nodes import (
    ORCHESTRATOR_ADDRESS,
    households_of,
)
from orchestrator.coordination.run_phase import RunPhase
from orchestrator.simulation.network import NetworkFaults
from protocol.errors import PeerError
from protocol.messages import Place, Result
from protocol.messages.equal_shift import UNIT_KWH
from protocol.runtime.machine import Envelope
from protocol.terms import Terms
from tests.support.crashing_run import CrashingRun
from tests.support.effort import CRASH_SCHEDULES

SEEDS = CRASH_SCHEDULES // 2


def results_of(run: CrashingRun) -> dict[str, Result]:
    return run.course.results


@cache
def calm(seed: int) -> dict[str, int]:
    """Return what stage 1 selects when nothing happens; the same whatever stage 2 exchanges."""
    run = CrashingRun(seed, equal_shift=True)
    run._faults = NetworkFaults()
    assert run.run(lambda: run.course.finished)
    return {name: result.selected_plan for name, result in results_of(run).items()}


def check(seed: int, equal_shift: bool) -> tuple[int, int]:
    """Kill at random; returns how often, and how often stage 1 began anew."""
    run = CrashingRun(seed, equal_shift=equal_shift)
    kills = run.run_to_its_end()
    selected = {name: result.selected_plan for name, result in results_of(run).items()}
    assert selected == calm(seed), f"seed {seed}"
    before = np.array([own.values[selected[name]] for name, own in run.plans.items()])
    held = run.schedules()
    after = np.array([held[name] for name in run.plans])
    if equal_shift:
        # Plans and units are dyadic numbers, so the sums are exact.
        assert (before.sum(0) == after.sum(0)).all(), f"seed {seed}"
        away = after - np.array([own.preferred for own in run.plans.values()])
        assert np.ptp(away, axis=0).max() <= UNIT_KWH, f"seed {seed}"
    else:
        assert (np.sort(before, axis=0) == np.sort(after, axis=0)).all(), f"seed {seed}"
    for name, own in run.plans.items():
        exchanged = results_of(run)[name].exchanged
        assert exchanged is not None
        lossless = exchanged.discomfort_kwh <= results_of(run)[name].discomfort_planned_kwh
        assert lossless or equal_shift, f"seed {seed}"
        assert exchanged.discomfort_kwh == np.sqrt(((held[name] - own.preferred) ** 2).mean())
    (rounds,) = (
        r.exchange_history.rounds
        for r in results_of(run).values()
        if r.exchange_history is not None
    )
    lookups, matches = sum(c.lookups for c in rounds), sum(c.matches for c in rounds)
    # Counts of what was going on are lost with a process, but not those of what came of it.
    assert lookups >= matches >= sum(c.accepted + c.refused for c in rounds), f"seed {seed}"
    return kills, run.course.attempt - 1


@pytest.mark.storm
@pytest.mark.timeout(max(300, 2 * SEEDS))
@pytest.mark.parametrize("equal_shift", [False, True])
def test_whatever_is_killed_whenever_the_result_stands(equal_shift: bool) -> None:
    kills = anew = 0
    for seed in range(SEEDS):
        killed, again = check(seed, equal_shift)
        kills, anew = kills + killed, anew + again
    assert kills > SEEDS / 2
    assert anew > 0


def test_nobody_begins_anew_once_values_change_hands() -> None:
    run = CrashingRun(4)
    assert run.run(lambda: run.course.phase is RunPhase.EXCHANGING)
    members = [member for name in run.hosts for member in households_of(run.nodes[name])]
    begun = 0
    for member in members:
        place = Place(0, 1, None, (), Terms(), attempt=2)
        if member._exchange is not None and member._exchange.begun:
            begun += 1
            with pytest.raises(PeerError, match="the exchange has begun"):
                member.handle(Envelope(ORCHESTRATOR_ADDRESS, member.address, place), run.now)
    assert begun


def test_a_matchmaker_that_is_not_there_is_named() -> None:
    run = CrashingRun(seed=1)
    run._faults = NetworkFaults()
    del run.nodes["matchmaker-1"]
    assert run.run(lambda: run.course.finished, until=3000)
    assert run.course.reason.endswith("while exchanging: no answer from matchmaker-1")
