"""Names of households and times of slots: kept and shown, with control characters escaped."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from agents.metering.day_profile import MeterDay, read_meters
from agents.metering.options import MeterOptions
from agents.metering.readings.household_names import ids_of, printable
from agents.plans import Plans, Population, SlotTimes
from agents.population import epos_folder
from agents.population import npz_archive as archive
from agents.population.loader import load
from agents.population.synthetic import from_preferred

NAMES = ["家", "Zoë Ström", "=cmd()", "a\x1b[31mb", 'say "hi" \\', "plain"]


def meters(folder: Path, minutes: int = 30) -> Path:
    lines = ["time;" + ";".join('"' + name.replace('"', '""') + '"' for name in NAMES)]
    for row in range(1440 // minutes):
        time = datetime(2025, 1, 14) + timedelta(minutes=minutes * row)
        lines.append(f"{time};" + ";".join(str((row * 7 + n) % 9 / 10) for n in range(len(NAMES))))
    path = folder / "meters.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def population(made: MeterDay) -> Population:
    names = dict(zip(made.ids, made.names, strict=True))
    return from_preferred(
        made.ids, made.energy, source="x", slot_times=made.slot_times, names=names
    )


def test_ids_are_letters_and_digits_and_all_different() -> None:
    assert ids_of(["a b", "a.b", "家", "007", "07", "  x "]) == [
        "a-b",
        "a-b-2",
        "home-3",
        "007",
        "07",
        "x",
    ]
    many = ids_of(["x" * 80, "x" * 90, "家", "室"])
    assert len(set(many)) == 4
    assert max(map(len, many)) <= 64


def test_control_characters_are_escaped() -> None:
    assert printable("a\x1b[31mb\n") == "a\\x1b[31mb"
    assert printable("x\u202ey") == "x\\u202ey"
    assert printable("Zoe\u0308") == "Zoë"


def test_names_and_times_come_back_from_an_archive_and_a_folder(tmp_path: Path) -> None:
    made = read_meters(meters(tmp_path), options=MeterOptions(timezone="Europe/Brussels"))
    kept = population(made)
    assert kept.names[made.ids[0]] == "家"
    assert "plain" not in kept.names
    archive.write(kept, tmp_path / "made.npz")
    read = load(tmp_path / "made.npz")
    assert (read.names, read.slot_times) == (kept.names, kept.slot_times)
    epos_folder.write(kept, tmp_path / "made")
    text = (tmp_path / "made" / "coflex.toml").read_text(encoding="utf-8")
    assert "\x1b" not in text
    folder = load(tmp_path / "made")
    assert folder.names == {f"h{n}": name for n, name in enumerate(made.names)}
    assert folder.slot_times == SlotTimes("00:00", 30.0, "Europe/Brussels")
    archive.write(folder, tmp_path / "again.npz")
    assert load(tmp_path / "again.npz").names == folder.names


def test_slots_of_a_chosen_day_have_its_length(tmp_path: Path) -> None:
    lines = ["time,home"]
    for row in range(25 * 4):
        time = datetime.fromisoformat("2025-10-25T22:00+00:00") + timedelta(minutes=15 * row)
        lines.append(f"{time.isoformat()},{row * 7 % 9 / 10}")
    path = tmp_path / "m.csv"
    path.write_text("\n".join(lines))
    zone = MeterOptions(timezone="Europe/Brussels")
    made = read_meters(path, day="2025-10-26", slots=100, options=zone)
    assert made.slot_times == SlotTimes("2025-10-26T00:00:00+02:00", 15.0, "Europe/Brussels")


@pytest.mark.parametrize(("minutes", "slots"), [(60, 24), (30, 48), (15, 96), (5, 288)])
def test_readings_keep_their_own_resolution(tmp_path: Path, minutes: int, slots: int) -> None:
    made = read_meters(meters(tmp_path, minutes))
    assert made.energy.shape == (len(NAMES), slots)
    assert made.slot_times is not None
    assert made.slot_times.minutes == minutes
    assert made.slot_times.timezone is None
    assert population(made).slots == slots


def test_a_resolution_that_does_not_fill_a_day_is_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    times = [datetime(2025, 1, 14) + timedelta(minutes=7 * row) for row in range(420)]
    rows = [f"{time},{row * 7 % 9 / 10}" for row, time in enumerate(times)]
    path.write_text("time,home\n" + "\n".join(rows))
    with pytest.raises(Exception, match="7 minutes apart, which do not fill a day evenly"):
        read_meters(path)
    assert read_meters(path, slots=24).energy.shape == (1, 24)


def test_times_and_names_do_not_change_the_digest_or_an_old_archive(tmp_path: Path) -> None:
    plain = Population({"a": Plans(np.ones((1, 2)), np.ones(1))}, "x")
    archive.write(plain, tmp_path / "x.npz")
    with np.load(tmp_path / "x.npz") as parts:
        assert sorted(parts) == ["counts", "ids", "scores", "values", "version"]
    read = load(tmp_path / "x.npz")
    assert (read.names, read.slot_times) == ({}, None)
