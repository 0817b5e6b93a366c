"""The times of slots as text: ISO 8601 in files, HH:MM in pictures."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from agents.plans import SlotTimes
from orchestrator.results.command_line import command_line
from orchestrator.results.result_files import read, write
from orchestrator.results.slot_clock import (
    TICKS_MAX,
    axis_label,
    axis_ticks,
    clock_times,
    iso_times,
)
from tests.support.sample_results import sample_results

ANY_DAY = SlotTimes("00:00", 60)
SPRING = SlotTimes("2025-03-30T00:00:00+01:00", 60, "Europe/Brussels")
"""The clock goes from 02:00 to 03:00 on this day."""


def test_no_date_is_invented() -> None:
    assert iso_times(ANY_DAY, 3) == ["00:00", "01:00", "02:00"]
    assert clock_times(ANY_DAY, 3) == ["00:00", "01:00", "02:00"]


def test_times_are_local_on_the_day_the_clock_changes() -> None:
    assert iso_times(SPRING, 4) == [
        "2025-03-30T00:00+01:00",
        "2025-03-30T01:00+01:00",
        "2025-03-30T03:00+02:00",
        "2025-03-30T04:00+02:00",
    ]
    assert clock_times(SPRING, 4) == ["00:00", "01:00", "03:00", "04:00"]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (SlotTimes("2025-01-14T18:30", 30), "2025-01-14T19:00"),
        (SlotTimes("2025-01-14T18:30", 30, "Europe/Brussels"), "2025-01-14T19:00+01:00"),
        (SlotTimes("2025-01-14T18:30", 30, "+05:30"), "2025-01-14T19:00+05:30"),
        (SlotTimes("2025-01-14T18:30Z", 30, "Europe/Brussels"), "2025-01-14T20:00+01:00"),
        (SlotTimes("2025-01-14", 30), "2025-01-14T00:30"),
        (SlotTimes("18:30:00", 30), "19:00"),
        (SlotTimes("18:30", 0.5), "18:30:30"),
    ],
)
def test_the_second_slot(times: SlotTimes, expected: str) -> None:
    assert iso_times(times, 2)[1] == expected


def test_several_days_are_distinguished() -> None:
    assert clock_times(SlotTimes("12:00", 720), 3) == ["day 1 12:00", "day 2 00:00", "day 2 12:00"]
    dated = SlotTimes("2025-01-14T12:00", 720)
    assert clock_times(dated, 3) == ["14 Jan 12:00", "15 Jan 00:00", "15 Jan 12:00"]


def test_an_axis_has_round_times_that_fit() -> None:
    quarters = SlotTimes("00:00", 15)
    assert axis_ticks(quarters, 96) == [(slot, f"{slot // 4:02}:00") for slot in range(0, 96, 16)]
    assert axis_ticks(SlotTimes("00:07", 60), 24)[0] == (0, "00:07")
    for slots in (1, 2, 5, 24, 49, 168, 1000):
        assert 1 <= len(axis_ticks(ANY_DAY, slots)) <= TICKS_MAX
    assert (12, "15 Jan") in axis_ticks(SlotTimes("2025-01-14T12:00", 60), 48)
    assert axis_label(SPRING) == "time of day (Europe/Brussels)"


def test_results_keep_times_names_date_and_command(tmp_path: Path) -> None:
    kept = replace(
        sample_results(slots=4),
        slot_times=SPRING,
        names={"h0": "Zo\u00eb"},
        ended="2026-01-02T03:04:05+01:00",
        command="coflex simulate",
    )
    write(kept, tmp_path)
    lines = list(csv.DictReader((tmp_path / "demand.csv").read_text().splitlines()))
    assert [line["time"] for line in lines] == iso_times(SPRING, 4)
    assert list(lines[0])[:2] == ["slot", "time"]
    again = read(tmp_path)
    for name in ("slot_times", "names", "ended", "command"):
        assert getattr(again, name) == getattr(kept, name)


def test_unknown_times_are_not_written(tmp_path: Path) -> None:
    write(sample_results(slots=4), tmp_path)
    assert (tmp_path / "demand.csv").read_text().startswith("slot,preferred,planned\n")
    assert read(tmp_path).slot_times is None


def test_a_command_line_can_be_repeated_and_has_no_login() -> None:
    assert command_line(["run", "--out", "my results"]) == "coflex run --out 'my results'"
    typed = command_line(["run", "--nats", "nats://me:secret@one:4222,two@three", "--out", "a@b"])
    assert typed == "coflex run --nats nats://one:4222,three --out a@b"
    assert command_line(["run", "--nats=tls://token@one"]) == "coflex run --nats=tls://one"
