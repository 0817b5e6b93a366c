"""The 200 homes of the reference data exchange amounts, in a plain loop."""

from pathlib import Path

import numpy as np
import pytest

from agents.devices.home_file import read_homes
from agents.exchange.amounts.held_home import ROUNDING
from tests.support.amount_loop import AmountLoop, held_homes
from tests.support.random_homes import random_home


@pytest.mark.timeout(600)
def test_one_round_removes_most_discomfort_of_the_reference_homes(shared: Path) -> None:
    homes = held_homes(read_homes(shared / "data" / "homes" / "homes-200.json"))
    total = np.asarray(sum(held.total for held in homes))
    own = [held.total.sum() for held in homes]
    began = [held.squares for held in homes]
    loop = AmountLoop(homes, seed=1)
    assert loop.discomforts.mean() == pytest.approx(0.684, abs=0.01)
    assert loop.round() > 100
    assert loop.discomforts.mean() <= 0.25
    assert loop.delay_min <= 25.0
    np.testing.assert_array_equal(loop.total, total)
    assert [held.total.sum() for held in homes] == own
    for held, squares in zip(homes, began, strict=True):
        assert held.home.fault(held.schedules) is None
        assert held.squares <= squares + ROUNDING


@pytest.mark.parametrize("seed", range(6))
def test_random_homes_lose_nothing(seed: int) -> None:
    homes = [random_home(100 * seed + number) for number in range(12)]
    total = np.asarray(sum(held.total for held in homes))
    began = [held.squares for held in homes]
    loop = AmountLoop(homes, seed=seed)
    made = loop.round() + loop.round()
    assert made > 0
    np.testing.assert_array_equal(loop.total, total)
    for held, squares in zip(homes, began, strict=True):
        assert held.home.fault(held.schedules) is None
        assert held.squares <= squares + ROUNDING
