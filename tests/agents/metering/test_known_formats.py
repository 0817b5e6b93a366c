"""Published formats of meter files: samples written by hand from their documentation."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from agents.metering.day_profile import MeterDay, read_meters
from agents.metering.options import MeterOptions
from protocol.errors import InputError

START = datetime(2025, 1, 14)
HALF_HOURS = [START + timedelta(minutes=30 * row) for row in range(96)]
A = [round(0.1 + 0.7 * (row * 37 % 48) / 48, 3) for row in range(96)]
B = [round(0.1 + 0.7 * (row * 29 % 48) / 48, 3) for row in range(96)]


def read(folder: Path, lines: Iterable[str], options: MeterOptions | None = None) -> MeterDay:
    path = folder / "meters.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_meters(path, options=options)


def kwh(made: MeterDay) -> dict[str, float]:
    return {
        name: round(float(each.sum()), 6)
        for name, each in zip(made.names, made.energy, strict=True)
    }


def mean(values: list[float], days: int = 2) -> float:
    return round(sum(values) / days, 6)


def test_low_carbon_london(tmp_path: Path) -> None:
    lines = ["LCLid,stdorToU,DateTime,KWH/hh (per half hour) "]
    for row, time in enumerate(HALF_HOURS):
        lines.append(f"MAC000002,Std,{time:%Y-%m-%d %H:%M:%S}.0000000, {A[row]} ")
        null = "Null" if row == 3 else B[row]
        lines.append(f"MAC000003,ToU,{time:%Y-%m-%d %H:%M:%S}.0000000,{null}")
    made = read(tmp_path, lines)
    assert kwh(made) == {"MAC000002": mean(A), "MAC000003": round(sum(B[48:]), 6)}
    assert made.days_each == [2, 1]
    assert "days of MAC000003 left out as incomplete: 2025-01-14" in made.notes


def test_refit(tmp_path: Path) -> None:
    lines = ["Time,Unix,Aggregate,Appliance1,Appliance2,Issues"]
    for row, time in enumerate(HALF_HOURS):
        lines.append(f"{time},{1736812800 + 1800 * row},{A[row] * 2000:.0f},{row % 9},0,0")
    made = read(tmp_path, lines)
    assert kwh(made) == {"Aggregate": mean(A)}
    assert "unit W (REFIT files)" in made.notes


def test_pecan_street(tmp_path: Path) -> None:
    lines = ["dataid,local_15min,use,grid,solar"]
    for row, time in enumerate(HALF_HOURS):
        lines.append(f"661,{time}-06,{A[row] * 2:.3f},-0.4,0.3")
        lines.append(f"1642,{time}-06,{B[row] * 2:.3f},-0.4,0.3")
    made = read(tmp_path, lines)
    assert kwh(made) == {"661": mean(A), "1642": mean(B)}
    assert made.days == (date(2025, 1, 14), date(2025, 1, 15))


def test_enedis_with_its_preamble(tmp_path: Path) -> None:
    lines = [
        "Identifiant PRM;Type de donnees;Date de debut;Date de fin;Grandeur physique;Unite;Pas",
        "12345678901234;Courbe de charge;14/01/2025;16/01/2025;Energie active;W;30",
        "Horodate;Valeur",
        *(f"{time.isoformat()}+01:00;{A[row] * 2000:.0f}" for row, time in enumerate(HALF_HOURS)),
    ]
    assert kwh(read(tmp_path, lines, MeterOptions(timezone="Europe/Paris"))) == {"Valeur": mean(A)}


def test_p1_registers_are_differenced_and_added_on_request(tmp_path: Path) -> None:
    lines = [
        "timestamp,electricity_delivered_1,electricity_returned_1,"
        "electricity_delivered_2,electricity_returned_2"
    ]
    low, high = 1000.0, 500.0
    for row in range(97):
        lines.append(f"{START + timedelta(minutes=30 * row)},{low:.3f},3.5,{high:.3f},0")
        low, high = (low + A[row % 96], high) if row % 2 else (low, high + A[row % 96])
    with pytest.raises(InputError, match=r"counters of a P1 port .*--counter takes"):
        read(tmp_path, lines)
    assert kwh(read(tmp_path, lines, MeterOptions(counter=True))) == {"meters": mean(A)}


def test_home_assistant_dashboard_and_history(tmp_path: Path) -> None:
    hours = HALF_HOURS[::2]
    header = "entity_id,type,unit," + ",".join(f"{time.isoformat()}+00:00" for time in hours)
    imported = "sensor.in,grid_consumption,kWh," + ",".join(map(str, A[:48]))
    returned = "sensor.out,grid_return,kWh," + ",".join(map(str, B[:48]))
    assert kwh(read(tmp_path, [header, imported])) == {"sensor.in": mean(A[:48])}
    with pytest.raises(InputError, match="field type: holds flows of one home"):
        read(tmp_path, [header, imported, returned])
    chosen = MeterOptions(only=("type=grid_consumption",))
    assert kwh(read(tmp_path, [header, imported, returned], chosen)) == {"sensor.in": mean(A[:48])}
    history = ["entity_id,state,last_changed"]
    for row, time in enumerate(HALF_HOURS):
        state = "unavailable" if row == 7 else A[row]
        history.append(f"sensor.energy,{state},{time.isoformat()}.000Z")
    assert kwh(read(tmp_path, history)) == {"sensor.energy": round(sum(A[48:]), 6)}


@pytest.mark.parametrize("form", ["%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p"])
def test_load_profile_generator(tmp_path: Path, form: str) -> None:
    lines = ["Electricity.Timestep;Time;Sum [kWh]"]
    for row, time in enumerate(HALF_HOURS):
        lines.append(f"{row};{time.strftime(form)};{A[row]}")
    made = read(tmp_path, lines)
    assert kwh(made) == {"Sum [kWh]": mean(A)}
    assert "left out: 'Electricity.Timestep' (it counts rows)" in made.notes


def nem12(suffix: str, values: list[float], unit: str = "KWH") -> list[str]:
    lines = [f"200,NMI1234567,E1B1,1,{suffix},N1,METER1,{unit},30,"]
    for day in range(2):
        cells = ",".join(map(str, values[48 * day : 48 * day + 48]))
        lines.append(f"300,2025011{4 + day},{cells},A,,,20250201000000,")
    return lines


def test_nem12(tmp_path: Path) -> None:
    lines = ["100,NEM12,202502011200,MDP,RETAILER", *nem12("E1", A), *nem12("B1", B), "900"]
    made = read(tmp_path, lines)
    assert kwh(made) == {"NMI1234567": mean(A)}
    assert "left out: registers B1 (no consumption)" in made.notes
    assert made.slot_times is not None
    assert made.slot_times.timezone == "+10:00"
    lines[-1:] = [*nem12("E2", B), "900"]
    with pytest.raises(InputError, match=r"stands there twice .*--only 'suffix=E1'"):
        read(tmp_path, lines)
    assert kwh(read(tmp_path, lines, MeterOptions(only=("suffix=E2",)))) == {"NMI1234567": mean(B)}
    watts = ["100,NEM12,202502011200,M,R", *nem12("E1", [v * 1000 for v in A], "WH"), "900"]
    assert kwh(read(tmp_path, watts)) == {"NMI1234567": mean(A)}


def reading_type(number: int, direction: int, multiplier: int) -> str:
    return (
        f'<entry><link rel="self" href="type/{number}"/><content><ReadingType>'
        "<accumulationBehaviour>4</accumulationBehaviour>"
        f"<flowDirection>{direction}</flowDirection>"
        f"<powerOfTenMultiplier>{multiplier}</powerOfTenMultiplier><uom>72</uom>"
        "</ReadingType></content></entry>"
    )


def block(number: int, values: list[float]) -> str:
    readings = "".join(
        f"<IntervalReading><timePeriod><duration>1800</duration><start>{1736812800 + 1800 * row}"
        f"</start></timePeriod><value>{value:.0f}</value></IntervalReading>"
        for row, value in enumerate(values)
    )
    return (
        f'<entry><link rel="up" href="reading/{number}"/><content><IntervalBlock>{readings}'
        "</IntervalBlock></content></entry>"
    )


def test_green_button_xml(tmp_path: Path) -> None:
    readings = "".join(
        f'<entry><link rel="self" href="reading/{number}"/>'
        f'<link rel="related" href="type/{number}"/><content><MeterReading/></content></entry>'
        for number in (1, 2)
    )
    text = (
        '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><entry>'
        "<title>House 7</title><content><UsagePoint/></content></entry>"
        + readings
        + reading_type(1, 1, 1)
        + reading_type(2, 19, 0)
        + block(1, [value * 100 for value in A])
        + block(2, B)
        + "</feed>"
    )
    (tmp_path / "usage.xml").write_text(text)
    made = read_meters(tmp_path / "usage.xml")
    expected = sum(round(value * 100) * 10 / 1000 for value in A) / 2
    assert kwh(made) == {"House 7": pytest.approx(expected)}
    assert "left out: readings that are sent out, not consumed" in made.notes


def test_green_button_csv(tmp_path: Path) -> None:
    lines = ["Name,A B", "Address,1 Road", "", "TYPE,DATE,START TIME,END TIME,USAGE,UNITS,COST"]
    for row, time in enumerate(HALF_HOURS):
        end = time + timedelta(minutes=29)
        lines.append(
            f"Electric usage,{time:%Y-%m-%d},{time:%H:%M},{end:%H:%M},{A[row]},kWh,$0.{row:02}"
        )
    made = read(tmp_path, lines)
    assert kwh(made) == {"USAGE": mean(A)}
    assert "times are taken as the starts of intervals (--stamp)" in made.notes


def test_ausgrid_and_other_rows_of_a_day(tmp_path: Path) -> None:
    labels = [f"{hour}:{minute:02}" for hour in range(24) for minute in (0, 30)]
    ends = [*labels[1:], "0:00"]
    lines = ["Customer,Generator Capacity,Postcode,Consumption Category,date," + ",".join(ends)]
    for day in range(2):
        for category, values in (("GC", A), ("GG", B)):
            cells = ",".join(map(str, values[48 * day : 48 * day + 48]))
            lines.append(f"1,3.78,2076,{category},1{4 + day}-Jan-25,{cells}")
    with pytest.raises(InputError, match=r"--only 'Consumption Category=GC'"):
        read(tmp_path, lines)
    made = read(tmp_path, lines, MeterOptions(only=("Consumption Category=GC",)))
    assert kwh(made) == {"1": mean(A)}
    assert made.energy[0, :2].tolist() == pytest.approx([(A[0] + A[48]) / 2, (A[1] + A[49]) / 2])
    numbered = ["meter,date," + ",".join(f"P{number}" for number in range(1, 49))]
    numbered += [
        f"m,2025-01-1{4 + day}," + ",".join(map(str, A[48 * day : 48 * day + 48]))
        for day in range(2)
    ]
    assert kwh(read(tmp_path, numbered)) == {"m": mean(A)}


def test_settlement_periods_and_hours_ending(tmp_path: Path) -> None:
    lines = ["SettlementDate,SettlementPeriod,kWh"]
    lines += [f"{time:%Y-%m-%d},{row % 48 + 1},{A[row]}" for row, time in enumerate(HALF_HOURS)]
    assert kwh(read(tmp_path, lines)) == {"kWh": mean(A)}
    lines = ["date,hour,kWh"]
    lines += [f"{t:%Y-%m-%d},{t.hour + 1},{A[row]}" for row, t in enumerate(HALF_HOURS[::2])]
    made = read(tmp_path, lines)
    assert made.energy[0, 0] == pytest.approx((A[0] + A[24]) / 2)


def test_pypsa_loads_are_in_megawatts(tmp_path: Path) -> None:
    lines = ["snapshot,bus1,bus2"]
    lines += [f"{t},{A[row] * 2:.3f},{B[row] * 2:.3f}" for row, t in enumerate(HALF_HOURS)]
    (tmp_path / "loads-p_set.csv").write_text("\n".join(lines))
    with pytest.raises(InputError, match="more than a home draws"):
        read_meters(tmp_path / "loads-p_set.csv")
    made = read_meters(tmp_path / "loads-p_set.csv", options=MeterOptions(max_kw=1e6))
    assert kwh(made) == {
        "bus1": pytest.approx(1000 * mean(A)),
        "bus2": pytest.approx(1000 * mean(B)),
    }
    made = read(tmp_path, lines, MeterOptions(unit="kW"))
    assert kwh(made)["bus1"] == pytest.approx(mean(A))


def test_joined_exports_repeat_their_header(tmp_path: Path) -> None:
    lines = ["time,home", *(f"{time},{A[row]}" for row, time in enumerate(HALF_HOURS))]
    lines.insert(49, "time,home")
    made = read(tmp_path, lines)
    assert kwh(made) == {"home": mean(A)}
    assert "rows that repeat the header are left out: 1" in made.notes


@pytest.mark.parametrize(("seconds", "shown"), [(1, "00:29:59"), (60, "00:29:00")])
def test_last_moments_of_intervals_are_asked_about(
    tmp_path: Path, seconds: int, shown: str
) -> None:
    late = timedelta(minutes=30, seconds=-seconds)
    lines = ["time,home", *(f"{time + late},{A[row]}" for row, time in enumerate(HALF_HOURS))]
    with pytest.raises(InputError, match=rf"line 2, .*{shown}.* last moments .*--stamp end"):
        read(tmp_path, lines)
    made = read(tmp_path, lines, MeterOptions(stamp="end"))
    assert made.energy[0, 0] == pytest.approx((A[0] + A[48]) / 2)


def test_households_can_be_left_out(tmp_path: Path) -> None:
    lines = ["time,meter,kWh"]
    for row, time in enumerate(HALF_HOURS):
        total = round(A[row] + B[row], 3)
        lines += [f"{time},a,{A[row]}", f"{time},b,{B[row]}", f"{time},all,{total}"]
    with pytest.raises(
        InputError, match=r"field all: is the sum or mean .*--skip-households 'all'"
    ):
        read(tmp_path, lines)
    made = read(tmp_path, lines, MeterOptions(skip_households=("all",)))
    assert kwh(made) == {"a": mean(A), "b": mean(B)}


@pytest.mark.parametrize("newest_first", [False, True])
def test_midnight_at_the_end_of_its_day(tmp_path: Path, newest_first: bool) -> None:
    rows = []
    for row, time in enumerate(HALF_HOURS):
        rows.append(f"{time:%d.%m.%Y};{time + timedelta(minutes=30):%H:%M};{A[row]}")
    made = read(tmp_path, ["Datum;Uhrzeit;kWh", *(reversed(rows) if newest_first else rows)])
    assert made.energy[0, 0] == pytest.approx((A[0] + A[48]) / 2)
    assert kwh(made) == {"kWh": mean(A)}
    assert "times are taken as the ends of intervals (--stamp)" in made.notes


@pytest.mark.parametrize("name", ["average", "block_total"])
def test_sums_and_means_are_asked_about_by_their_names(tmp_path: Path, name: str) -> None:
    lines = [f"time,h1,h2,{name}"]
    lines += [f"{t},{A[row]},{B[row]},{A[-row]}" for row, t in enumerate(HALF_HOURS)]
    with pytest.raises(InputError, match=rf"field {name}: is by its name a sum .*--columns"):
        read(tmp_path, lines)
    assert len(read(tmp_path, lines, MeterOptions(columns=("h1", "h2", name))).ids) == 3


def test_iso_times_may_end_with_the_hour(tmp_path: Path) -> None:
    hours = HALF_HOURS[::2]
    lines = ["time,home", *(f"{time:%Y-%m-%dT%H},{A[row]}" for row, time in enumerate(hours))]
    assert kwh(read(tmp_path, lines)) == {"home": mean(A[:48])}
