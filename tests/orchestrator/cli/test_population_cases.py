"""Meter files that caused trouble in practice: the right energy, or a refusal that says what to do.

The cases are next to the checkout. EXPECTED has the result of `coflex generate --from` for each.
"""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from orchestrator.cli import app
from protocol.errors import InputError

LCL = '--value-column "KWH/hh (per half hour)"'
LONDON = "--timezone Europe/London"

EXPECTED: dict[tuple[str, str, str], dict[str, float] | str] = {
    ("01", "supplier.csv", ""): {"Consumption--kwh-": 22.7305},
    ("01", "supplier.csv", '--value-column "Consumption (kwh)"'): {"Consumption--kwh-": 22.7305},
    (
        "01",
        "supplier.csv",
        "--layout wide --value-column nonsense --household-column nonsense",
    ): r"has no column 'nonsense'",
    ("01", "supplier-end.csv", ""): {"Consumption--kwh-": 22.7305},
    ("01", "supplier-end.csv", '--value-column "Consumption (kwh)"'): {
        "Consumption--kwh-": 22.7305
    },
    ("02", "one-meter.csv", ""): {"2000011112222": 22.7305},
    ("02", "two-meters.csv", ""): {"2000011112222": 22.7305, "2000011113333": 23.4215},
    ("03", "zero-nonoverlap.csv", ""): {"007": 21.018, "07": 20.211},
    ("03", "leading-zero-alone.csv", ""): {"0042": 22.7305, "0043": 23.4215},
    ("03", "leading-zero.csv", ""): {"0042": 22.7305, "42": 23.4215},
    ("03", "nmi-with-e-small.csv", ""): {"62E3": 22.7305, "620E2": 23.4215},
    ("03", "decimal.csv", ""): {"1-10": 22.7305, "1-1": 23.4215},
    ("03", "named-na.csv", ""): {"NA": 22.7305, "NB": 23.4215},
    ("03", "mpan22.csv", ""): {
        "990080112214123456789011": 20.6145,
        "990080112214123456789012": 22.2105,
    },
    ("03", "plain.csv", ""): {"homeA": 22.7305, "homeB": 23.4215},
    ("04", "wh.csv", ""): {"Home--Wh-": 22.7305},
    ("04", "use-kw.csv", ""): {"use--kW-": 22.7305},
    ("04", "loads-p_set.csv", ""): {"bus1-load": 22.7305, "bus2-load": 23.4215},
    ("04", "loads-p_set.csv", "--unit kW"): r"the unit is MW by PyPSA.*, but kW by --unit",
    ("04", "enedis-w.csv", "--timezone Europe/Paris"): {"Valeur": 22.7305},
    ("05", "one-register.csv", ""): r"line \d+.*looks like a counter. Say --counter",
    ("05", "one-register.csv", "--counter"): {"meter_total_kWh": 22.7305},
    ("05", "p1-register.csv", ""): r"counters of a P1 port .*--counter takes the differences",
    ("05", "p1-register.csv", "--counter"): {"p1-register": 22.7305},
    ("06", "end-2days.csv", ""): r"line 2, .*may be the ends of intervals: say --stamp end",
    ("06", "end-2days.csv", "--stamp end"): {"home": 22.7305},
    ("06", "end-2days.csv", "--stamp end --day 2025-01-14"): {"home": 22.252},
    ("06", "end-2days.csv", "--stamp end --day 2025-01-15"): {"home": 23.209},
    ("06", "end-4days.csv", ""): r"line 2, .*may be the ends of intervals: say --stamp end",
    ("06", "end-4days.csv", "--stamp end"): {"home": 22.491},
    ("06", "end-4days.csv", "--stamp end --day 2025-01-15"): {"home": 20.039},
    ("07", "smets-error.csv", ""): r"line 22, field home: .*more than a home draws.*--max-kw",
    ("08", "thousands.csv", ""): r"line 2, .*reading of 1,162 kWh means 2,324 kW.*--unit",
    ("08", "thousands.csv", "--max-kw 10000"): {"home": 45461.0},
    ("08", "value-first.csv", ""): {"Verbrauch": 22.7305},
    ("08", "header-commas.csv", ""): {"Verbrauch--gesamt--kWh": 22.7305},
    ("08", "quoted-comma.csv", ""): {"home": 22.7305},
    ("08", "bom-time-first.csv", ""): {"Verbrauch": 22.7305},
    ("08", "utf16.csv", ""): {"Verbrauch": 22.7305},
    ("08", "latin1.csv", ""): {"Z-hler": 22.7305},
    ("09", "house-jitter.csv", "--unit kW"): r"line \d+: times are not evenly spaced",
    ("10", "manager.csv", ""): {"home-energy-Wh": 36.608},
    ("10", "manager.csv", "--value-column home.energy.Wh"): {"home-energy-Wh": 36.608},
    ("11", "clean.csv", ""): {"MAC000901": 20.6145, "MAC000902": 22.2105},
    ("11", "null.csv", LCL): {"MAC000901": 20.6145, "MAC000902": 22.2105},
    ("11", "dup.csv", LCL): {"MAC000901": 20.6145, "MAC000902": 22.2105},
    ("12", "row-a-day.csv", ""): {"row-a-day": 20.935},
    ("12", "ausgrid.csv", ""): {"1": 23.49},
    (
        "13",
        "15minute.csv",
        "--household-column dataid --value-column grid --time-column local_15min --unit kW "
        "--timezone America/Chicago --slots 96",
    ): {"661": 36.608, "1642": 33.368},
    ("13", "15minute.csv", ""): {"661": 36.608, "1642": 33.368},
    ("15", "gap.csv", ""): {"home": 20.6145},
    ("15", "empty-cell.csv", ""): {"home": 20.6145},
    ("16", "greenbutton.csv", ""): {"USAGE--kWh-": 20.615},
    ("16", "sdge.csv", ""): {"0000000": 10.495},
    ("16", "split-date-time.csv", ""): {"kWh": 20.6145},
    ("17", "dashboard.csv", ""): {"sensor-grid_import": 11.078},
    ("18", "lpg-iso.csv", ""): {"Sum--kWh-": 20.6145},
    ("18", "lpg-de.csv", ""): {"Sum--kWh-": 20.6145},
    ("18", "epoch-ms.csv", ""): r"field Power Imported: holds power, but in W, kW or MW.*--unit",
    ("18", "timestep.csv", ""): r"line 2, field time_step: '0' is not a time.*--time-column",
    ("19", "newest-first.csv", ""): {"consumption": 20.6145},
    ("20", "cat-ids.parquet", ""): {"0042": 23.43, "42": 23.43},
    ("20", "intids.parquet", ""): {"42": 23.43, "43": 23.43},
    ("20", "multiindex.parquet", ""): {"a": 23.43, "b": 23.43},
    ("20", "decimal.parquet", ""): {"home": 23.43},
    ("20", "float32.parquet", ""): {"home": 23.43},
    ("20", "nullable.parquet", ""): {"home": 23.43},
    ("20", "text-values.parquet", ""): {"home": 23.43},
    ("20", "time-date-obj.parquet", ""): {"home": 23.43},
    ("20", "time-us-utc.parquet", ""): {"home": 23.43},
    ("21", "mixed-w.csv", "--unit kW --timezone Europe/Paris"): r"is W by Enedis.*kW by --unit",
    ("21", "mixed-w.csv", "--timezone Europe/Paris --day 2025-01-15"): {"Valeur": 32.753},
    ("22", "net.csv", "--allow-negative"): {"net_kwh": -9.251},
    ("23", "two-columns.csv", ""): {"two-columns": 23.43},
    ("23", "two-columns-3days.csv", ""): {"two-columns-3days": 23.3163},
    ("23", "glow.csv", ""): {"glow": 23.43},
    ("24", "offsets.csv", f"{LONDON} --day 2025-10-26 --slots 50"): {"kWh-used": 23.155},
    ("24", "local.csv", f"{LONDON} --day 2025-10-26 --slots 50"): {"kWh-used": 23.155},
    ("24", "offsets.csv", LONDON): {"kWh-used": 23.056},
    ("24", "local.csv", LONDON): {"kWh-used": 23.056},
    ("25", "footer.csv", ""): {"home": 23.43},
    ("26", "obis.csv", ""): r"field direction: .*--only 'direction=import'",
    ("26", "obis.csv", "--only direction=import"): {"m1": 23.43},
    ("27", "p-mw.csv", ""): {"load_1--MW-": 23.43},
    ("28", "index-column.csv", ""): {"home": 23.8665},
    ("28", "sep-line.csv", ""): {"home": 23.8665},
    ("28", "unit-row.csv", ""): {"home": 23.8665},
    ("28", "cr-only.csv", ""): {"home": 23.8665},
    ("28", "trailing-rows-only.csv", ""): {"home": 23.8665},
    ("29", "homes.csv", "--allow-negative"): {
        "usual": 21.7235,
        "vacant": 0.0,
        "constant": 24.0,
        "solar": -0.5365,
        "b": 20.769,
        "c": 19.8835,
    },
}
"""The result of each file: kWh per day by household, or a part of the error message."""

