"""The 200 homes of the reference data exchange amounts, as machines, from their given selection."""

from pathlib import Path

import numpy as np
import pytest

from agents.devices.cycle import Cycle
from agents.devices.home_file import read_homes
from protocol.terms import ExchangeTerms
from tests.support.amount_world import AmountWorld


@pytest.mark.timeout(900)
def test_the_reference_homes_reach_the_discomfort_asked_for(shared: Path) -> None:
    file = shared / "data" / "homes" / "homes-200.json"
    homes = [(own.home, own.plans[own.selected or 0]) for own in read_homes(file).homes.values()]
    world = AmountWorld(homes, ExchangeTerms(content="amounts", order="sequential"))
    assert mean_discomfort(world) == pytest.approx(0.684, abs=0.001)
    assert world.run(world.over, until=1000)
    assert mean_discomfort(world) <= 0.12
    assert mean_delay_min(world) <= 15.0
    assert sum(trader.counts.messages + trader.counts.answers for trader in world.traders) <= 18_000
    assert world.conserved()
    assert world.feasible()


def mean_discomfort(world: AmountWorld) -> float:
    each = [held.discomfort for held in world.held]
    return float(np.mean([own for own in each if own is not None]))


def mean_delay_min(world: AmountWorld) -> float:
    return float(
        np.mean(
            [
                float(device.setback(held.schedules[device.name]))
                for held in world.held
                for device in held.home.devices
                if isinstance(device, Cycle)
            ]
        )
    )
