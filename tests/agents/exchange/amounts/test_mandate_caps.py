"""A mandate's `device_discomfort` binds exchanges: no device rises above what its people allow."""

from pathlib import Path

import numpy as np
import pytest

from agents.devices.home import Home
from agents.devices.home_plans import Caps
from agents.exchange.amounts.held_home import HeldHome
from agents.exchange.amounts.inside_moves import rearrange
from orchestrator.coordination.placement import Run
from orchestrator.reporting.household_explanation import find_home_explanation
from orchestrator.results.result_files import write
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation.simulator import simulate
from protocol.vectors import Array
from tests.support.devices import BOILER, SLOTS, WASHER
from tests.support.random_homes import random_home

HOME = Home("h1", base_kwh=np.zeros(SLOTS), solar_kwh=np.zeros(SLOTS), devices=(WASHER, BOILER))
AT_EASE: Array = np.array([0.0, 0.0, 0.0, 0.0, 0.25, 0.25, 0.25, 0.25])
COOL: Array = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.25, 0.25])
COLD: Array = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.5])
"""Schedules of the boiler with the same energy: a discomfort of 0, 0.18 and 0.43."""


def rises(held: HeldHome) -> list[tuple[float, float]]:
    """Rearrange a home; return the discomfort before and after of devices that are worse off."""
    before = held.home.discomforts(held.schedules)
    rearrange(held)
    after = held.home.discomforts(held.schedules)
    return [(before[name], after[name]) for name in before if after[name] > before[name] + 1e-6]


def capped(seed: int, caps: Caps) -> HeldHome:
    home = random_home(seed)
    return HeldHome(home.home, home.schedules, caps=caps)


def test_inside_moves_stay_within_the_caps() -> None:
    """Without caps, one device pays for another where both together gain."""
    seeds = [seed for seed in range(120) if rises(random_home(seed))]
    assert len(seeds) > 5
    for seed in seeds:
        assert rises(capped(seed, Caps(all=0.0))) == []
        wide = rises(capped(seed, Caps(all=1.15)))
        assert all(after <= 1.15 + 1e-9 for _, after in wide)
    worst = max(after for seed in seeds for _, after in rises(random_home(seed)))
    assert worst > 1.15


@pytest.mark.parametrize(
    ("caps", "may"),
    [
        (None, True),
        (Caps(all=0.01), False),
        (Caps(all=0.01, by_device={"boiler": 1.0}), True),
        (Caps(all=1.0, by_device={"boiler": 0.01}), False),
    ],
)
def test_a_change_that_lifts_a_device_above_its_cap_is_not_made(
    caps: Caps | None, may: bool
) -> None:
    """The washer gains more than the boiler loses, so without a cap the home agrees."""
    held = HeldHome(HOME, {"washer": WASHER.at(4), "boiler": AT_EASE}, caps=caps)
    changed = {"washer": WASHER.at(2), "boiler": COOL}
    assert held.squares_after(changed) < held.squares
    assert held.may_take(changed) is may


def test_a_device_above_its_cap_may_get_better() -> None:
    held = HeldHome(HOME, {"washer": WASHER.at(4), "boiler": COLD}, caps=Caps(all=0.01))
    assert held.may_take({"washer": WASHER.at(3)})
    assert held.may_take({"boiler": COOL})
    held.take({"boiler": COOL})
    assert not held.may_take({"washer": WASHER.at(2), "boiler": COLD})


@pytest.mark.parametrize("seed", [4])
def test_a_run_keeps_to_the_mandates(seed: int, tmp_path: Path) -> None:
    mandates = tmp_path / "mandates.toml"
    mandates.write_text("[default]\ndevice_discomfort = 0.8\n")
    chosen = RunSettings.model_validate(
        {"homes": 24, "seed": seed, "iterations": 6, "mandates": mandates}
        | {"exchange": "cooperative"}
    )
    results = simulate(Run("capped", read_scenario(chosen, "simulation")), kept=tmp_path / "kept")
    write(results, tmp_path / "out", tmp_path / "kept")
    steps = 0
    for row in results.rows:
        found = find_home_explanation(tmp_path / "out", row.household)
        assert found.mandate == {"device_discomfort": 0.8}
        tolerances = {day.facts.name: day.facts.tolerance for day in found.devices}
        for step in found.steps:
            steps += 1
            for change in step.changes:
                if change.setback_before is not None and change.setback_after is not None:
                    most = max(change.setback_before, 0.8 * tolerances[change.name])
                    assert change.setback_after <= most + 1e-9
    assert steps > 10
