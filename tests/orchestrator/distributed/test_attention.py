"""When a part that stands by gives up a run that nobody leads any more."""

from pathlib import Path

import pytest

from orchestrator.coordination.placement import Run
from orchestrator.coordination.unfinished_run import claim_run
from orchestrator.distributed.announcements import Attention
from orchestrator.scenario.scenario import read_scenario
from protocol.errors import InputError
from protocol.messages.lifecycle import ABSENCE, SILENCE
from tests.support.settings import settings_of


def test_a_run_that_has_not_begun_is_given_up_soon() -> None:
    attention = Attention("r", 100.0)
    assert not attention.silence(114.9, begun=False)
    assert attention.silence(115.0, begun=False) == SILENCE
    attention.hear("r", 110.0)
    assert not attention.silence(124.9, begun=False)


def test_one_that_has_begun_waits_for_its_orchestrator() -> None:
    attention = Attention("r", 0.0)
    assert not attention.silence(60.0, begun=True)
    assert not attention.silence(ABSENCE - 1.0, begun=True)
    assert attention.silence(ABSENCE, begun=True) == ABSENCE


def test_it_does_not_keep_a_part_from_another_run() -> None:
    attention = Attention("r", 0.0)
    attention.hear("other", 5.0)
    assert not attention.silence(14.0, begun=True)
    attention.hear("other", 14.0)
    assert attention.silence(16.0, begun=True) == SILENCE
    assert not attention.silence(40.0, begun=True)  # the other is over, too
    attention.hear("r", 41.0)
    attention.hear("other", 41.0)
    assert not attention.silence(50.0, begun=True)


def test_a_folder_is_for_one_run_of_an_id(tmp_path: Path) -> None:
    scenario = read_scenario(settings_of({"demo": True, "households": 3, "slots": 36}))
    for _ in range(2):
        claim_run(tmp_path / "r", Run("r", scenario, 7), "host-1")
        claim_run(tmp_path / "r", Run("r", scenario, 7), "host-2")
        claim_run(tmp_path / "r", Run("r", scenario), "host-1")
    with pytest.raises(InputError, match="the run id 'r' was used before: choose another"):
        claim_run(tmp_path / "r", Run("r", scenario, 8), "host-1")
