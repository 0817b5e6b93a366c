"""`coflex sweep`: grids, seeds, the table, and continuing after an interruption."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator.cli import app
from orchestrator.coordination.placement import Run
from orchestrator.experiments.sweep_grid import read_grid
from orchestrator.experiments.sweep_runs import LOG, seed_of
from orchestrator.experiments.sweep_table import write_tables
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation.simulator import simulate
from protocol.errors import InputError
from tests.support.paths import ROOT
from tests.support.waiting import children_of, wait_until

pd = pytest.importorskip("pandas", reason="tables are part of the extra `report`")

COFLEX = (sys.executable, "-c", "from orchestrator.cli import main; main()")
GRID = """
demo = true
households = [6, 9]
slots = 36
iterations = 4
beta = [0.0, 0.5]
exchange = ["mutual", "cooperative"]
replications = 2
"""


def finish(grid: Path, out: Path, *options: str) -> None:
    """Run a sweep in this process, or the runs that are left of it."""
    words = ["sweep", str(grid), "--workers", "1", *options, "--out", str(out)]
    CliRunner().invoke(app, words, catch_exceptions=False)


def chosen(**options: float) -> RunSettings:
    return RunSettings.model_validate({"demo": True, "slots": 36, "iterations": 4, **options})


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    file = tmp_path / "grid.toml"
    file.write_text(GRID)
    return file


def test_every_combination_has_its_replications(grid: Path) -> None:
    cells = read_grid(grid, {}, None).cells()
    assert len(cells) == 2 * 2 * 2 * 2
    assert len({cell.key for cell in cells}) == len(cells)
    chosen = [(c.settings.households, c.settings.beta, c.settings.exchange) for c in cells]
    assert chosen[:3] == [(6, 0.0, "mutual"), (6, 0.0, "mutual"), (6, 0.0, "cooperative")]
    seeds = {cell.replication: cell.settings.seed for cell in cells}
    assert seeds == {0: seed_of(0, 0), 1: seed_of(0, 1)}
    assert len(set(seeds.values())) == 2  # and the same for all combinations: they are paired
    (alone,) = read_grid(None, {"demo": "true", "seed": "7"}, None).cells()
    assert alone.settings.seed == 7


def test_options_take_precedence_over_the_file(grid: Path) -> None:
    found = read_grid(grid, {"beta": "0.1, 0.2,0.3", "households": "5"}, 1)
    assert found.varied == ["beta", "exchange"]
    assert {cell.settings.beta for cell in found.cells()} == {0.1, 0.2, 0.3}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("demo = ", "grid.toml.*not a TOML file"),
        ("demo = true\nbetta = 1", "grid.toml.*betta.*no such option: did you mean .beta"),
        ("demo = true\nbeta = [0.5, 0.5]", "beta.*given twice"),
        ("demo = true\nbeta = []", "0 runs: give 1 to"),
        ("demo = true\nreplications = 0", "replications.*at least 1"),
        ("demo = true\nbeta = [0, 2]", "beta.*less than or equal to 1.*in the run beta 2"),
        ("demo = true\nbeta = [0, 0.6]\nalpha = [0, 0.6]", "at most 1 .in the run beta 0.6, alp"),
        ("beta = [0, 0.5]", "give either a data set or --demo"),
    ],
)
def test_wrong_grids_are_refused_before_anything_runs(
    tmp_path: Path, content: str, complaint: str
) -> None:
    file = tmp_path / "grid.toml"
    file.write_text(content)
    result = CliRunner().invoke(app, ["sweep", str(file), "--out", str(tmp_path / "out")])
    assert isinstance(result.exception, InputError)
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match=f"(?s){complaint}"):
        raise result.exception


def test_a_row_equals_the_results_of_a_single_run(grid: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    one = ["--households", "6", "--beta", "0.5", "--exchange", "mutual"]
    result = CliRunner().invoke(
        app, ["sweep", str(grid), *one, "--out", str(out), "--workers", "1"], catch_exceptions=False
    )
    assert "Files in" in result.output
    table = pd.read_parquet(out / "sweep.parquet")
    assert list(table["replication"]) == [0, 1]
    settings = chosen(households=6, beta=0.5, seed=seed_of(0, 1))
    alone = simulate(Run("alone", read_scenario(settings, "simulation")))
    assert alone.exchanged is not None
    assert alone.exchange is not None
    row = table.iloc[1]
    assert row["exchanged_mean_comfort"] == alone.exchanged.mean_comfort
    assert row["planned_inefficiency"] == alone.planned.inefficiency
    assert row["exchange_accepted"] == alone.exchange.accepted
    assert row["data_sha256"] == alone.data_sha256
    assert row["version_coflex"] == alone.versions["coflex"]
    assert row["planned_load_factor"] == pytest.approx(1 / alone.planned.peak_to_average)
    comfort = sorted(1 - row.discomfort_planned for row in alone.rows)
    assert comfort[0] <= row["planned_comfort_p5"] <= row["planned_comfort_p50"] <= comfort[-1]
    csv = pd.read_csv(out / "sweep.csv")
    assert list(csv.columns) == list(table.columns)
    assert "seconds_total" in pd.read_csv(out / "seconds.csv")
    assert not [name for name in csv if "seconds" in name]


@pytest.mark.slow
def test_a_sweep_that_was_killed_ends_with_the_same_table(grid: Path, tmp_path: Path) -> None:
    """The sweep is killed halfway with all its workers, and the log ends in an incomplete line."""
    finish(grid, tmp_path / "whole")
    out = tmp_path / "killed"
    command = [*COFLEX, "sweep", str(grid), "--workers", "2", "--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    log = out / LOG
    wait_until(lambda: log.exists() and log.read_bytes().count(b"\n") >= 5, "some runs")
    workers = children_of(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_until(lambda: not any(map(_runs, workers)), "the workers to end")
    finished = log.read_bytes()
    assert finished.count(b"\n") < 16
    log.write_bytes(finished + b'["half a line')
    finish(grid, out)
    for name in ("sweep.csv", "sweep.parquet", "summary.csv"):
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert log.read_bytes().startswith(finished)  # no run was repeated
    keys = [json.loads(line)[0] for line in log.read_text().splitlines() if line.endswith("]")]
    assert len(keys) == len(set(keys)) == 16


@pytest.mark.slow
def test_ctrl_c_says_how_to_continue(grid: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [*COFLEX, "sweep", str(grid), "--workers", "2", "--out", str(out)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: (out / LOG).exists() and (out / LOG).read_bytes() != b"", "a run")
    workers = children_of(process.pid)
    process.send_signal(signal.SIGINT)
    _, printed = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; the same command continues with the runs that are left" in printed
    assert "Traceback" not in printed
    wait_until(lambda: not any(map(_runs, workers)), "the workers to end")


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_only_a_share_exchanges() -> None:
    def rows(share: float) -> list[bool]:
        settings = chosen(households=20, participation=share)
        found = simulate(Run("r", read_scenario(settings, "simulation"))).rows
        return [bool(row.requests or row.comfort_gain) for row in found]

    assert sum(rows(0.0)) == 0
    assert 0 < sum(rows(0.5)) <= 10
    assert sum(rows(1.0)) > 10


@pytest.mark.slow
def test_a_lost_worker_is_one_line_and_the_same_command_continues(
    grid: Path, tmp_path: Path
) -> None:
    """The worker is killed, as the system does when memory is short."""
    out = tmp_path / "out"
    longer = ("--iterations", "60")
    command = [*COFLEX, "sweep", str(grid), "--workers", "2", *longer, "--out", str(out)]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    log = out / LOG
    wait_until(lambda: log.exists() and log.read_bytes() != b"", "a run")
    os.kill(children_of(process.pid)[-1], signal.SIGKILL)
    _, printed = process.communicate()
    assert process.returncode == 1
    (line,) = printed.splitlines()
    assert re.fullmatch(
        r"error: lost the run households [69], beta 0.[05], exchange (mutual|cooperative), "
        r"replication [12]: its process was ended by SIGKILL; the same command continues .*",
        line,
    )
    finished = log.read_bytes()
    finish(grid, out, *longer)
    assert log.read_bytes().startswith(finished)
    assert len(pd.read_csv(out / "sweep.csv")) == 16


SCRIPT = """
from pathlib import Path
from orchestrator.experiments.sweep_grid import read_grid
from orchestrator.experiments.sweep_runs import run_cells
cells = read_grid(Path("grid.toml"), {"households": "6"}, 1).cells()
print(len(run_cells(cells, Path("out"), workers=2)))
"""


@pytest.mark.parametrize("way", ["a file", "standard input"])
def test_a_sweep_in_a_script_needs_no_guard(grid: Path, way: str) -> None:
    """Workers do not import the script again."""
    script = grid.parent / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(script) if way == "a file" else "-"],
        input=None if way == "a file" else SCRIPT,
        cwd=grid.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("4\n", "")


def test_no_cell_of_a_sweep_is_a_formula(tmp_path: Path) -> None:
    """The path of a data set is a text of the user's."""
    row = {"replication": 0, "dataset": "=cmd()|' /C calc'!A0", "beta": -0.5, "seconds_total": 1.0}
    write_tables(tmp_path, [row], ["dataset", "beta"])
    for name in ("sweep.csv", "summary.csv", "seconds.csv"):
        text = (tmp_path / name).read_text()
        assert "'=cmd()" in text
        assert ",=cmd" not in text
        assert "\n=cmd" not in text
        assert "-0.5" in text
        assert "'-0.5" not in text
    assert pd.read_parquet(tmp_path / "sweep.parquet")["dataset"][0] == row["dataset"]
