"""A few schedules of chaos, and the schedules themselves; `make chaos` tries many more."""

import pytest

from tests.chaos.schedule import KINDS, STRIKES, drawn
from tests.chaos.struck_run import faults_of


def test_schedules_have_every_kind_of_run_and_of_strike() -> None:
    schedules = [drawn(seed) for seed in range(200)]
    assert {schedule.kind for schedule in schedules} == set(KINDS)
    assert {strike.kind for each in schedules for strike in each.strikes} == set(STRIKES)
    assert schedules == [drawn(seed) for seed in range(200)]


@pytest.mark.nats
@pytest.mark.parametrize("seed", range(3))
def test_a_struck_run_keeps_its_promises(seed: int) -> None:
    wrong, struck = faults_of(drawn(seed))
    assert wrong == []
    assert struck
