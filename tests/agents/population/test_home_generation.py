"""Generated homes: possible, repeatable, and as the shares and readings say."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.devices.compact_file import homes_of
from agents.devices.cycle import Cycle
from agents.devices.home_file import read_homes
from agents.devices.home_plans import preferred_schedules
from agents.population.home_generation import generated_homes, rotated, write_homes
from agents.population.home_statistics import PEOPLE, Shares, shares_of
from agents.population.homes import read
from protocol.errors import InputError

NOTHING = Shares(**dict.fromkeys(Shares.__dataclass_fields__, 0.0))


def names(content: dict[str, Any]) -> list[str]:
    return [device["name"] for home in content["homes"] for device in home["devices"]]


@pytest.mark.parametrize("slots", [24, 48, 96, 144])
def test_every_home_can_do_what_it_must(tmp_path: Path, slots: int) -> None:
    content = generated_homes(60, seed=slots, slots=slots)
    write_homes(content, tmp_path / "homes.json")
    population = read(tmp_path / "homes.json", households=None, plans=3, seed=0)
    assert population.slots == slots
    assert len(population.households) == 60
    for own in population.households.values():
        assert own.home is not None
        assert all(own.home.home.fault(plan) is None for plan in own.home.plans)


def test_no_seed_makes_a_home_that_cannot_be_followed() -> None:
    everything = shares_of([f"{name}=1" for name in Shares.__dataclass_fields__])
    for seed in range(60):
        slots = (24, 48, 96, 144)[seed % 4]
        content = generated_homes(20, seed=seed, slots=slots, shares=everything)
        for own in homes_of(content, Path("generated"), {}).homes.values():
            assert own.home.fault(preferred_schedules(own.home)) is None


def test_a_seed_gives_the_same_homes_however_many(tmp_path: Path) -> None:
    first, more, other = (
        generated_homes(count, seed=seed)["homes"] for count, seed in ((5, 1), (9, 1), (5, 2))
    )
    assert first == more[:5]
    assert first != other


def test_a_share_changes_nothing_but_its_devices() -> None:
    usual, without = (
        generated_homes(40, seed=3, shares=shares_of(given))["homes"] for given in ([], ["car=0"])
    )
    cars = 0
    for one, two in zip(usual, without, strict=True):
        cars += len(one["devices"]) - len(two["devices"])
        assert [d for d in one["devices"] if d["name"] != "car"] == two["devices"]
        assert one["base"] == two["base"]
    assert cars > 0


def test_shares_are_those_of_owners_and_days() -> None:
    found = names(generated_homes(1000, seed=0))
    washers = Shares().washer * 0.55 * sum(p * (n / 2) ** 0.5 for n, p in enumerate(PEOPLE, 1))
    assert found.count("washer") == pytest.approx(1000 * washers, rel=0.12)
    assert found.count("car") == pytest.approx(1000 * Shares().car * 0.7, rel=0.2)
    assert found.count("boiler") == pytest.approx(1000 * Shares().boiler, rel=0.15)
    assert names(generated_homes(50, seed=0, shares=NOTHING)) == []
    everything = shares_of([f"{name}=1" for name in Shares.__dataclass_fields__])
    assert names(generated_homes(50, seed=0, shares=everything)).count("battery") == 50


def test_a_dryer_is_wanted_when_the_washer_has_ended(tmp_path: Path) -> None:
    write_homes(generated_homes(200, seed=5, shares=shares_of(["dryer=1"])), tmp_path / "h.json")
    homes = read_homes(tmp_path / "h.json").homes
    found = 0
    for own in homes.values():
        for device in own.home.devices:
            if isinstance(device, Cycle) and device.name == "dryer":
                found += 1
                assert device.after == "washer"
    assert found > 20


def test_base_loads_of_meters_are_kept(tmp_path: Path) -> None:
    loads = {"m1": np.full(24, 0.25), "m2": np.arange(24.0) / 16, "m3": np.zeros(24)}
    content = generated_homes(2, seed=0, slots=24, base_loads=loads, shares=NOTHING)
    assert [home["id"] for home in content["homes"]] == ["m1", "m2"]
    assert content["homes"][1]["base"]["kwh"] == loads["m2"].tolist()
    (turned,) = rotated([np.arange(24.0)], 0.0)
    assert turned[:2].tolist() == [6.0, 7.0]  # readings start at midnight, homes at 06:00
    (kept,) = rotated([np.arange(24.0)], 360.0)
    assert kept[0] == 0.0


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (["cars=1"], "did you mean 'car'?"),
        (["car"], "write it like car=0.2"),
        (["car=much"], "write it like car=0.2"),
        (["car=1.5"], "between 0 and 1"),
        (["car=nan"], "between 0 and 1"),
    ],
)
def test_wrong_shares(given: list[str], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        shares_of(given)


@pytest.mark.parametrize(
    ("count", "seed", "slots", "field"),
    [(0, 0, 96, "--homes"), (1, -1, 96, "--seed"), (1, 0, 7, "--slots"), (1, 0, 12, "--slots")],
)
def test_numbers_out_of_range(count: int, seed: int, slots: int, field: str) -> None:
    with pytest.raises(InputError) as caught:
        generated_homes(count, seed=seed, slots=slots)
    assert caught.value.field == field


def test_an_existing_file_is_kept(tmp_path: Path) -> None:
    (tmp_path / "homes.json").write_text("mine")
    with pytest.raises(InputError):
        write_homes(generated_homes(1, seed=0), tmp_path / "homes.json")
    assert (tmp_path / "homes.json").read_text() == "mine"
