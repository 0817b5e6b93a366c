"""Home files: what they say, and the one clear error for what they must not say."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agents.devices.cycle import Cycle
from agents.devices.day import Day
from agents.devices.home_file import read_homes
from agents.devices.home_plans import preferred_schedules
from agents.devices.home_table import Homes
from agents.devices.own_devices import register_device
from agents.devices.store import Store
from agents.devices.store_wishes import Reserve, Warmth
from protocol.errors import InputError
from tests.support.devices import WASHER
from tests.support.paths import ROOT

HOME = """
slot_minutes = 60
first = "06:00"

[home]
id = "h89"
time_zone = "Europe/Brussels"
essential_share = 0.5
base = "base.csv"

[[device]]
name = "washer"
kind = "cycle"
profile = [0.5, 0.25]
earliest = "09:00"
preferred = "10:00"
latest_start = "20:00"
tolerance_min = 240

[[device]]
name = "dryer"
kind = "cycle"
after = "washer"
profile = [0.75]
earliest = "10:00"
preferred = "12:00"
latest_start = "07:30"
tolerance_min = 120

[[device]]
name = "car"
kind = "store"
what = "ev"
plugged = ["20:15", "06:10"]
max_in = 11.0
min_in = 4.14
efficiency_in = 0.9
level = 39.0
high = 58.0
need = 7.5
reserve = 3.5
tolerance_h = 2.0

[[device]]
name = "boiler"
kind = "store"
what = "boiler"
max_in = 2.0
kwh_per_degree = 0.1745
level_at = 60.0
low_at = 42.0
high_at = 68.0
wish_at = 52.0
tolerance_deg = 5.0
use = "draws.csv"

[[device]]
name = "battery"
kind = "store"
what = "battery"
max_in = 2.75
max_out = 2.75
efficiency_in = 0.95
efficiency_out = 0.95
level = 1.65
low = 0.275
high = 5.5
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "base.csv").write_text("kwh\n" + "0.1\n" * 24)
    (tmp_path / "draws.csv").write_text("06:00,0.2\n" * 24)
    path = tmp_path / "home.toml"
    path.write_text(HOME)
    return path


def changed(file: Path, old: str, new: str) -> Path:
    assert old in HOME
    file.write_text(HOME.replace(old, new))
    return file


def device(homes: Homes, name: str) -> Any:
    return homes.homes["h89"].home.device(name)


def test_a_home_and_its_devices(file: Path) -> None:
    homes = read_homes(file)
    assert homes.day == Day(
        slots=24, slot_minutes=60, first="06:00", time_zone="Europe/Brussels", date=None
    )
    home = homes.homes["h89"].home
    assert home.essential_share == 0.5
    assert home.base_kwh.tolist() == [102 / 1024] * 24  # on the grid
    assert not home.solar_kwh.any()
    washer, dryer, car = (device(homes, name) for name in ("washer", "dryer", "car"))
    assert isinstance(washer, Cycle)
    assert (washer.earliest, washer.preferred_start, washer.latest_start) == (3, 4, 14)
    assert (dryer.after, dryer.latest_start) == ("washer", 23)  # must end within the day
    assert isinstance(car, Store)
    assert car.plugged == (15, 24)
    assert (car.max_in_kwh, car.min_in_kwh) == (11.0, 4240 / 1024)
    assert car.low_kwh.tolist() == [0.0] * 23 + [39.0 + 0.9 * 7.5]
    assert isinstance(car.wish, Reserve)
    assert car.wish.wish_kwh == pytest.approx(39.0 + 0.9 * 3.5)


def test_temperatures_are_levels(file: Path) -> None:
    boiler, battery = (device(read_homes(file), name) for name in ("boiler", "battery"))
    assert boiler.level_kwh == pytest.approx(60 * 0.1745)
    assert boiler.low_kwh[0] == pytest.approx(42 * 0.1745)
    assert isinstance(boiler.wish, Warmth)
    assert boiler.use_kwh.tolist() == [0.2] * 24
    assert battery.wish is None
    assert battery.plugged == (0, 24)


def test_json_says_the_same(file: Path, tmp_path: Path) -> None:
    import tomllib

    other = tmp_path / "home.json"
    other.write_text(json.dumps(tomllib.loads(HOME)))
    assert read_homes(other).day == read_homes(file).day
    assert device(read_homes(other), "car").low_kwh.tolist() == (
        device(read_homes(file), "car").low_kwh.tolist()
    )


