"""The day of a community by kind of device, and who moved what: sums, files, page and summary."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import coflex
from agents.devices.home import Home
from orchestrator.cli import main
from orchestrator.reporting.homes.homes_in_words import NOBODY_PAYS, amount, home_sentences
from orchestrator.results.device_kinds import day_by_kind, groups_of, home_groups
from orchestrator.results.device_schedules import column_name, read_devices, with_saved_devices
from orchestrator.results.result_files import read
from protocol.errors import InputError
from tests.support.devices import BATTERY, BOILER, CAR, DRYER, SLOTS, WASHER


def home(*devices: Any, solar: float = 0.0) -> Home:
    base, sun = np.full(SLOTS, 0.25), np.full(SLOTS, solar)
    return Home(id="h0", base_kwh=base, solar_kwh=sun, devices=devices)


def test_kinds_are_added_up_over_homes() -> None:
    washed = {"washer": WASHER.at(2)}
    heated = {"boiler": np.full(SLOTS, 0.125), "washer": WASHER.at(1)}
    day = day_by_kind([(home(WASHER), washed), (home(BOILER, WASHER, solar=0.5), heated)])
    assert list(day) == ["base", "machines", "boilers", "solar"]
    assert day["base"].tolist() == [0.5] * SLOTS
    assert day["solar"].tolist() == [-0.5] * SLOTS
    assert day["machines"].tolist() == (WASHER.at(2) + WASHER.at(1)).tolist()


def test_a_home_is_in_the_group_of_each_store() -> None:
    assert groups_of(home(WASHER, BOILER, BATTERY)) == ["boilers", "batteries"]
    assert groups_of(home(WASHER, DRYER)) == ["machines only"]
    assert groups_of(home()) == ["no device"]


def test_groups_have_means_over_homes_with_a_wish() -> None:
    found = home_groups([(home(WASHER), 1.0, 0.0), (home(WASHER), 0.5, 0.5), (home(), None, None)])
    assert list(found) == ["machines only", "no device"]
    machines = found["machines only"]
    assert (machines.homes, machines.planned_discomfort) == (2, 0.75)
    assert machines.exchanged_discomfort == 0.25
    assert found["no device"].planned_discomfort is None
    assert list(home_groups([(home(CAR), 1.0, None)])) == ["cars"]


@pytest.fixture(scope="module")
def results_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of twelve generated homes, with the schedules of their devices."""
    folder = tmp_path_factory.mktemp("homes") / "out"
    words = "simulate --homes 12 --seed 3 --iterations 5 --rounds 2 --out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["coflex", *words.split(), str(folder)])
        with pytest.raises(SystemExit) as end:
            main()
    assert end.value.code == 0
    return folder


def test_every_state_sums_to_the_demand(results_folder: Path) -> None:
    results = read(results_folder)
    assert results.kinds is not None
    demand = results.demand.columns()
    assert list(results.kinds) == ["preferred", "planned", "exchanged"]
    for state, day in results.kinds.items():
        assert np.sum(list(day.values()), axis=0).tolist() == demand[state].tolist()


def test_what_a_kind_takes_more_it_takes_less_elsewhere(results_folder: Path) -> None:
    moved = read(results_folder).moved
    assert moved
    assert moved["machines"].more_kwh == moved["machines"].less_kwh > 0.0


def test_a_home_saves_its_devices_in_each_state(results_folder: Path) -> None:
    for file in (results_folder / "schedules").iterdir():
        devices = read_devices(file)
        assert {"base", "solar"} <= {device.name for device in devices}
        for device in devices:
            assert list(device.schedules) == ["preferred", "planned", "exchanged"]


def test_only_homes_that_all_saved_their_devices_count(results_folder: Path) -> None:
    results = read(results_folder)
    assert results.kinds is not None
    bare = replace(results, moved=None, kinds={**results.kinds, "exchanged": {}})
    assert with_saved_devices(bare, results_folder).moved == results.moved
    assert with_saved_devices(bare, results_folder / "nowhere").moved is None
    assert with_saved_devices(bare, None) == bare


def test_summary_and_page_say_that_nobody_is_paid(
    results_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["coflex", "show", str(results_folder)])
    with pytest.raises(SystemExit):
        main()
    printed = " ".join(capsys.readouterr().out.split())
    assert NOBODY_PAYS in printed
    assert "machines only" in printed
    monkeypatch.setattr(sys, "argv", ["coflex", "report", str(results_folder)])
    with pytest.raises(SystemExit):
        main()
    page = (results_folder / "report" / "index.html").read_text()
    assert NOBODY_PAYS in page
    assert "The community&#39;s day" in page
    assert (results_folder / "report" / "community.png").exists()
    assert not (results_folder / "report" / "levels.png").exists()


def test_the_lead_is_in_minutes_degrees_and_kilowatts(results_folder: Path) -> None:
    text = " ".join(home_sentences(read(results_folder)))
    assert " kW" in text
    assert " min " in text
    assert "kWh" not in text
    assert amount(0.2, "min") == "under 1 min"
    assert amount(0.25, "h") == "15 min"
    assert amount(2.5, "h") == "2.5 h"


def test_without_saved_schedules_the_kinds_end_with_stage_one() -> None:
    results = coflex.simulate(homes=5, iterations=2, rounds=1).results
    assert results.kinds is not None
    assert list(results.kinds) == ["preferred", "planned"]
    assert results.moved is None
    assert coflex.simulate(demo=True, households=3, iterations=2).results.kinds is None


def test_homes_of_an_equal_shift_hold_no_devices(tmp_path: Path) -> None:
    words = "simulate --homes 4 --exchange equal --iterations 2 --out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["coflex", *words.split(), str(tmp_path / "out")])
        with pytest.raises(SystemExit) as end:
            main()
    assert end.value.code == 0
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert "moved" not in record


def test_broken_files_are_refused(results_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "h0.csv"
    file.write_text(f"slot,{column_name('planned', 'cars', 'car')}\n0,x\n")
    with pytest.raises(InputError, match="cannot be read as a schedule"):
        read_devices(file)
