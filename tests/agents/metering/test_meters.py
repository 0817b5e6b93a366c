"""Meter files: energy is conserved, clock changes work, and wrong files are refused with their
place."""

import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from agents.metering.day_profile import MeterDay, read_meters
from agents.metering.options import MeterOptions, UnitName
from protocol.errors import InputError
from protocol.vectors import Array

BRUSSELS = "Europe/Brussels"
Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str) -> Path:
        path = tmp_path / "meters.csv"
        path.write_text(text)
        return path

    return written


def series(first: str, last: str, minutes: int, households: int = 3) -> tuple[pd.Index, Array]:
    """Return readings of whole local days in Brussels: aware times, and float64[r, n]."""
    times = pd.date_range(first, last, freq=f"{minutes}min", tz=BRUSSELS, inclusive="left")
    return times, np.random.default_rng(minutes).uniform(0.0, 2.0, (len(times), households))


def csv(path: Path, times: pd.Index, readings: Array, *, aware: bool) -> Path:
    form = "%Y-%m-%dT%H:%M:%S%z" if aware else "%Y-%m-%d %H:%M"
    lines = ["time," + ",".join(f"home{column}" for column in range(readings.shape[1]))]
    for time, row in zip(times.strftime(form), readings.tolist(), strict=True):
        lines.append(",".join([time, *map(repr, row)]))
    path.write_text("\n".join(lines) + "\n")
    return path


