"""Exports of utilities, loggers and data sets, rebuilt with made-up numbers: the right kWh."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agents.metering.options import MeterOptions
from tests.support.meter_files import (
    AH,
    AQ,
    HALF_HOURS,
    START,
    A,
    B,
    a_row_a_day,
    comma,
    half_hours,
    hours,
    kwh,
    mean,
    quarters,
    read,
    table,
    times_every,
)

HALF, QUARTER, HOUR = timedelta(minutes=30), timedelta(minutes=15), timedelta(hours=1)
EPOCH = int(START.replace(tzinfo=UTC).timestamp())
END = MeterOptions(stamp="end")
COUNTER = MeterOptions(counter=True)
NEM12 = "100,NEM12,202502011200,MDP,RETAILER\n"


def local_times(zone: str, start: datetime, count: int, step: timedelta) -> list[datetime]:
    """Return instants one after the other, written on the clock of a zone."""
    begin = start.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return [(begin + step * n).astimezone(ZoneInfo(zone)) for n in range(count)]


def counter(values: list[float]) -> list[float]:
    """Return readings of a counter, one more than there are intervals."""
    read_off = [1000.0]
    for value in values:
        read_off.append(round(read_off[-1] + value, 3))
    return read_off


def nem12(values: list[float], unit: str, step: int) -> str:
    count = 1440 // step
    rows = [f"200,6123456789,E1,E1,E1,N1,M1,{unit},{step},"]
    for day in range(2):
        cells = ",".join(map(str, values[count * day : count * day + count]))
        rows.append(f"300,2025011{14 + day - 10},{cells},A,,,20250201000000,")
    return "\n".join([*rows, "900"])


READ_OFF = counter(A)
READ_OFF_AT = [*HALF_HOURS, HALF_HOURS[-1] + HALF]
OCTOBER = local_times("Europe/Madrid", datetime(2025, 10, 25), count=49, step=HOUR)
MARCH = local_times("Europe/Madrid", datetime(2025, 3, 29), count=47, step=HOUR)
LONDON = local_times("Europe/London", datetime(2025, 10, 25), count=98, step=HALF)
BERLIN = local_times("Europe/Berlin", datetime(2025, 10, 25), count=98, step=HALF)
MINUTES = [round(0.5 + n % 9 / 10, 1) for n in range(2880)]


def numbered(header: str, times: list[datetime], a_day: int, values: list[float]) -> str:
    """Return dates beside numbers that go on through a change of the clock."""
    number = [n + 1 if n < a_day else n + 1 - a_day for n in range(len(times))]
    return table(
        header,
        lambda n, t: f"{t:%d/%m/%Y};{number[n]};{comma(values[n % len(values)])}",
        times,
    )


RIGHT: dict[str, tuple[str, MeterOptions | None, dict[str, float]]] = {
    "LCL, blocks": (
        half_hours("LCLid,tstp,energy(kWh/hh)", lambda n, t: f"MAC1,{t}.0000000,{A[n]}"),
        None,
        {"MAC1": mean(A)},
    ),
    "LCL, a row a day": (
        a_row_a_day(
            "LCLid,day," + ",".join(f"hh_{n}" for n in range(48)), lambda day: f"MAC1,{day:%F},", A
        ),
        None,
        {"MAC1": mean(A)},
    ),
    "REFIT, Unix only": (
        table(
            "Unix,Aggregate,Appliance1,Appliance2",
            lambda n, t: f"{EPOCH + 60 * n},{MINUTES[n] * 1000:.0f},0,0",
            times_every(1),
        ),
        None,
        {"Aggregate": sum(MINUTES) / 120},
    ),
    "Pecan Street, minutes without offset": (
        table(
            "dataid,localminute,use,air1,grid,solar",
            lambda n, t: f"661,{t},{MINUTES[n]},0.1,0.2,0",
            times_every(1),
        ),
        None,
        {"661": sum(MINUTES) / 120},
    ),
    "UCI household": (
        table(
            "Date;Time;Global_active_power;Global_reactive_power;Voltage;Global_intensity;"
            "Sub_metering_1;Sub_metering_2",
            lambda n, t: f"{t:%d/%m/%Y};{t:%T};{MINUTES[n]};0.1;234.8;18.4;0;1",
            times_every(1),
        ),
        None,
        {"Global_active_power": sum(MINUTES) / 120},
    ),
    "UCI load diagrams": (
        quarters(
            ';"MT_001";"MT_002"',
            lambda n, t: f'"{t + QUARTER}";{comma(AQ[n] * 4)};{comma(AQ[n] * 8)}',
        ),
        END,
        {"MT_001": mean(AQ), "MT_002": 2 * mean(AQ)},
    ),
    "Texas, with the date of the revision": (
        quarters(
            "ESIID,USAGE_DATE,REVISION_DATE,USAGE_START_TIME,USAGE_END_TIME,USAGE_KWH,KIND",
            lambda n, t: (
                f"'1044372,{t:%m/%d/%Y},01/16/2025 06:39:31,{t:%H:%M},{t + QUARTER:%H:%M},{AQ[n]},A"
            ),
        ),
        None,
        {"1044372": mean(AQ)},
    ),
    "California, ranges of times": (
        hours(
            "Energy delivered,,\n\nTime period,Usage(Real energy in kilowatt-hours),Quality",
            lambda n, t: f'"{t} to {t + HOUR}","{AH[n]}",""',
        ),
        None,
        {"Usage(Real energy in kilowatt-hours)": mean(AH)},
    ),
    "Belgium, Fluvius": (
        quarters(
            "Van Datum;Van Tijdstip;Tot Datum;Tot Tijdstip;EAN;Meter;Register;Volume;Eenheid",
            lambda n, t: (
                f"{t:%d-%m-%Y};{t:%T};{t + QUARTER:%d-%m-%Y};{t + QUARTER:%T};"
                f'="541448";1SAG;Afname {"Dag" if t.hour > 6 else "Nacht"};{comma(AQ[n])};kWh'
            ),
        ),
        MeterOptions(only=("Register=Afname Dag", "Register=Afname Nacht")),
        {"541448": mean(AQ)},
    ),
    "P1 logger with one register": (
        table("time,Import kWh,Export kWh", lambda n, t: f"{t},{READ_OFF[n]},0.015", READ_OFF_AT),
        COUNTER,
        {"Import kWh": mean(A)},
    ),
    "Home Assistant statistics, changes": (
        hours("statistic_id\tunit\tstart\tdelta", lambda n, t: f"sensor.e\tkWh\t{t}\t{AH[n]}"),
        None,
        {"sensor.e": mean(AH)},
    ),
    "Home Assistant statistics, power": (
        hours(
            "statistic_id\tunit\tstart\tmin\tmax\tmean",
            lambda n, t: f"sensor.p\tW\t{t}\t{AH[n]}\t{AH[n] * 1e4}\t{AH[n] * 1e3}",
        ),
        None,
        {"sensor.p": mean(AH)},
    ),
    "Enedis, a column for the meter": (
        half_hours(
            "Identifiant PRM;Unité;Horodate;Valeur;Nature;Pas",
            lambda n, t: f"1234;W;{t + HALF};{A[n] * 2000:.0f};B;PT30M",
        ),
        END,
        {"1234": mean(A)},
    ),
    "NEM12 of 5 minutes without its header record": (
        nem12([value / 3 for value in AQ for _ in range(3)], "KWH", 5),
        None,
        {"6123456789": mean(AQ)},
    ),
    "NEM12 in MWh": (
        NEM12 + nem12([v / 1000 for v in A], "MWh", 30),
        None,
        {"6123456789": mean(A)},
    ),
    "Octopus": (
        half_hours(
            "Consumption (kwh), Estimated Cost Inc. Tax (p), Standing Charge Inc. Tax (p), Start, "
            "End",
            lambda n, t: f"{A[n]}, 24.1, 0.9, {t.isoformat()}Z, {(t + HALF).isoformat()}Z",
        ),
        None,
        {"Consumption (kwh)": mean(A)},
    ),
    "Ireland, power and ends said in words": (
        half_hours(
            "MPRN,Meter Serial Number,Read Value,Read Type,Read Date and End Time",
            lambda n, t: f"100,0012,{A[n] * 2:.3f},Active Import (kW),{t + HALF:%d-%m-%Y %H:%M}",
        ),
        None,
        {"100": mean(A)},
    ),
    "Britain, half hours HH01 beside their total": (
        a_row_a_day(
            "MPAN,Date,Total," + ",".join(f"HH{n:02}" for n in range(1, 49)),
            lambda day: f"12,{day:%d/%m/%Y},21.2,",
            A,
        ),
        None,
        {"12": mean(A)},
    ),
    "Fronius": (
        quarters(
            "Date and time;Energy | PV;Energy | Consumption;Energy | Feed in\n"
            "[dd.MM.yyyy HH:mm];[Wh];[Wh];[Wh]",
            lambda n, t: f"{t:%d.%m.%Y %H:%M};0;{AQ[n] * 1000};0",
        ),
        None,
        {"Energy | Consumption": mean(AQ)},
    ),
    "SolarEdge": (
        quarters(
            "Time,System Production (W),Consumption (W),Export (W),Import (W)",
            lambda n, t: f"{t:%m/%d/%Y %H:%M},0,{AQ[n] * 4000:.0f},0,{AQ[n] * 4000:.0f}",
        ),
        None,
        {"Consumption (W)": mean(AQ)},
    ),
    "main meter beside appliances": (
        half_hours("time,main_kw,fridge_kw,tv_kw", lambda n, t: f"{t},{A[n]},{B[n] / 9},0.01"),
        None,
        {"main_kw": mean(A) / 2},
    ),
    "CoSSMic, one flow of several homes": (
        half_hours(
            "time;residential1_grid_import [kWh];residential2_grid_import [kWh]",
            lambda n, t: f"{t:%d.%m.%Y %H:%M};{comma(A[n])};{comma(B[n])}",
        ),
        None,
        {"residential1_grid_import [kWh]": mean(A), "residential2_grid_import [kWh]": mean(B)},
    ),
    "Spain, 24:00": (
        hours(
            "cups;fecha;hora;consumo_kWh;metodo",
            lambda n, t: f"ES1;{t:%Y/%m/%d};{t.hour + 1:02}:00;{comma(AH[n])};Real",
        ),
        None,
        {"ES1": mean(AH)},
    ),
    "Spain, what was sent out beside": (
        hours(
            "CUPS;Fecha;Hora;Consumo_kWh;Energia_vertida_kWh",
            lambda n, t: f"ES1;{t:%d/%m/%Y};{t.hour + 1};{comma(AH[n])};0,1",
        ),
        None,
        {"ES1": mean(AH)},
    ),
    "Spain, a day of 25 hours": (
        numbered("Fecha;Hora;Consumo_kWh", OCTOBER, 24, AH),
        MeterOptions(timezone="Europe/Madrid"),
        {"Consumo_kWh": mean([*AH, AH[0]])},
    ),
    "Spain, a day of 23 hours": (
        numbered("Fecha;Hora;Consumo_kWh", MARCH, 24, AH),
        MeterOptions(timezone="Europe/Madrid"),
        {"Consumo_kWh": mean(AH[:47])},
    ),
    "Britain, 50 settlement periods": (
        numbered("Settlement Date;Settlement Period;kWh", LONDON, 48, A),
        MeterOptions(timezone="Europe/London"),
        {"kWh": mean([*A, *A[:2]])},
    ),
    "Denmark": (
        hours(
            "MålepunktsID;Fra_dato;Til_dato;Mængde;Måleenhed;Kvalitet",
            lambda n, t: f"5713;{t:%d-%m-%Y %T};{t + HOUR:%d-%m-%Y %T};{comma(AH[n])};kWh;Målt",
        ),
        None,
        {"5713": mean(AH)},
    ),
    "Norway": (
        hours(
            "Fra;Til;KWH 60 Forbruk",
            lambda n, t: f"{t:%d.%m.%Y %H:%M};{t + HOUR:%d.%m.%Y %H:%M};{comma(AH[n])}",
        ),
        None,
        {"KWH 60 Forbruk": mean(AH)},
    ),
    "Germany, quarter hours counted": (
        quarters(
            "Datum;Viertelstunde;kWh", lambda n, t: f"{t:%d.%m.%Y};{n % 96 + 1};{comma(AQ[n])}"
        ),
        None,
        {"kWh": mean(AQ)},
    ),
    "Switzerland, apostrophes": (
        quarters(
            "Zeit;Bezug (Wh)",
            lambda n, t: f"{t:%d.%m.%Y %H:%M};{AQ[n] * 5000:,.0f}".replace(",", "'"),
        ),
        None,
        {"Bezug (Wh)": 5 * mean(AQ)},
    ),
    "summer and winter time in words": (
        table("Zeit;h", lambda n, t: f"{t:%F %H:%M} {t.tzname()};{A[n % 96]}", BERLIN),
        MeterOptions(timezone="Europe/Berlin"),
        {"h": mean([*A, *A[:2]])},
    ),
    "unit before the table": (
        half_hours("Site: x\nUOM: W\n\nTime,h", lambda n, t: f"{t},{A[n] * 2000:.0f}"),
        None,
        {"h": mean(A)},
    ),
    "three header rows of pandas": (
        half_hours("home,a,b\nquantity,kWh,kWh\ntime,,", lambda n, t: f"{t},{A[n]},{B[n]}"),
        None,
        {"a": mean(A), "b": mean(B)},
    ),
    "months in Spanish, weekdays before": (
        half_hours("Fecha,h", lambda n, t: f"{t:%d}-ene-{t:%Y %H:%M},{A[n]}"),
        None,
        {"h": mean(A)},
    ),
    "dates of a browser": (
        half_hours("Time,h", lambda n, t: f"{t:%a %b %d %Y %T} GMT+0100,{A[n]}"),
        None,
        {"h": mean(A)},
    ),
    "words and a total at the end": (
        half_hours("time;h", lambda n, t: f"{t};{comma(A[n])}")
        + "Gesamtsumme;42,5\n\nErstellt am 16.01.2025 von Zähler & Co\n",
        None,
        {"h": mean(A)},
    ),
}


@pytest.mark.parametrize("name", list(RIGHT))
def test_a_format_gives_the_right_energy(tmp_path: Path, name: str) -> None:
    text, options, expected = RIGHT[name]
    made = read(tmp_path, text, options)
    assert kwh(made) == pytest.approx(expected, abs=0.05)


def test_statistics_of_home_assistant_read_their_counters_at_the_ends_of_hours(
    tmp_path: Path,
) -> None:
    sums = counter(AH)
    text = table(
        "statistic_id\tunit\tstart\tstate\tsum",
        lambda n, t: f"sensor.e\tkWh\t{t}\t{sums[n] + 7}\t{sums[n]}",
        [*times_every(60, days=2, start=START - HOUR), HALF_HOURS[-2]],
    )
    made = read(tmp_path, text, COUNTER)
    assert made.energy[0] == pytest.approx([(AH[n] + AH[n + 24]) / 2 for n in range(24)])
    assert kwh(made) == pytest.approx({"sensor.e": mean(AH)})


def test_a_row_of_50_half_hours_is_left_out_as_a_day_of_25_hours(tmp_path: Path) -> None:
    rows = ["MPAN,Date," + ",".join(map(str, range(1, 51)))]
    for day, spare in (("25/10/2025", ",,"), ("26/10/2025", ",0.2,0.2"), ("27/10/2025", ",,")):
        rows.append(f"12,{day},{','.join(map(str, A[:48]))}{spare}")
    made = read(tmp_path, "\n".join(rows))
    assert kwh(made) == pytest.approx({"12": sum(A[:48])})
    assert any("line 3 is left out: a day of 25 hours" in note for note in made.notes)


def test_empty_cells_in_the_hour_that_the_clock_skips_are_no_gap(tmp_path: Path) -> None:
    labels = ",".join(f"{n // 2:02}:{n % 2 * 30:02}" for n in range(48))
    rows = [f"Date,{labels}"]
    for day in (29, 30):
        gap = (2, 3) if day == 30 else ()
        rows.append(f"2025-03-{day}," + ",".join("" if n in gap else str(A[n]) for n in range(48)))
    made = read(tmp_path, "\n".join(rows), MeterOptions(timezone="Europe/London"))
    assert kwh(made) == pytest.approx({"meters": mean([*A[:48], *A[:2], *A[4:48]])})
