"""`coflex generate`: files have what was generated, and wrong input ends with status 2."""

import sys
from pathlib import Path

import numpy as np
import pytest

from agents.metering.day_profile import read_meters
from agents.metering.options import MeterOptions
from agents.plans import Population
from agents.population import epos_folder
from agents.population import npz_archive as archive
from agents.population.plan_alternatives import parse_scheme
from agents.population.synthetic import generate
from orchestrator.cli import main


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["coflex", "generate", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def same(one: Population, other: Population) -> None:
    assert len(one.households) == len(other.households)
    for mine, theirs in zip(one.households.values(), other.households.values(), strict=True):
        assert np.array_equal(mine.values, theirs.values)
        assert np.array_equal(mine.scores, theirs.scores)
        assert mine.meaning == theirs.meaning


def test_a_folder_has_the_generated_households(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "made"
    assert run(monkeypatch, "--households", 12, "--slots", 48, "--seed", 4, "--out", out) == 0
    same(epos_folder.read(out), generate(households=12, slots=48, seed=4))
    assert "12 households, 10 plans, 48 slots" in capsys.readouterr().out


def test_an_archive_has_the_generated_households(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "made.npz"
    options = ["--households", 3, "--scheme", "swap-2:1,shuffle:1", "--out", out]
    assert run(monkeypatch, *options) == 0
    read = archive.read(out)
    same(read, generate(households=3, scheme=parse_scheme("swap-2:1,shuffle:1")))
    assert list(read.households) == ["h0", "h1", "h2"]


@pytest.fixture
def meters(tmp_path: Path) -> Path:
    rows = "".join(f"2025-01-01 {hour:02}:00,{hour * 7 % 24},2,3\n" for hour in range(24))
    path = tmp_path / "meters.csv"
    path.write_text(f"time,a,b,c\n{rows}")
    return path


def test_meter_data_becomes_preferred_plans(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    meters: Path,
) -> None:
    out = tmp_path / "made.npz"
    options = ["--from", meters, "--unit", "kW", "--households", 2, "--slots", 96]
    assert run(monkeypatch, *options, "--out", out) == 0
    read = archive.read(out)
    assert list(read.households) == ["a", "b"]
    preferred = np.stack([plans.preferred for plans in read.households.values()])
    assert np.array_equal(
        preferred, read_meters(meters, slots=96, options=MeterOptions(unit="kW")).energy[:2]
    )
    assert "2 households, 10 plans, 96 slots, 162.0 kWh a household" in capsys.readouterr().out


def test_a_folder_says_that_it_loses_the_names(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    meters: Path,
) -> None:
    assert run(monkeypatch, "--from", meters, "--out", tmp_path / "made") == 0
    assert "its coflex.toml keeps their old names" in capsys.readouterr().out
    assert list(epos_folder.read(tmp_path / "made").households) == ["h0", "h1", "h2"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--slots", 20, "--scheme", "swap-30:3"], "field --scheme: swap-30:3 needs plans of at l"),
        (["--households", 0], "field --households: must be at least 1"),
        (["--scheme", "all"], "field --scheme: 'all' is not a part of a scheme"),
        (["--from", "none.csv"], "none.csv: there is no such file"),
    ],
)
def test_wrong_input_is_reported_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[object],
    message: str,
) -> None:
    assert run(monkeypatch, *options, "--out", tmp_path / "made") == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [0, 4])
def test_more_households_than_in_the_file_are_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    meters: Path,
    number: int,
) -> None:
    out = tmp_path / "made"
    assert run(monkeypatch, "--from", meters, "--households", number, "--out", out) == 2
    assert f"field --households: {number} is not possible:" in capsys.readouterr().err
    assert not out.exists()
