"""Columns and files that are not the consumption of homes: refused with a way on, never taken."""

from datetime import timedelta
from pathlib import Path

import pytest

from agents.metering.options import MeterOptions
from protocol.errors import InputError
from tests.support.meter_files import (
    AH,
    AQ,
    A,
    B,
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

HALF, QUARTER = timedelta(minutes=30), timedelta(minutes=15)

REFUSED: dict[str, tuple[str, MeterOptions | None, str]] = {
    "MJ": (
        half_hours("time,energy_MJ", lambda n, t: f"{t},{A[n] * 3.6}"),
        None,
        r"'energy_MJ' \(in MJ, to be converted to kWh\) are left out; .*--columns",
    ),
    "MJ, named": (
        half_hours("time,energy_MJ", lambda n, t: f"{t},{A[n] * 3.6}"),
        MeterOptions(columns=("energy_MJ",)),
        "energy_MJ: is in MJ: convert it to kWh, or say with --unit",
    ),
    "MJ in the row of units": (
        half_hours("time,a,b\n,kWh,MJ", lambda n, t: f"{t},{A[n]},{B[n]}"),
        None,
        "columns 'a' name a unit, but 'b' not",
    ),
    "MJ before the table": (
        half_hours("Unit: MJ\ntime,a", lambda n, t: f"{t},{A[n]}"),
        None,
        "the unit is MJ by the lines before the table: convert",
    ),
    "W before the table, kW as an option": (
        half_hours("Unit: W\ntime,a", lambda n, t: f"{t},{A[n]}"),
        MeterOptions(unit="kW"),
        "the unit is W by the lines before the table .*, but kW by --unit",
    ),
    "therms": (half_hours("time,use (therms)", lambda n, t: f"{t},{A[n]}"), None, "in therms"),
    "district heat": (
        half_hours("Zeit,Fernwärme (kWh)", lambda n, t: f"{t},{A[n]}"),
        None,
        "no column holds readings of electricity",
    ),
    "reactive power": (
        half_hours("time,h1_qload", lambda n, t: f"{t},{A[n]}"),
        None,
        r"'h1_qload' \(another quantity\)",
    ),
    "power without unit": (
        half_hours("time,h1_pload", lambda n, t: f"{t},{A[n]}"),
        None,
        "holds power, but in W, kW or MW",
    ),
    "far too much for a home": (
        half_hours("time,a,b", lambda n, t: f"{t},{A[n]},{8 + A[n]}"),
        None,
        "field b: has 40[0-9] kWh a day if readings are in kWh, which nothing says: .*--unit",
    ),
    "tariffs of one meter": (
        half_hours("date;HP (kWh);HC (kWh)", lambda n, t: f"{t};{A[n]};0"),
        None,
        "look like tariffs or phases of one meter: add them up",
    ),
    "phases": (
        half_hours("time,l1_w,l2_w,l3_w", lambda n, t: f"{t},{A[n]},{B[n]},{A[n]}"),
        None,
        "look like tariffs or phases of one meter",
    ),
    "codes of registers": (
        half_hours("time;1-0:1.8.0*255;1-0:2.8.0*255", lambda n, t: f"{t};{n},5;12,5"),
        MeterOptions(counter=True),
        r"flows of one home.* such as --columns '1-0:1.8.0\*255'",
    ),
    "import and export of intervals": (
        quarters("DATE,IMPORT (kWh),EXPORT (kWh)", lambda n, t: f"{t},{AQ[n]},0.1"),
        None,
        r"such as --columns 'IMPORT \(kWh\)', add --counter if that is a counter",
    ),
    "registers named as tariffs": (
        hours(
            "Start;Electricity 1 (Low Tariff);Electricity 1 Returned (Low Tariff)",
            lambda n, t: f"{t};{AH[n]};0",
        ),
        None,
        "look like flows of one home",
    ),
    "appliances": (
        half_hours("time,fridge,dishwasher", lambda n, t: f"{t},{A[n]},{B[n]}"),
        None,
        "look like flows of one home.*--layout wide if each column is a home",
    ),
    "mean beside extremes": (
        half_hours("time,avg,min,max", lambda n, t: f"{t},{A[n]},{A[n] / 2},{A[n] * 2}"),
        None,
        "field avg: is by its name a sum or mean",
    ),
    "a total among households in rows": (
        table(
            "id,time,kwh",
            lambda n, t: f"a,{t},{A[n]}\nb,{t},{B[n]}\ntotal,{t},{A[n] + B[n]:.3f}",
            times_every(30),
        ),
        None,
        "is the sum or mean of the others.*--skip-households 'total'",
    ),
    "two flows in rows": (
        table(
            "EAN;Van;Register;Volume;Eenheid",
            lambda n, t: f"1;{t};Afname Dag;{comma(A[n])};kWh\n1;{t};Injectie Dag;0,1;kWh",
            times_every(30),
        ),
        None,
        "field Register: holds flows of one home.*--only 'Register=Afname Dag'",
    ),
    "kinds in rows, listed": (
        table("id,time,kind,kwh", lambda n, t: f"1,{t},CL,0.1\n1,{t},GC,{A[n]}", times_every(30)),
        None,
        r"--only 'kind=CL' \(others are 'GC'\)",
    ),
    "thousands with points": (
        half_hours("Zeit;h (Wh)", lambda n, t: f"{t};{A[n] * 4000:,.0f}".replace(",", ".")),
        None,
        "can be read in two ways: say --decimal",
    ),
    "day numbers of a spreadsheet": (
        half_hours("time;h", lambda n, t: f"{45671 + n / 48:.6f};{A[n]}"),
        None,
        "looks like the day number of a spreadsheet: show the column as date and time",
    ),
    "times of day without a date": (
        half_hours("Heure;W", lambda n, t: f"{t:%T};{A[n]}"),
        None,
        "'00:00:00' is a time of day without its date: write both",
    ),
    "year, month and day apart": (
        hours("year,month,day,hour,kWh", lambda n, t: f"{t:%Y,%m,%d,%H},{AH[n]}"),
        None,
        "join them into one column of times",
    ),
    "a day of 25 hours in no zone": (
        "Fecha;Hora;kWh\n" + "\n".join(f"26/10/2025;{n};0,5" for n in range(1, 26)),
        None,
        "26/10/2025 has 25 intervals where 24 make a day.*--timezone",
    ),
    "numbers of no interval": (
        hours("date,hour,kWh", lambda n, t: f"{t:%F},{n * 9},{AH[n]}"),
        None,
        "'108' is not the number of an hour",
    ),
    "NEM13": ("100,NEM13,202502011200,A,B\n", None, "totals of months: ask for .* NEM12"),
    "a page to log in": ("<!DOCTYPE html><html></html>", None, "is a web page.*download the file"),
    "no row left": (
        half_hours("id,kind,time,kwh", lambda n, t: f"{n % 2},{'xy'[n % 2]},{t},{A[n]}"),
        MeterOptions(only=("id=0", "kind=y")),
        "no row meets all conditions",
    ),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_it_is_refused_with_a_way_on(tmp_path: Path, name: str) -> None:
    text, options, message = REFUSED[name]
    with pytest.raises(InputError, match=message) as caught:
        read(tmp_path, text, options)
    assert "\n" not in str(caught.value)


LEFT_OUT = {
    "outside": "weather",
    "T_out": "weather",
    "day_ahead_eur_mwh": "money",
    "spot": "money",
    "forecast": "another quantity",
    "heat_kwh": "heat",
    "gas_kwh": "another quantity",
    "H0_q_mvar": "another quantity",
    "Total (GJ)": "in GJ, to be converted to kWh",
}


@pytest.mark.parametrize("column", list(LEFT_OUT))
def test_a_column_beside_the_homes_is_left_out_and_named(tmp_path: Path, column: str) -> None:
    text = half_hours(f"time,home,{column}", lambda n, t: f"{t},{A[n]},{5 + n % 7}.{n % 10}")
    made = read(tmp_path, text)
    assert kwh(made) == pytest.approx({"home": mean(A)})
    assert f"left out: '{column}' ({LEFT_OUT[column]})" in made.notes


NAMES = [
    "007",
    "1E5",
    "0x1",
    "1-2",
    "TRUE",
    "NaN",
    "家",
    "=1+1",
    "a b",
    "inf",
    "-1",
    "+49",
    "9" * 23,
]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_households_in_rows_are_text(tmp_path: Path, name: str) -> None:
    text = half_hours("household;time;kWh", lambda n, t: f"{name};{t};{A[n]}")
    assert kwh(read(tmp_path, text)) == pytest.approx({name: mean(A)})


@pytest.mark.parametrize("name", ["client", "flat", "apartment", "haus_nr", "MålepunktsID"])
def test_more_words_name_households(tmp_path: Path, name: str) -> None:
    text = half_hours(f"{name},time,kWh", lambda n, t: f"17,{t},{A[n]}\n23,{t},{B[n]}")
    assert kwh(read(tmp_path, text)) == pytest.approx({"17": mean(A), "23": mean(B)})
