"""Runs of homes: from the selection of a file, from plans of their devices, and what they cost."""

import csv
import json
import sys
from pathlib import Path
from typing import Any

import pytest

import coflex
from orchestrator.cli import main
from protocol.errors import InputError

WASHER: dict[str, Any] = {
    "name": "washer",
    "kind": "cycle",
    "profile": [0.5],
    "earliest": 3,
    "preferred": 4,
    "latest": 9,
    "tolerance_min": 120,
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three homes: two with a washer and plans, one without a device."""
    plans = [{"starts": {"washer": start}} for start in (4, 5, 9)]
    homes: list[dict[str, Any]] = [
        {"id": "h0", "base": [0.5] * 24, "devices": [WASHER], "plans": plans, "selected": 2},
        {"id": "h1", "base": [0.5] * 24, "devices": [WASHER], "plans": plans},
        {"id": "h2", "base": [0.25] * 24},
    ]
    path = tmp_path / "homes.json"
    path.write_text(json.dumps({"slots": 24, "slot_minutes": 60, "homes": homes}))
    return path


def run(file: Path, **options: Any) -> Any:
    return coflex.simulate(dataset=file, exchange="off", **options).results


@pytest.mark.parametrize("isolation", ["task", "subtree"])
def test_without_stage_1_homes_start_from_the_selection_of_their_file(
    file: Path, isolation: Any
) -> None:
    results = run(file, iterations=0, isolation=isolation, hosts=2)
    assert [row.selected_plan for row in results.rows] == [2, 0, 0]
    assert results.iterations == 0
    assert results.demand.planned[[4, 9]].tolist() == [1.75, 1.75]
    assert len(results.planning_history) == 1
    assert results.config["discomfort"] == "device"


def test_households_without_devices_start_from_their_preferred_plans() -> None:
    results = coflex.simulate(demo=True, households=5, iterations=0, exchange="off").results
    assert [row.discomfort_planned for row in results.rows] == [0.0] * 5
    assert results.homes is None


def test_results_say_what_a_run_costs_by_device(file: Path) -> None:
    results = run(file, iterations=0)
    planned = results.homes["planned"]
    assert (planned.homes, planned.minutes_late, planned.hours_late) == (2, 150.0, None)
    assert (planned.mean_discomfort, planned.max_discomfort) == (1.25, 2.5)
    assert results.homes["preferred"].mean_discomfort == 0.0


def test_stage_1_weighs_the_discomfort_of_devices(file: Path) -> None:
    at_ease = run(file, beta=0.9, seed=1)
    assert at_ease.homes["planned"].minutes_late == 0.0
    altruistic = run(file, beta=0.0, seed=1)
    assert altruistic.homes["planned"].minutes_late > 0.0
    assert altruistic.planned.inefficiency < at_ease.planned.inefficiency


def test_mandates_cap_the_discomfort_of_a_device(file: Path, tmp_path: Path) -> None:
    mandates = tmp_path / "mandates.toml"
    mandates.write_text("[h0]\ndevice_discomfort = 0.5\n[h1.device_discomfort]\nwasher = 0\n")
    results = run(file, mandates=mandates)
    assert results.rows[0].minutes_late_planned <= 60.0
    assert results.rows[1].minutes_late_planned == 0.0
    for table, reason in (
        ("[h2]\ndevice_discomfort = 1", None),
        ("[h0.device_discomfort]\nwascher = 1", "did you mean 'washer'?"),
        ("[h0]\ndevice_discomfort = -1", "must not be negative"),
    ):
        mandates.write_text(table)
        if reason is None:
            run(file, mandates=mandates)
            continue
        with pytest.raises(InputError, match=reason):
            run(file, mandates=mandates)


def test_what_only_homes_have(tmp_path: Path) -> None:
    mandates = tmp_path / "mandates.toml"
    mandates.write_text("[h0]\ndevice_discomfort = 1\n")
    with pytest.raises(InputError, match="only homes have devices"):
        coflex.simulate(demo=True, households=2, mandates=mandates)
    with pytest.raises(InputError, match="only homes have devices"):
        coflex.simulate(demo=True, households=2, discomfort="device")
    with pytest.raises(InputError, match="only homes make plans"):
        coflex.simulate(demo=True, households=2, plans=3)
    with pytest.raises(InputError, match="there is no stage 1"):
        coflex.simulate(demo=True, households=2, iterations=0, beta=0.5)


def test_homes_are_generated_by_the_seed_of_the_run() -> None:
    first, again, other = (
        coflex.simulate(homes=12, iterations=3, exchange="off", seed=seed).results
        for seed in (1, 1, 2)
    )
    assert first.households == 12
    assert first.slots == 96
    assert first.homes is not None
    assert first.homes["planned"].homes > 0
    assert first.data_sha256 == again.data_sha256 != other.data_sha256
    assert first.rows == again.rows


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"households": 3}, "--homes says how many"),
        ({"slots": 24}, "have 96 slots"),
        ({"demo": True}, "give either a data set or --demo"),
        ({"score": "cost"}, "no scores"),
    ],
)
def test_options_beside_generated_homes(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        coflex.simulate(homes=3, exchange="off", **options)


def test_the_reference_homes_start_where_their_file_says(shared: Path) -> None:
    results = run(shared / "data" / "homes" / "homes-200.json", iterations=0)
    assert results.planned.inefficiency == 26.571278889560034
    assert results.planned.peak == 22.3583984375
    planned = results.homes["planned"]
    assert planned.homes == 157
    assert planned.mean_discomfort == pytest.approx(0.684, abs=5e-4)
    assert planned.max_discomfort == pytest.approx(3.625)
    assert planned.minutes_late == pytest.approx(115.93, abs=5e-3)


def test_files_and_summary_have_minutes_degrees_and_hours(
    file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "out"
    command = ["coflex", "simulate", "--dataset", str(file), "--iterations", "0"]
    monkeypatch.setattr(sys, "argv", [*command, "--exchange", "off", "--out", str(out)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert "device discomfort" in printed
    assert "machines late" in printed
    assert "cars late" not in printed
    assert "score" not in printed
    rows = list(csv.DictReader((out / "households.csv").read_text().splitlines()))
    assert [row["minutes_late_planned"] for row in rows] == ["300.0", "0.0", ""]
    assert "hours_late_planned" not in rows[0]
    record = json.loads((out / "run.json").read_text())
    assert record["homes"]["planned"]["minutes_late"] == 150.0
    read = coflex.load_results(out).results.homes
    assert read is not None
    assert read["planned"].minutes_late == 150.0