def test_many_homes_in_one_file_or_folder(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "street"
    folder.mkdir()
    for number in (10, 9):
        (folder / f"h{number}.toml").write_text(
            f'slot_minutes = 60\n[home]\nid = "h{number}"\nbase = "base.csv"\n'
        )
    (folder / "base.csv").write_text("0.5\n" * 24)
    (folder / "coflex.toml").write_text("[names]\n")
    assert list(read_homes(folder).homes) == ["h9", "h10"]
    many = folder / "many.json"
    many.write_text(
        json.dumps(
            {
                "slot_minutes": 60,
                "home": [
                    {"id": "a", "base": [1.0] * 24, "device": []},
                    {"id": "b", "base": "base.csv", "solar": [0.25] * 24},
                ],
            }
        )
    )
    assert list(read_homes(many).homes) == ["a", "b"]
    assert read_homes(many).homes["b"].home.fixed_kwh.tolist() == [0.25] * 24
    assert list(read_homes(folder).homes) == ["h9", "h10", "a", "b"]
    (folder / "z.toml").write_text('slot_minutes = 60\n[home]\nid = "a"\nbase = "base.csv"\n')
    with pytest.raises(InputError, match="another file has a home of this id"):
        read_homes(folder)
    (folder / "z.toml").write_text('slot_minutes = 30\n[home]\nid = "z"\nbase = []\n')
    with pytest.raises(InputError, match="base: 0 amounts, but the day has 48 slots"):
        read_homes(folder)
    (folder / "z.toml").write_text(f'slot_minutes = 30\n[home]\nid = "z"\nbase = {[0.5] * 48}\n')
    with pytest.raises(InputError, match="its day differs"):
        read_homes(folder)


def test_a_day_of_a_clock_change_needs_all_its_slots(file: Path, tmp_path: Path) -> None:
    path = changed(file, "slot_minutes = 60", "slot_minutes = 60\ndate = 2026-03-28")
    with pytest.raises(InputError, match="24 amounts, but the day has 23 slots"):
        read_homes(path)
    for name in ("base.csv", "draws.csv"):
        (tmp_path / name).write_text("0.1\n" * 23)
    homes = read_homes(path)
    assert homes.day.slots == 23
    assert device(homes, "car").plugged == (15, 23)


BAD = [
    ('id = "h89"', 'id = "h 89"', "h 89.id", "h 89"),
    ('id = "h89"', 'id = "h89"\nroof = 1', "h89.roof", "there is no such field"),
    ('base = "base.csv"', "", "h89.base", "is missing"),
    ('"base.csv"', '"nowhere.csv"', "h89.base", "no such file"),
    ('"base.csv"', "[1.0, -1.0]", "h89.base", "2 amounts, but the day has 24 slots"),
    ('"base.csv"', f"{[-0.5] + [0.0] * 23}", "h89.base", "-0.5 kWh in slot 0 is negative"),
    ("essential_share = 0.5", "essential_share = 2", "h89.essential_share", "less than or equal"),
    ("Europe/Brussels", "Europe/Brussel", "time_zone", "is not a time zone"),
    ('first = "06:00"', 'first = "6am"', "first", "is not a time of day"),
    ('first = "06:00"', 'fist = "06:00"', "fist", "did you mean 'first'?"),
    ('name = "dryer"', 'name = "washer"', "h89.device", "two devices have the same name"),
    ('kind = "cycle"\nprofile', 'kind = "cykle"\nprofile', "h89.washer.kind", "mean 'cycle'?"),
    ('kind = "cycle"\nprofile', "profile", "h89.washer.kind", "is missing"),
    ("profile = [0.5, 0.25]", "profile = []", "h89.washer.profile", "must have 1 to 24 slots"),
    ("profile = [0.5, 0.25]", "profile = [-1.0]", "h89.washer.profile", "greater than or equal"),
    ('earliest = "09:00"', 'earliest = "9:00"', "h89.washer.earliest", "is not a time of day"),
    ('preferred = "10:00"', "", "h89.washer.preferred", "is missing"),
    ('preferred = "10:00"', 'preferred = "08:00"', "h89.washer.latest_start", "before preferred"),
    ("tolerance_min = 240", "tolerance_min = 0", "h89.washer.tolerance_min", "greater than 0"),
    ('after = "washer"', 'after = "drier"', "h89.dryer.after", "drier is not another cycle"),
    (
        'preferred = "12:00"\nlatest_start = "07:30"',
        'preferred = "10:00"\nlatest_start = "10:00"',
        "h89.dryer.latest_start",
        "washer has not ended",
    ),
    ("max_in = 11.0", "", "h89.car.max_in", "is missing"),
    ("max_in = 11.0", "max_in = 1.0", "h89.car.min_in", "between 0 and max_in"),
    ("max_in = 11.0", 'max_in = "11 kW"', "h89.car.max_in", "valid number"),
    ("efficiency_in = 0.9\n", "efficiency_in = 0\n", "h89.car.efficiency_in", "greater than 0"),
    ("level = 39.0", "level = 60.0", "h89.car.level", "between the lowest and the highest"),
    ("level = 39.0", "", "h89.car.level", "is missing"),
    ("need = 7.5", "need = 30", "h89.car.need", "only 19 kWh go in"),
    ("need = 7.5", "need = 17\nuse = 3", "h89.car.use", "valid"),
    ("reserve = 3.5", "reserve = 9", "h89.car.reserve", "must not be above need"),
    ("tolerance_h = 2.0", "", "h89.car.tolerance_h", "is missing"),
    ("tolerance_h = 2.0", "tolerance_deg = 2.0", "h89.car.tolerance_deg", "has no effect without"),
    ('["20:15", "06:10"]', '["20:15", "20:30"]', "h89.car.plugged", "at least one slot"),
    ('["20:15", "06:10"]', '["20:15"]', "h89.car.plugged", "is missing"),
    ("level_at = 60.0", "level = 9.0", "h89.boiler.level", "has no effect beside"),
    ("level_at = 60.0", "level_at = 99.0", "h89.boiler.level_at", "lowest and the highest"),
    ("wish_at = 52.0", "", "h89.boiler.tolerance_deg", "has no effect without wish_at"),
    ("tolerance_deg = 5.0", "", "h89.boiler.tolerance_deg", "is missing"),
    ('"draws.csv"', '"nowhere.csv"', "h89.boiler.use", "no such file"),
    ("efficiency_out = 0.95", "efficiency_out = 1.5", "h89.battery.efficiency_out", "at most 1"),
    ("low = 0.275", "low = 2.0", "h89.battery.level", "lowest and the highest"),
    ("[home]", "[house]", "home", "is missing"),
    ('[[device]]\nname = "battery"', '[[devise]]\nname = "battery"', "devise", "'device'?"),
]


@pytest.mark.parametrize(("old", "new", "field", "reason"), BAD, ids=[row[1][:40] for row in BAD])
def test_one_error_names_file_device_and_field(
    file: Path, old: str, new: str, field: str, reason: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_homes(changed(file, old, new))
    assert caught.value.file == file
    assert caught.value.field == field
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.toml", "[home", "not a TOML file"),
        ("a.json", "{", "not a JSON file"),
        ("a.json", "[]", "an object with the key home or homes"),
        ("a.json", '{"home": 3}', "must be a table, or a list of tables"),
        ("a.json", '{"home": [{"id": "a"}], "device": []}', "with several homes"),
        ("a.json", '{"home": [{"id": "a", "time_zone": "UTC"}, {"id": "b"}]}', "one time zone"),
        ("a.json", '{"homes": [], "slots": 96, "slot_minutes": 15}', "there is no home"),
        ("a.json", '{"homes": [], "slots": 95, "slot_minutes": 15}', "15 minutes give 96 a day"),
        ("a.json", '{"homes": [{}], "slots": 96, "slot_minutes": 15}', "is missing"),
    ],
)
def test_what_is_no_home_file(tmp_path: Path, name: str, content: str, reason: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=reason):
        read_homes(tmp_path / name)


def test_missing_files_and_empty_folders(tmp_path: Path) -> None:
    for name in ("a.toml", "a.json"):
        with pytest.raises(InputError, match="no such file"):
            read_homes(tmp_path / name)
    with pytest.raises(InputError, match="no home files"):
        read_homes(tmp_path)


def test_the_example_of_the_page_is_a_home(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "homes.md").read_text()
    (example,) = [block for block in page.split("```toml\n") if block.startswith("slot_minutes")]
    (tmp_path / "home.toml").write_text(example.split("```")[0])
    (tmp_path / "base.csv").write_text("0.05\n" * 96)
    home = read_homes(tmp_path / "home.toml").homes["h89"].home
    assert [device.name for device in home.devices] == ["dishwasher", "car"]
    assert home.fault(preferred_schedules(home)) is None


def test_own_kinds_of_devices_are_read_by_their_reader(file: Path) -> None:
    def pump(fields: Mapping[str, Any], day: Day) -> Cycle:
        if "power" not in fields:
            raise InputError("is missing", field="power")
        start = day.slot_from(fields["at"])
        return replace(WASHER, name=fields["name"], slots=24, preferred_start=start)

    other = '[[device]]\nname = "pump"\nkind = "pool"\npower = 1.0\nat = "09:00"\n'
    file.write_text(HOME + other)
    with pytest.raises(InputError, match="there is no kind 'pool'"):
        read_homes(file)
    home = read_homes(file, {"pool": pump}).homes["h89"].home
    assert home.device("pump").name == "pump"
    file.write_text(HOME + other.replace("power = 1.0", ""))
    with pytest.raises(InputError) as caught:
        read_homes(file, {"pool": pump})
    assert (caught.value.file, caught.value.field) == (file, "h89.pump.power")
    with pytest.raises(InputError, match="is a kind of the model"):
        register_device("cycle", pump)