NOT_METER_FILES = {
    "30-python-api-surroundings": "coflex.run in a notebook and in a plain script",
    "31-sweep-worker-killed": "a sweep whose worker is killed",
    "32-run-suspended": "a run that is stopped for minutes",
    "33-few-file-descriptors": "a run with too few file descriptors",
    "34-system-handled-well": "commands around runs that were handled well",
}
"""Cases of other commands: not covered here, and what they are about."""


@pytest.mark.parametrize(("case", "item", "options"), list(EXPECTED))
def test_a_case_gives_the_right_energy_or_a_helpful_error(
    shared: Path, tmp_path: Path, case: str, item: str, options: str
) -> None:
    folder = next((shared / "cases").glob(f"{case}-*"))
    out = tmp_path / "x.npz"
    slots = [] if "--slots" in options else ["--slots", "48"]
    command = ["generate", "--from", str(folder / item), *slots, "--scheme", "", "--out", str(out)]
    result = CliRunner().invoke(app, [*command, *shlex.split(options)])
    expected = EXPECTED[case, item, options]
    if isinstance(expected, str):
        with pytest.raises(InputError, match=expected) as caught:
            raise result.exception or AssertionError(result.output)
        assert "\n" not in str(caught.value)
        assert list(tmp_path.iterdir()) == []
        return
    assert result.exit_code == 0, result.exception
    with np.load(out) as made:
        kwh = dict(zip(made["ids"].tolist(), made["values"].sum(axis=1).tolist(), strict=True))
    assert kwh == pytest.approx(expected, abs=6e-4)
    assert "unit " in result.output
    for household, energy in expected.items():
        assert household in result.output
        assert f"{energy:,.3f}"[:-1] in result.output


def test_every_case_is_listed(shared: Path) -> None:
    cases = json.loads((shared / "cases" / "cases.json").read_text())
    covered = {(case, item) for case, item, _ in EXPECTED}
    for case in cases:
        if case["case"] in NOT_METER_FILES:
            continue
        for item in case["item"].split(", "):
            names = [path.name for path in (shared / "cases" / case["case"]).glob(item)]
            assert names, item
            assert {(case["case"][:2], name) for name in names} <= covered
