"""Tables with times: lines that become slots, and tables that are refused."""

from pathlib import Path

import numpy as np
import pytest

from agents.plans import SlotTimes
from orchestrator.scenario.timed_table import Clock, is_timed, read_timed
from protocol.errors import InputError

UNITS = ("kwh", "kw", "price")
QUARTERS = Clock(8, SlotTimes("06:00", 180.0))
"""A day of 8 slots of 3 hours that begins at 06:00."""
AUTUMN = Clock(25, SlotTimes("2025-10-26T00:00:00+02:00", 60.0, "Europe/Brussels"))
"""A day of 25 hours: 02:00 occurs twice."""
HOURS = ["06:00", "09:00", "12:00", "15:00", "18:00", "21:00", "00:00", "03:00"]


def table(folder: Path, *lines: str) -> Path:
    path = folder / "table.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_line_for_each_slot(tmp_path: Path) -> None:
    path = table(tmp_path, "time,kwh", *(f"{hour},{n}" for n, hour in enumerate(HOURS)))
    assert is_timed(path)
    assert read_timed(path, QUARTERS, UNITS)["kwh"].tolist() == list(range(8))


def test_a_table_may_begin_at_midnight(tmp_path: Path) -> None:
    ordered = [*enumerate(HOURS)][-2:] + [*enumerate(HOURS)][:-2]
    path = table(tmp_path, "time,kwh", *(f"{hour},{n}" for n, hour in ordered))
    assert read_timed(path, QUARTERS, UNITS)["kwh"].tolist() == list(range(8))


def test_longer_steps_hold_in_each_slot_and_energy_is_divided(tmp_path: Path) -> None:
    path = table(tmp_path, "time, KW, price", "6:00,2,5", "18:00,4,-7.5")
    columns = read_timed(path, QUARTERS, UNITS)
    assert columns["kwh"].tolist() == [6.0] * 4 + [12.0] * 4
    assert columns["price"].tolist() == [5.0] * 4 + [-7.5] * 4
    path = table(tmp_path, "time,kwh", "06:00,2", "18:00,4")
    assert read_timed(path, QUARTERS, UNITS)["kwh"].tolist() == [0.5] * 4 + [1.0] * 4


def test_an_empty_cell_is_nan(tmp_path: Path) -> None:
    path = table(tmp_path, "time,kwh", "06:00,2", "18:00,")
    assert np.isnan(read_timed(path, QUARTERS, UNITS)["kwh"]).tolist() == [False] * 4 + [True] * 4


def test_a_day_on_which_clocks_change(tmp_path: Path) -> None:
    clocks = ["00:00", "01:00", "02:00", "02:00", *(f"{hour:02}:00" for hour in range(3, 24))]
    path = table(tmp_path, "time,kwh", *(f"{clock},{n}" for n, clock in enumerate(clocks)))
    assert read_timed(path, AUTUMN, UNITS)["kwh"].tolist() == list(range(25))
    dated = [f"2025-10-26T{clock}" for clock in clocks]
    dated[2:4] = ["2025-10-26T02:00+02:00", "2025-10-26T02:00+01:00"]
    path = table(tmp_path, "time,kwh", *(f"{time},{n}" for n, time in enumerate(dated)))
    assert read_timed(path, AUTUMN, UNITS)["kwh"].tolist() == list(range(25))


@pytest.mark.parametrize(
    ("lines", "line", "field", "reason"),
    [
        (["time,mwh", "06:00,1"], 1, "mwh", "no unit that is known here: did you mean 'kwh'?"),
        (["time", "06:00"], 1, None, "no column beside time"),
        (["time,kwh,kw", "06:00,1,1"], 1, "kwh", "two such columns"),
        (["time,kwh", "06:00,1,2"], 2, None, "3 cells, but the header has 2"),
        (["time,kwh", "06:00,x"], 2, "kwh", "'x' is not a number"),
        (["time,kwh", "06:00,nan"], 2, "kwh", "'nan' is not a number"),
        (["time,kwh", "06:00,inf"], 2, "kwh", "'inf' is not a number"),
        (["time,kwh", "06:00,1", "18:00,1", "20:00,1"], None, None, "3 lines of times for 8"),
        (["time,kwh"], None, None, "0 lines of times for 8 slots"),
        (["time,kwh", "00:00,1", "12:00,1"], None, None, "no line for 06:00"),
        (["time,kwh", "06:00,1", "12:00,1"], 3, "time", "'12:00' is not the time expected here"),
        (["time,kwh", "2025-01-01T06:00,1", "18:00,1"], None, None, "no line for 06:00"),
    ],
)
def test_a_wrong_table_is_refused_with_its_line(
    tmp_path: Path, lines: list[str], line: int | None, field: str | None, reason: str
) -> None:
    path = table(tmp_path, *lines)
    with pytest.raises(InputError) as error:
        read_timed(path, QUARTERS, UNITS)
    assert (error.value.file, error.value.line, error.value.field) == (path, line, field)
    assert reason in error.value.reason


def test_a_wrong_date_is_refused(tmp_path: Path) -> None:
    hours = [f"2025-10-27T{hour:02}:00,1" for hour in range(24)]
    path = table(tmp_path, "time,kwh", *hours, "2025-10-27T23:00,1")
    with pytest.raises(InputError, match="expected here, 2025-10-26T00:00"):
        read_timed(path, AUTUMN, UNITS)


def test_times_need_a_data_set_that_has_them(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not say when its slots are"):
        read_timed(table(tmp_path, "time,kwh", "06:00,1"), Clock(8, None), UNITS)
