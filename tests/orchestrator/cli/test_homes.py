"""`coflex check` and `coflex generate --homes`: what is printed, written and refused."""

import json
import sys
from pathlib import Path

import pytest

from agents.devices.home_file import read_homes
from orchestrator.cli import main

HOME = """slot_minutes = 60
first = "06:00"
[home]
id = "h1"
time_zone = "Europe/Brussels"
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
name = "car"
kind = "store"
what = "ev"
plugged = ["20:15", "06:10"]
max_in = 11.0
min_in = 4.0
efficiency_in = 0.9
level = 39.0
high = 58.0
need = 12.0
reserve = 3.5
tolerance_h = 2.0
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "base.csv").write_text("0.5\n" * 24)
    path = tmp_path / "home.toml"
    path.write_text(HOME)
    return path


def coflex(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["coflex", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


@pytest.mark.parametrize(("name", "begin"), [("day.png", b"\x89PNG"), ("day.svg", b"<?xml")])
def test_check_draws_the_day_into_a_file(
    file: Path, monkeypatch: pytest.MonkeyPatch, name: str, begin: bytes
) -> None:
    picture = file.parent / name
    assert coflex(monkeypatch, "check", file, "--out", picture) == 0
    assert picture.read_bytes().startswith(begin)


def test_a_picture_is_refused_before_anything_is_printed(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (file.parent / "there.png").write_text("mine")
    for name, reason in (
        ("day.pdf", "a picture is a file ending in .png or .svg"),
        ("there.png", "exists already"),
        ("nowhere/day.png", "cannot be written"),
    ):
        assert coflex(monkeypatch, "check", file, "--out", file.parent / name) == 2
        assert reason in capsys.readouterr().err
    assert (file.parent / "there.png").read_text() == "mine"


def test_check_says_what_a_home_can_do_and_draws_its_day(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert coflex(monkeypatch, "check", file) == 0
    printed = " ".join(capsys.readouterr().out.split())
    for words in (
        "h1: base load 12.0 kWh, 100% essential; 24 slots of 60 min from 06:00 (Europe/Brussels)",
        "0.75 kWh in 2 h 00 min, wanted at 10:00, may start from 09:00 to 20:00",
        "240 min late is just acceptable",
        "at least 4.0 kW or nothing",
        "plugged in from 21:00 to 06:00, needs 12.0 kWh by then",
        "all with 24.75 kWh over the day",
        "its devices use 12.75 kWh",
    ):
        assert words in printed
    assert "█" in printed


def test_check_lists_many_homes_and_shows_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "homes.json"
    assert coflex(monkeypatch, "generate", "--homes", 6, "--seed", 2, "--out", out) == 0
    assert "6 homes" in capsys.readouterr().out
    assert coflex(monkeypatch, "check", out) == 0
    printed = capsys.readouterr().out
    assert "6 homes can be followed; show one with --home h0" in printed
    assert all(f"h{number} " in printed for number in range(6))
    assert coflex(monkeypatch, "check", out, "--home", "h3") == 0
    assert capsys.readouterr().out.startswith("h3: base load")


def test_generated_homes_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    homes, out = tmp_path / "homes.json", tmp_path / "out"
    coflex(monkeypatch, "generate", "--homes", 8, "--share", "car=1", "--out", homes)
    command = ("simulate", "--dataset", homes, "--iterations", 5, "--plans", 4, "--out", out)
    assert coflex(monkeypatch, *command, "--exchange", "off") == 0
    record = json.loads((out / "run.json").read_text())
    assert record["config"]["plans"] == 4
    assert record["homes"]["planned"]["homes"] > 0
    assert record["slot_times"]["first"] == "06:00"


def test_homes_take_their_base_loads_from_meters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [f"2025-01-14T{hour:02}:00,{hour % 8 / 16},{0.5}" for hour in range(24)]
    meters = tmp_path / "meters.csv"
    meters.write_text("\n".join(["time,a,b", *rows, "2025-01-15T00:00,0,0.5"]) + "\n")
    out = tmp_path / "homes.json"
    options = ("--from", meters, "--unit", "kWh", "--homes", 2, "--out", out)
    assert coflex(monkeypatch, "generate", *options) == 0
    first, _ = read_homes(out).homes.values()
    assert first.home.base_kwh[:2].tolist() == [6 / 16, 7 / 16]
    assert first.home.base_kwh[-1] == 5 / 16


def test_converted_homes_keep_their_plans_only(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert coflex(monkeypatch, "convert", file, file.parent / "plans.npz") == 0
    assert "without their devices" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check"], "homes"),
        (["check", "nowhere.toml"], "no such file or folder"),
        (["check", "data.npz"], "expected a home file"),
        (["check", "home.toml", "--home", "h2"], "there is no home 'h2'"),
        (["check", "home.toml", "--plans", "0"], "--plans"),
        (["check", "home.toml", "--seed", "-1"], "--seed"),
        (["check", "cold.toml"], "field h1.car: cannot do what it must"),
        (["check", "empty"], "expected a home file"),
        (["generate", "--homes", "0", "--out", "x.json"], "--homes: must be at least 1"),
        (["generate", "--homes", "2", "--out", "x.npz"], "one file ending in .json"),
        (["generate", "--homes", "2", "--out", "x.json", "--format", "npz"], "--format"),
        (["generate", "--homes", "2", "--out", "x.json", "--slots", "7"], "--slots"),
        (["generate", "--homes", "2", "--out", "x.json", "--scheme", "shuffle:3"], "--scheme"),
        (["generate", "--homes", "2", "--out", "x.json", "--households", "3"], "--households"),
        (["generate", "--homes", "2", "--out", "x.json", "--share", "cat=1"], "mean 'car'?"),
        (["generate", "--homes", "2", "--out", "x.json", "--unit", "kWh"], "without --from"),
        (["generate", "--out", "x.json", "--share", "car=1"], "has no effect without --homes"),
        (["generate", "--homes", "2", "--out", "home.toml"], "one file ending in .json"),
        (["simulate", "--dataset", "home.toml", "--score", "cost"], "--score"),
        (["simulate", "--dataset", "home.toml", "--households", "2"], "--households"),
        (["simulate", "--dataset", "home.toml", "--slots", "24"], "--slots"),
        (["simulate", "--demo", "--plans", "3"], "only homes make plans from devices"),
        (["simulate", "--demo", "--iterations", "0", "--beta", "0.5"], "there is no stage 1"),
        (["simulate", "--demo", "--discomfort", "device"], "only homes have devices"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else "",
)
def test_one_error_and_status_2(
    file: Path,
    arguments: list[str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = file.parent
    (folder / "data.npz").write_bytes(b"")
    (folder / "cold.toml").write_text(
        HOME.replace("max_in = 11.0", "max_in = 4.0").replace(
            'plugged = ["20:15", "06:10"]', 'plugged = ["20:15", "22:10"]'
        )
    )
    (folder / "empty").mkdir()
    monkeypatch.chdir(folder)
    assert coflex(monkeypatch, *arguments) == 2
    printed = capsys.readouterr()
    assert words in " ".join(printed.err.split())
    assert "Traceback" not in printed.err
    assert not (folder / "results").exists()
