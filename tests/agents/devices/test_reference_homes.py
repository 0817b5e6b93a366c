"""The 200 homes of the reference data: what they do and what it costs, number by number."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.devices.cycle import Cycle
from agents.devices.device import Device
from agents.devices.home_table import Homes
from agents.devices.store import Store


def total_of(homes: Homes, *, selected: bool) -> Any:
    return sum(
        own.home.total(own.plans[own.selected or 0 if selected else 0])
        for own in homes.homes.values()
    )


def test_the_selected_plans_sum_to_the_aggregate_of_the_file(
    homes: Homes, homes_file: Path
) -> None:
    reference = json.loads(homes_file.read_text())["reference"]
    total = total_of(homes, selected=True)
    assert total.tolist() == reference["aggregate_stage1"]
    assert total.var() == reference["variance_stage1"] == 26.571278889560034
    assert total.max() == reference["peak_stage1"] == 22.3583984375


def test_the_preferred_plans_have_the_variance_and_peak_of_the_file(
    homes: Homes, homes_file: Path
) -> None:
    reference = json.loads(homes_file.read_text())["reference"]
    total = total_of(homes, selected=False)
    assert total.var() == reference["variance_preferred"]
    assert total.max() == reference["peak_preferred"]


def test_mean_and_greatest_discomfort_and_mean_delay(homes: Homes) -> None:
    discomforts, delays_min = [], []
    for own in homes.homes.values():
        schedules = own.plans[own.selected or 0]
        discomfort = own.home.discomfort(schedules)
        if discomfort is not None:
            discomforts.append(discomfort)
        delays_min += [
            float(device.setback(schedules[device.name]))
            for device in own.home.devices
            if isinstance(device, Cycle)
        ]
    assert len(discomforts) == 157
    assert np.mean(discomforts) == pytest.approx(0.68403, abs=5e-6)
    assert max(discomforts) == pytest.approx(3.625)
    assert np.mean(delays_min) == pytest.approx(115.93, abs=5e-3)


def test_every_plan_keeps_the_homes_own_energy(homes: Homes) -> None:
    for own in homes.homes.values():
        sums = {float(own.home.total(plan).sum()) for plan in own.plans}
        assert len(sums) == 1, own.home.id


def test_the_devices_are_those_of_the_description(homes: Homes) -> None:
    devices: list[Device] = [device for own in homes.homes.values() for device in own.home.devices]
    names = [device.name for device in devices]
    kinds = ("dishwasher", "washer", "dryer", "car", "boiler", "heatpump", "battery")
    assert [names.count(kind) for kind in kinds] == [87, 82, 41, 26, 45, 26, 22]
    assert sum(not own.home.devices for own in homes.homes.values()) == 39
    only_cycles = [
        own.home.devices and not any(isinstance(device, Store) for device in own.home.devices)
        for own in homes.homes.values()
    ]
    assert sum(map(bool, only_cycles)) == 66
