"""Homes as a population: which plans they have, and which of them stage 1 is offered."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agents.devices.day import day_of
from agents.devices.home import Home, PlannedHome
from agents.devices.home_plans import Caps
from agents.devices.home_table import Homes
from agents.population.homes import (
    fingerprint,
    holds_homes,
    home_plans,
    population_of_homes,
    within_caps,
)
from agents.population.loader import data_sha256, load
from protocol.errors import InputError
from tests.support.devices import BATTERY, BOILER, DRYER, SLOTS, WASHER

DAY = day_of(slot_minutes=180, first="06:00", time_zone="Europe/Brussels")
HOME = Home(
    id="h0",
    base_kwh=np.full(SLOTS, 0.125),
    solar_kwh=np.zeros(SLOTS),
    devices=(WASHER, DRYER, BOILER),
)
BARE = Home(id="h1", base_kwh=np.full(SLOTS, 0.5), solar_kwh=np.zeros(SLOTS))
LATE = {"washer": WASHER.at(1), "dryer": DRYER.at(5), "boiler": np.full(SLOTS, 0.25)}
EASE = {**LATE, "washer": WASHER.at(2)}
STORED = PlannedHome(home=HOME, plans=(EASE, LATE), selected=1)


def test_plans_are_the_totals_of_the_devices_and_the_first_is_preferred() -> None:
    homes = Homes(day=DAY, homes={"h0": STORED, "h1": PlannedHome(home=BARE)})
    population = population_of_homes(homes, source="here")
    own, bare = population.households.values()
    assert own.values.tolist() == [HOME.total(EASE).tolist(), HOME.total(LATE).tolist()]
    assert (own.preferred_index, own.start_index) == (0, 1)
    assert bare.values.tolist() == [[0.5] * SLOTS]
    assert population.has_homes
    times = population.slot_times
    assert times is not None
    assert (times.first, times.minutes, times.timezone) == ("06:00", 180, "Europe/Brussels")


def test_discomfort_of_the_devices_is_a_measure_of_plans() -> None:
    own = home_plans(STORED, count=None, seed=0)
    assert own.discomforts("device").tolist() == [0.0, HOME.discomfort(LATE)]
    assert own.discomforts("rmse")[1] > 0.0
    assert home_plans(PlannedHome(home=BARE), count=None, seed=0).discomforts("device") == [0.0]


def test_a_skipped_stage_1_is_offered_the_selected_plan_only() -> None:
    own = replace(home_plans(STORED, count=None, seed=0), fixed=True)
    assert own.offered.values.tolist() == [own.values[1].tolist()]
    assert own.offered.discomforts("device").tolist() == [own.discomforts("device")[1]]
    assert replace(own, fixed=False).offered.values.tolist() == own.values.tolist()


def test_plans_are_made_where_a_file_has_none_or_people_ask() -> None:
    made = home_plans(PlannedHome(home=HOME), count=None, seed=3)
    assert len(made.values) > 2
    assert made.start_index == 0
    again = home_plans(STORED, count=4, seed=3)
    assert len(again.values) == 4
    assert again.home is not None
    assert again.home.made
    assert again.values.tolist() == made.values[:4].tolist()


def test_mandates_leave_out_plans_of_a_file_and_make_others_anew() -> None:
    homes = Homes(
        day=DAY,
        homes={"h0": STORED, "h2": PlannedHome(home=replace(HOME, id="h2")), "h1": STORED},
    )
    population = population_of_homes(homes, source="here")
    none = Caps(by_device={"washer": 0.0})
    capped = within_caps(population, {"h0": none, "h2": none}, plans=None, seed=0)
    own, made, other = capped.households.values()
    assert own.values.tolist() == [HOME.total(EASE).tolist()]
    assert own.start_index == 0
    assert made.home is not None
    assert len(made.values) > 1
    for plan in made.home.plans:
        assert plan["washer"].tolist() == WASHER.at(2).tolist()
    assert len(other.values) == 2


def test_homes_that_can_do_other_things_have_other_digests() -> None:
    slower = replace(HOME, devices=(replace(WASHER, tolerance_min=61.0), DRYER, BOILER))
    variants = [STORED, replace(STORED, selected=0), replace(STORED, home=slower)]
    assert len({fingerprint(own) for own in variants}) == 3
    populations = [
        population_of_homes(Homes(day=DAY, homes={"h0": own}), source="x") for own in variants
    ]
    assert len({data_sha256(population) for population in populations}) == 3
    assert fingerprint(STORED) == fingerprint(replace(STORED))


def file_of(tmp_path: Path, name: str) -> Path:
    path = tmp_path / name
    home = {"id": name.split(".")[0], "base": [0.5] * 24}
    path.write_text(json.dumps({"slot_minutes": 60, "home": home}))
    return path


def test_files_and_folders_of_homes_are_data_sets(tmp_path: Path) -> None:
    file = file_of(tmp_path, "h1.json")
    file_of(tmp_path, "h2.json")
    assert holds_homes(file)
    assert holds_homes(tmp_path)
    assert list(load(file).households) == ["h1"]
    assert list(load(tmp_path).households) == ["h1", "h2"]
    assert list(load(tmp_path, households=1).households) == ["h1"]
    (tmp_path / "agent_0.plans").write_text("1:1,2,3\n")
    assert not holds_homes(tmp_path)
    assert list(load(tmp_path).households) == ["h0"]


def test_options_that_homes_do_not_have(tmp_path: Path) -> None:
    file = file_of(tmp_path, "h1.json")
    with pytest.raises(InputError, match="there are 1"):
        load(file, households=2)
    with pytest.raises(InputError, match="no scores"):
        load(file, score="cost")
    (tmp_path / "h1.json").unlink()
    (tmp_path / "agent_0.plans").write_text("1:1,2,3\n")
    with pytest.raises(InputError, match="only homes make plans"):
        load(tmp_path, plans=3)


def test_a_home_that_cannot_do_what_it_must_is_named_with_its_device(tmp_path: Path) -> None:
    cold = replace(BOILER, use_kwh=np.full(SLOTS, 2.0))
    homes = Homes(day=DAY, homes={"h0": PlannedHome(home=replace(HOME, devices=(cold, BATTERY)))})
    with pytest.raises(InputError) as caught:
        population_of_homes(homes, source="x")
    assert caught.value.field == "h0.boiler"