def minute_by_minute(times: pd.Index, energy: Array, minutes: int, day: str, slots: int) -> Array:
    """Return the slots by a second, slow implementation: spread each reading over its minutes, and
    sum the minutes of each slot."""
    begin = pd.Timestamp(day, tz=BRUSSELS)
    length = int(((begin + pd.DateOffset(days=1)) - begin).total_seconds() // 60)
    result = np.zeros((energy.shape[1], slots))
    for time, row in zip(times, energy, strict=True):
        start = int((time - begin).total_seconds() // 60)
        for minute in range(start, start + minutes):
            if 0 <= minute < length:
                result[:, minute * slots // length] += row / minutes
    return result


@pytest.mark.parametrize("unit", ["kWh", "kW"])
@pytest.mark.parametrize(("minutes", "slots"), [(15, 144), (60, 144), (60, 24), (5, 96), (30, 7)])
def test_energy_is_conserved(tmp_path: Path, unit: UnitName, minutes: int, slots: int) -> None:
    times, readings = series("2025-02-03", "2025-02-06", minutes)
    path = csv(tmp_path / "m.csv", times, readings, aware=True)
    made = read_meters(
        path, slots=slots, day="2025-02-04", options=MeterOptions(unit=unit, timezone=BRUSSELS)
    )
    energy = readings if unit == "kWh" else readings * minutes / 60
    chosen = energy[len(times) // 3 : 2 * len(times) // 3]
    assert made.energy.shape == (3, slots)
    np.testing.assert_allclose(made.energy.sum(1), chosen.sum(0), rtol=1e-12)
    mean = read_meters(path, slots=slots, options=MeterOptions(unit=unit, timezone=BRUSSELS))
    np.testing.assert_allclose(mean.energy.sum(1), energy.sum(0) / 3, rtol=1e-12)
    assert mean.days == (date(2025, 2, 3), date(2025, 2, 4), date(2025, 2, 5))


def test_readings_that_match_the_slots_are_not_changed(tmp_path: Path) -> None:
    times, readings = series("2025-02-03", "2025-02-04", 10)
    path = csv(tmp_path / "m.csv", times, readings, aware=False)
    made = read_meters(path, slots=144, options=MeterOptions(timezone=BRUSSELS))
    assert np.array_equal(made.energy, readings.T)
    assert made.ids == ["home0", "home1", "home2"]


@pytest.mark.parametrize("aware", [True, False])
@pytest.mark.parametrize(
    ("day", "hours"), [("2025-03-30", 23), ("2025-10-26", 25), ("2025-07-01", 24)]
)
@pytest.mark.parametrize("minutes", [15, 60])
def test_days_when_the_clock_changes(
    tmp_path: Path, day: str, hours: int, minutes: int, aware: bool
) -> None:
    after = str(pd.Timestamp(day) + pd.Timedelta(days=3))
    times, readings = series(str(pd.Timestamp(day) - pd.Timedelta(days=1)), after, minutes)
    path = csv(tmp_path / "m.csv", times, readings, aware=aware)
    # slots of whole minutes, for which the slow implementation is exact
    made = read_meters(path, slots=hours * 12, day=day, options=MeterOptions(timezone=BRUSSELS))
    rows = times.strftime("%Y-%m-%d") == day
    assert int(rows.sum()) * minutes == hours * 60
    twin = minute_by_minute(times, readings, minutes, day, hours * 12)
    np.testing.assert_allclose(made.energy, twin, rtol=1e-9)
    made = read_meters(path, slots=144, day=day, options=MeterOptions(timezone=BRUSSELS))
    np.testing.assert_allclose(made.energy.sum(1), readings[rows].sum(0), rtol=1e-12)


def test_constant_power_stays_constant_when_the_clock_changes(tmp_path: Path) -> None:
    times, readings = series("2025-03-30", "2025-03-31", 15)
    path = csv(tmp_path / "m.csv", times, np.ones_like(readings), aware=False)
    made = read_meters(
        path, slots=144, day="2025-03-30", options=MeterOptions(unit="kW", timezone=BRUSSELS)
    )
    np.testing.assert_allclose(made.energy, 23 / 144, rtol=1e-12)


def test_local_days_are_those_of_the_time_zone(tmp_path: Path) -> None:
    times, readings = series("2025-02-03", "2025-02-05", 60)
    path = csv(tmp_path / "m.csv", times, readings, aware=True)
    made = read_meters(path, slots=24, options=MeterOptions(timezone="UTC"))
    assert made.days == (date(2025, 2, 3),)
    assert np.array_equal(made.energy, readings[1:25].T)


def same(one: MeterDay, other: MeterDay) -> None:
    assert (one.ids, one.days) == (other.ids, other.days)
    assert np.array_equal(one.energy, other.energy)


@pytest.mark.parametrize("aware", [True, False])
def test_wide_long_csv_and_parquet_give_the_same(tmp_path: Path, aware: bool) -> None:
    times, readings = series("2025-10-25", "2025-10-28", 15)
    wide = pd.read_csv(csv(tmp_path / "wide.csv", times, readings, aware=aware))
    expected = read_meters(tmp_path / "wide.csv", options=MeterOptions(timezone=BRUSSELS))
    long = wide.melt("time", var_name="meter", value_name="kWh")
    by_time = wide.set_index("time").stack().reset_index()
    by_time.columns = ["snapshot", "household", "value"]
    typed = wide.assign(time=times if aware else times.tz_localize(None))
    for name, frame in {"long": long, "by_time": by_time, "text": wide, "typed": typed}.items():
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
        frame.to_parquet(tmp_path / f"{name}.parquet")
        same(
            read_meters(tmp_path / f"{name}.csv", options=MeterOptions(timezone=BRUSSELS)), expected
        )
        same(
            read_meters(tmp_path / f"{name}.parquet", options=MeterOptions(timezone=BRUSSELS)),
            expected,
        )
    typed.set_index("time").to_parquet(tmp_path / "indexed.parquet")
    same(
        read_meters(tmp_path / "indexed.parquet", options=MeterOptions(timezone=BRUSSELS)), expected
    )


def test_the_first_column_is_the_time_when_none_has_a_known_name(write: Write) -> None:
    rows = "".join(f"2025-01-01 {hour:02}:00,{hour * 7 % 24}\n" for hour in range(24))
    assert read_meters(write(f",Load 1\n{rows}"), slots=24).ids == ["Load-1"]
    assert read_meters(write(f"wann,a.b/c\n{rows}"), slots=24).ids == ["a-b-c"]


def test_columns_can_be_named(write: Write) -> None:
    rows = "".join(f"x,2025-01-01 {hour:02}:00,home,{hour * 7 % 24}\n" for hour in range(24))
    path = write(f"note,wann,wer,viel\n{rows}")
    columns = MeterOptions(
        layout="long", time_column="wann", household_column="wer", value_column="viel"
    )
    made = read_meters(path, slots=24, options=columns)
    assert made.ids == ["home"]
    assert made.energy[0].tolist() == [hour * 7 % 24 for hour in range(24)]
    with pytest.raises(InputError, match="line 1: no column names the household"):
        read_meters(path, options=MeterOptions(layout="long", time_column="wann"))
    with pytest.raises(InputError, match="field --household-column: has no column 'who'"):
        read_meters(path, options=MeterOptions(time_column="wann", household_column="who"))


def test_semicolons_and_decimal_commas_are_read(write: Write) -> None:
    rows = "".join(f"2025-01-01 {hour:02}:00;{hour * 7 % 24},5;1,0\n" for hour in range(24))
    made = read_meters(write(f"time;a;b\n{rows}"), slots=24)
    assert made.energy[:, 3].tolist() == [21.5, 1.0]


def test_blank_lines_do_not_shift_the_line_of_an_error(write: Write) -> None:
    with pytest.raises(InputError, match="line 5, field a: 'x' is not a number"):
        read_meters(write("time,a\n2025-01-01 00:00,1\n\n2025-01-01 01:00,2\n2025-01-01 02:00,x\n"))


def test_homes_that_feed_in_are_allowed_when_asked(write: Write) -> None:
    rows = "".join(f"2025-01-01 {hour:02}:00,{5 - hour}\n" for hour in range(24))
    path = write(f"time,a\n{rows}")
    with pytest.raises(InputError, match=r"line 8, field a: .* negative.*--allow-negative"):
        read_meters(path)
    assert (
        read_meters(path, slots=24, options=MeterOptions(allow_negative=True)).energy[0, -1]
        == -18.0
    )


def test_faults_on_other_days_do_not_matter_for_a_chosen_day(write: Write) -> None:
    text = "time,a\n" + "".join(
        f"2025-01-0{day} {hour:02}:00,{'' if day == 1 and hour == 3 else 1}\n"
        for day in (1, 2)
        for hour in range(24)
        if (day, hour) != (1, 20)
    )
    assert read_meters(write(text), day="2025-01-02").energy.sum() == pytest.approx(24.0)
    mean = read_meters(write(text))
    assert mean.days == (date(2025, 1, 2),)
    assert "days left out as incomplete: 2025-01-01 (2025-01-01T21:00:00Z comes 120" in str(mean)
    with pytest.raises(InputError, match=r"line 22, field a: day 2025-01-01 is not complete"):
        read_meters(write(text), day="2025-01-01")


def hours(*changes: tuple[int, str], header: str = "time,a,b") -> str:
    """Return a file of one day in hours, with some lines (counted from 1) replaced."""
    lines = [header, *(f"2025-01-01 {hour:02}:00,1,2" for hour in range(24))]
    for line, text in changes:
        lines[line - 1] = text
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("time,a\n", "holds no readings"),
        ("time\n2025-01-01\n", "line 1: has no household columns"),
        (hours(header="time,a,a"), "line 1: two columns are named 'a'"),
        (hours((4, "2025-01-01 02:00,,2")), "line 4, field a: .*02:00:00Z there is no reading"),
        (hours((4, "2025-01-01 02:00,1")), "line 4, field b: .* there is no reading"),
        (hours((4, "2025-01-01 02:00,1,2,3")), "line 4: has a row with more cells"),
        (hours((4, "2025-01-01 02:00,1,much")), "line 4, field b: 'much' is not a number"),
        (hours((4, "2025-01-01 02:00,1,inf")), "line 4, field b: .*inf.* is not a number"),
        (hours((4, "2025-01-01 01:00,1,2")), "line 5, field a: .*03:00:00Z comes 120 minutes"),
        (hours((4, "2025-01-01 00:30,1,2")), "line 4, field a: .*00:30:00Z comes 30 minutes"),
        (hours((4, "2025-01-01 02:30,1,2")), "line 4, field a: .*02:30:00Z comes 90 minutes after"),
        (hours((4, "")), "line 5, field a: .*03:00:00Z comes 120 minutes after"),
        (hours((4, "soon,1,2")), "line 4, field time: 'soon' is not a time"),
        (hours((4, ",1,2")), "line 4, field time: .* the cell is empty"),
        (hours((4, "2025-01-01T02:00Z,1,2")), "line 2, field time: .* has no offset"),
        (hours((2, "0001-01-01 00:00,1,2")), "line 2, field time: .* outside the years"),
        (
            hours((25, "")),
            "line 24, field a: covers no whole day: readings end at 2025-01-01T22:00:00Z",
        ),
        (
            "time,meter,x,y\n2025-01-01,a,1,2\n",
            "line 1: column 'meter' names households, but which",
        ),
        ("time,a\n2025-01-01 00:00,1\n", "has a single time"),
        ("time,a\n2025-01-01,1\n2025-01-02,1\n", "24 hours apart, too far"),
        ("time,a\n1735689600,1\n1735693200,1\n", "line 3, field a: .*readings end"),
    ],
)
def test_wrong_files_are_refused_with_their_place(write: Write, text: str, message: str) -> None:
    with pytest.raises(InputError, match=rf"meters\.csv.*{message}"):
        read_meters(write(text))


def test_a_long_file_in_which_a_household_lacks_a_reading(write: Write) -> None:
    rows = "".join(
        f"2025-01-01 {hour:02}:00,{name},1\n"
        for hour in range(24)
        for name in "ab"
        if (hour, name) != (7, "b")
    )
    with pytest.raises(InputError, match=r"line 18, field b: .*08:00:00Z comes 120 minutes"):
        read_meters(write(f"time,household,value\n{rows}"))
    with pytest.raises(InputError, match="line 3, field household: names no household"):
        read_meters(write("time,household,value\n2025-01-01,a,1\n2025-01-01,,1\n"))


def test_hours_that_the_clock_skips_or_does_not_repeat_are_refused(write: Write) -> None:
    text = hours().replace("2025-01-01", "2025-03-30")
    with pytest.raises(InputError, match=r"line 4, field time: .*02:00.* does not exist in Eur"):
        read_meters(write(text), options=MeterOptions(timezone=BRUSSELS))
    text = hours().replace("2025-01-01", "2025-10-26")
    with pytest.raises(InputError, match=r"line 5, field a: .*10-26T02:00:00Z comes 120"):
        read_meters(write(text), options=MeterOptions(timezone=BRUSSELS))


def test_impossible_settings_are_refused(tmp_path: Path, write: Write) -> None:
    path = write(hours())
    with pytest.raises(
        InputError, match="field --day: does not cover the whole day 2025-01-02 in U"
    ):
        read_meters(path, day="2025-01-02")
    with pytest.raises(InputError, match="field --day: 'today' is neither"):
        read_meters(path, day="today")
    with pytest.raises(InputError, match="field --timezone: 'Mars/Olympus' is not a known"):
        read_meters(path, options=MeterOptions(timezone="Mars/Olympus"))
    with pytest.raises(InputError, match="field --slots: must be at least 1"):
        read_meters(path, slots=0)
    with pytest.raises(InputError, match="there is no such file"):
        read_meters(tmp_path / "none.csv")
    other = tmp_path / "meters.xls"
    other.write_bytes(b"PK\x03\x04")
    with pytest.raises(InputError, match="Excel workbook: save the sheet as CSV"):
        read_meters(other)
    other = tmp_path / "meters.parquet"
    other.write_bytes(b"not parquet")
    with pytest.raises(InputError, match=r"meters\.parquet: is not a Parquet file"):
        read_meters(other)
    path.write_bytes(b"time,\xff\xfe\n")
    with pytest.raises(InputError, match="is not text in ascii"):
        read_meters(path, options=MeterOptions(encoding="ascii"))


def test_the_missing_extra_is_named(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InputError, match=r"pip install 'coflex\[report\]'"):
        read_meters(write(hours()))
