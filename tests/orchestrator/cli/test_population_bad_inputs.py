"""Bad meter files and plan files: exit status 2, one helpful line, and no files written."""

import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.cli import main

TIMES = [datetime(2025, 1, 14) + timedelta(minutes=30 * row) for row in range(96)]
VALUES = [round(0.1 + 0.7 * (row * 37 % 48) / 48, 3) for row in range(96)]
OTHERS = [round(0.1 + 0.7 * (row * 29 % 48) / 48, 3) for row in range(96)]


def table(
    header: str, cells: Callable[[int], str] | None = None, *, lines: dict[int, str] | None = None
) -> str:
    """Return a file of two days in half hours, with some lines (counted from 1) replaced."""
    made = [header]
    for row, time in enumerate(TIMES):
        made.append(f"{time:%Y-%m-%d %H:%M},{cells(row) if cells else VALUES[row]}")
    for line, text in (lines or {}).items():
        made[line - 1] = text
    return "\n".join(made) + "\n"


def counted(row: int) -> str:
    return f"{1000 + sum(VALUES[: row + 1]):.3f}"


def row_a_day(labels: list[str]) -> str:
    return "date," + ",".join(labels) + "\n2025-01-14," + ",".join(["0.2"] * len(labels)) + "\n"


NEM = "100,NEM12,202501010000,A,B\n"
BAD: dict[str, tuple[str | bytes, str, str]] = {
    # fault: (content of the file, options, error message)
    "empty": ("", "", "is empty"),
    "blank lines": ("\n\n \n", "", "is empty"),
    "header alone": ("time,home\n", "", "holds no readings"),
    "no table": ("Dear neighbour,\nthe meter is broken.\n", "", "no row holds a time"),
    "json": ('[{"time": "2025-01-14", "kWh": 1}]', "", "is JSON: save"),
    "web page": ("<html><body>Log in</body></html>", "", "is a web page"),
    "broken xml": ("<feed><entry>", "", "line 1: is not well-formed XML"),
    "entities in xml": ('<!DOCTYPE a [<!ENTITY b "c">]><a/>', "", "has a document type"),
    "workbook": (b"PK\x03\x04rest", "", "save the sheet as CSV"),
    "compressed": (b"\x1f\x8b\x08rest", "", "unpack it first"),
    "parquet in name only": (b"PAR1rest", "", "is not a Parquet file"),
    "binary": (bytes(range(256)) * 3, "", "--encoding"),
    "unknown encoding": (table("time,home"), "--encoding klingon", "not a known encoding"),
    "wrong encoding": ("time,h\u00f6me\n".encode(), "--encoding ascii", "is not text in ascii"),
    "text reading": (
        table("time,home", lines={9: "2025-01-14 03:30,much"}),
        "",
        "line 9, field home: 'much' is not a number",
    ),
    "infinite reading": (table("time,home", lines={9: "2025-01-14 03:30,inf"}), "", "line 9"),
    "huge reading": (table("time,home", lines={9: "2025-01-14 03:30,1e308"}), "", "line 9"),
    "error code": (table("time,home", lines={9: "2025-01-14 03:30,16777.215"}), "", "--max-kw"),
    "negative": (table("time,home", lines={9: "2025-01-14 03:30,-1"}), "", "--allow-negative"),
    "no such day": (table("time,home", lines={9: "2025-02-30 03:30,1"}), "", "line 9, field time"),
    "offset in one line": (
        table("time,home", lines={9: "2025-01-14T03:30Z,1"}),
        "",
        "line 2, field time: '2025-01-14 00:00' has no offset",
    ),
    "one time, two readings": (
        table("time,home", lines={9: "2025-01-14 03:00,0.9"}),
        "",
        "line 9: 2025-01-14T03:00:00Z stands there twice",
    ),
    "too many cells": (
        table("time,home", lines={9: "2025-01-14 03:30,1,2"}),
        "",
        "line 9: has a row with more cells than the header names",
    ),
    "two of a name": (table("time,home,home", lambda r: "1,2"), "", "two columns are named 'home'"),
    "open quotation": (table("time,home", lines={9: '"2025-01-14 03:30,1'}), "", "line"),
    "money alone": (table("time,cost (EUR)"), "", "no column holds readings of electricity"),
    "unknown beside kWh": (
        table("time,kWh,foo", lambda r: f"{VALUES[r]},{r % 5}"),
        "",
        "--columns",
    ),
    "flows": (table("time,import,export", lambda r: f"{VALUES[r]},{OTHERS[r]}"), "", "--columns"),
    "solar alone": (table("time,solar production"), "", "energy that a home makes"),
    "ids": (table("time,foo,home", lambda r: f"4711001,{VALUES[r]}"), "", "--household-column"),
    "sum": (
        table("time,a,b,c", lambda r: f"{VALUES[r]},{OTHERS[r]},{VALUES[r] + OTHERS[r]:.3f}"),
        "",
        "field c: is the sum or mean of the others",
    ),
    "counter": (table("time,home", counted), "", "Say --counter"),
    "no counter": (table("time,home"), "--counter", "so it is no counter"),
    "counter of power": (table("time,home kW", counted), "--counter", "which no counter counts"),
    "Wh unsaid": (table("time,home", lambda r: f"{VALUES[r] * 1000:.0f}"), "", "--unit"),
    "MW unsaid": (
        table("time,home", lambda r: f"{VALUES[r] / 1000:.6f}"),
        "",
        "--unit, such as MW",
    ),
    "two units": (table("time,home [Wh]"), "--unit kWh", "is Wh by the column's name, but kWh"),
    "energy and power": (table("time,a kWh,b kW", lambda r: "1,2"), "", "energy and power"),
    "power of no unit": (table("time,power"), "", "in W, kW or MW? Say it with --unit"),
    "mixed units": (
        table("time,id,value,unit", lambda r: f"m,{VALUES[r]},{'kWh' if r % 2 else 'Wh'}"),
        "",
        "--only unit=",
    ),
    "day or month": (
        "time,home\n" + "".join(f"0{r // 24 + 1}/02/2025 {r % 24}:00,1\n" for r in range(48)),
        "",
        "--dates dmy or mdy",
    ),
    "comma or thousands": (
        table("time,home", lambda r: f'"1,{r + 100}"'),
        "",
        "say --decimal point or comma",
    ),
    "points and commas": (
        table("time,home", lambda r: '"1,5"' if r % 2 else "1.5"),
        "",
        "can be read in two ways",
    ),
    "uneven": (
        "time,home\n" + "".join(f"{TIMES[0] + timedelta(seconds=r * r)},1\n" for r in range(99)),
        "",
        "not evenly spaced",
    ),
    "a row a day of one value": ("date,kWh\n2025-01-14,9\n2025-01-15,8\n", "", "too far for"),
    "half a day": (table("time,home").rsplit("\n2025-01-14 12", 1)[0] + "\n", "", "no whole day"),
    "no zone": (table("time,home"), "--timezone Mars/Olympus", "is not a known time zone"),
    "no day": (table("time,home"), "--day 2025-02-01", "complete days are 2025-01-14 to"),
    "day in words": (table("time,home"), "--day today", "neither 'mean' nor a day"),
    "no column": (table("time,home"), "--columns hme", "did you mean 'home'?"),
    "no column to skip": (table("time,home"), "--skip-columns x", "has no column 'x'"),
    "only without value": (table("time,home"), "--only home", "write COLUMN=VALUE"),
    "only nothing": (table("time,id,v", lambda r: "a,1"), "--only id=b", "there are 'a'"),
    "columns and value": (table("time,a"), "--columns a --value-column a", "not both"),
    "stamp of a counter": (table("time,a", counted), "--counter --stamp end", "has no effect"),
    "no household": (table("time,a"), "--layout long", "no column names the household"),
    "no row a day": (table("time,a"), "--layout row-a-day", "not a row for each day"),
    "nothing allowed": (table("time,a"), "--max-kw 0", "must be more than 0"),
    "uneven row a day": (
        row_a_day([f"{hour}:00" for hour in (*range(23), 22)]),
        "",
        "two columns are named",
    ),
    "ends or starts": (
        table("time,home", lines={1: "time,home"}).replace("2025-01-14 00:00,0.1\n", "")
        + "2025-01-16 00:00,0.1\n",
        "",
        "say --stamp end",
    ),
    "nem12 without readings": (NEM + "900\n", "", "holds no readings of consumption"),
    "nem12 short day": (
        NEM + "200,N1,E1,1,E1,,M,KWH,30,\n300,20250114,1,2\n",
        "",
        "line 3: holds 2",
    ),
    "nem12 odd interval": (NEM + "200,N1,E1,1,E1,,M,KWH,7,\n", "", "line 2: record 200"),
    "nem12 in disorder": (NEM + "300,20250114,1,2\n", "", "line 2: record 300 before"),
    "too many slots": (table("time,home"), "--slots 100000000", "a day has 86,400 seconds"),
    "no slot": (table("time,home"), "--slots 0", "must be at least 1"),
    "too many households": (table("time,home"), "--households 2", "2 is not possible"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_a_bad_meter_file_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    content, options, message = BAD[name]
    source = tmp_path / "meters.csv"
    source.write_bytes(content if isinstance(content, bytes) else content.encode())
    output = refused(tmp_path, monkeypatch, capsys, ["--from", str(source), *options.split()])
    assert message in output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--from", "none.csv"], "there is no such file"),
        (["--from", "."], "is a folder: name one file"),
        (["--unit", "kW"], "field --unit: has no effect without --from"),
        (["--day", "2025-01-14"], "field --day: has no effect without --from"),
        (["--counter"], "field --counter: has no effect without --from"),
        (["--skip-columns", "a"], "field --skip-columns: has no effect without --from"),
        (["--drop-incomplete"], "field --drop-incomplete: has no effect without --from"),
        (["--seed", "-1"], "field --seed: must be at least 0"),
        (["--seed", "99999999999999999999"], "field --seed: must be below 2^64"),
        (["--households", "100000000"], "need about 2.3 TB of memory"),
        (["--slots", "100000000"], "need about 3.2 TB of memory"),
        (["--scheme", "swap-9:1", "--slots", "4"], "needs plans of at least 9 slots"),
    ],
)
def test_bad_options_are_refused_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    assert message in refused(tmp_path, monkeypatch, capsys, options)


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ('first_slot = "00:00"\n', "field slot_minutes: is required together with first_slot"),
        ("slot_minutes = 30\n", "field first_slot: is required together with slot_minutes"),
        ('timezone = "UTC"\n', "field first_slot: is required together with timezone"),
        ('first_slot = "noon"\nslot_minutes = 30\n', "field first_slot: 'noon' is not a time"),
        ('first_slot = "00:00"\nslot_minutes = 0\n', "field slot_minutes: expected minutes"),
        ('first_slot = "00:00"\nslot_minutes = true\n', "field slot_minutes: expected minutes"),
        (
            'first_slot = "00:00"\nslot_minutes = 30\ntimezone = "Mars/Olympus"\n',
            "field timezone: 'Mars/Olympus' is not a time zone",
        ),
        ('names = "Anna"\n', "field names: expected a table"),
        ("[names]\nh0 = 1\n", "field names: expected a table"),
        ('unit = "kWh"\n', "field unit: unknown key"),
        ("first_slot = \n", "not a TOML file"),
    ],
)
def test_a_bad_description_is_refused_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    description: str,
    message: str,
) -> None:
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "agent_0.plans").write_text("1:1.0,2.0\n")
    (tmp_path / "plans" / "coflex.toml").write_text(description)
    command = ["convert", str(tmp_path / "plans"), str(tmp_path / "made.npz")]
    assert message in refused(tmp_path, monkeypatch, capsys, command=command)


def refused(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: Sequence[str] = (),
    *,
    command: Sequence[str] = (),
) -> str:
    """Return the error message of a command, after checking status, the single line, and that
    nothing is left."""
    before = sorted(folder.iterdir())
    command = command or ["generate", *options, "--out", str(folder / "made")]
    monkeypatch.setattr(sys, "argv", ["coflex", *command])
    with pytest.raises(SystemExit) as end:
        main()
    output = capsys.readouterr()
    assert end.value.code == 2, output.err
    assert output.err.startswith("error: ")
    assert output.err.count("\n") == 1
    assert output.out == ""
    assert sorted(folder.iterdir()) == before
    return output.err
