"""`coflex sweep --on bus`: real servers and hosts, the same table as in simulation, nothing left
behind."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator.cli import app
from orchestrator.experiments.interruption import GO_ON
from orchestrator.experiments.sweep_runs import LOG
from protocol.errors import InputError
from tests.support.waiting import alive, children_of, command_of, wait_until

pd = pytest.importorskip("pandas", reason="tables are part of the extra `report`")

COFLEX = (sys.executable, "-c", "from orchestrator.cli import main; main()")
SMALL = ["--demo", "true", "--households", "12", "--slots", "36", "--iterations", "5"]
GRID = [*SMALL, "--isolation", "task", "--beta", "0,0.5"]
WAY = ("exchange_messages", "exchange_frames", "exchange_bytes")
"""What is counted on the way, of repetitions too; and what is made of it."""


def on_a_terminal(command: list[str]) -> tuple[int, str]:
    """Run a command on a terminal; return its exit status and its output."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    shown = bytearray()

    def listen() -> None:
        try:
            while part := os.read(ours, 4096):
                shown.extend(part)
        except OSError:  # the other end is closed
            return

    listener = threading.Thread(target=listen)
    listener.start()
    status = process.wait(timeout=300)
    listener.join()
    os.close(ours)
    return status, shown.decode(errors="replace")


@pytest.mark.nats
@pytest.mark.slow
def test_the_table_is_the_same_as_in_simulation(tmp_path: Path) -> None:
    """Planning is always the same, and the exchange if it is sequential. A progress bar is shown,
    because hosts are forked and no thread that draws may exist then."""
    varied = [
        "--content",
        "slot",
        "--exchange",
        "mutual,off",
        "--exchange-order",
        "concurrent,sequential",
    ]
    tables = {}
    for where in ("simulation", "bus"):
        out = ["--on", where, "--workers", "1", "--out", str(tmp_path / where)]
        status, shown = on_a_terminal([*COFLEX, "sweep", *GRID, *varied, *out])
        assert (status, "8/8" in shown) == (0, True), shown
        tables[where] = pd.read_parquet(tmp_path / where / "sweep.parquet")
    simulated, real = tables["simulation"], tables["bus"]
    assert list(simulated.columns) == list(real.columns)
    assert (set(simulated.pop("on")), set(real.pop("on"))) == ({"simulation"}, {"bus"})
    later = [name for name in real if name.startswith(("exchanged_", "exchange_"))]
    planning = [name for name in real if name not in later or name == "exchange_order"]
    assert len(planning) > 60
    pd.testing.assert_frame_equal(real[planning], simulated[planning], check_exact=True)
    same = [name for name in real if not name.startswith(WAY)]
    assert len(same) > len(planning) + 25
    in_turn = real["exchange_order"] == "sequential"
    pd.testing.assert_frame_equal(real[in_turn][same], simulated[in_turn][same], check_exact=True)
    assert real[in_turn]["exchange_accepted"].sum() > 0


@pytest.mark.nats
@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_sweep_leaves_no_process_and_can_be_finished(
    sent: signal.Signals, tmp_path: Path
) -> None:
    """There are two workers, each with a server, hosts and a matchmaker."""
    out = tmp_path / "out"
    grid = [*GRID, "--replications", "2"]
    command = [*COFLEX, "sweep", *grid, "--on", "bus", "--workers", "2", "--out", str(out)]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    log = out / LOG
    wait_until(lambda: log.exists() and log.read_bytes().endswith(b"\n"), "a run")
    parts: list[int] = []

    def complete() -> bool:
        parts[:] = descendants(process.pid)
        names = " ".join(map(command_of, parts))
        return "nats-server" in names and "matchmaker-1" in names

    wait_until(complete, "a server, hosts and a matchmaker")
    process.send_signal(sent)
    _, printed = process.communicate(timeout=60)
    if sent is signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL
    else:
        assert (process.returncode, printed) == (130, f"{GO_ON}\n")
        assert {path.name for path in out.iterdir()} == {LOG, "sweep.json"}
    wait_until(lambda: not any(map(alive, parts)), "all parts to end")
    finished = log.read_bytes()
    assert 1 <= finished.count(b"\n") < 4
    subprocess.run(command, check=True, capture_output=True)
    assert log.read_bytes().startswith(finished)  # no run was repeated
    keys = [json.loads(line)[0] for line in log.read_text().splitlines()]
    assert len(keys) == len(set(keys)) == 4
    assert len(pd.read_parquet(out / "sweep.parquet")) == 4
    assert not list(out.glob(".*"))  # nor files that the killed process could not remove


def test_a_folder_has_runs_from_the_bus_or_from_simulation_only(tmp_path: Path) -> None:
    small = ["--demo", "true", "--households", "5", "--slots", "36", "--iterations", "2"]
    words = ["sweep", *small, "--workers", "1", "--out", str(tmp_path)]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert list(pd.read_csv(tmp_path / "sweep.csv")["on"]) == ["simulation"]
    found = CliRunner().invoke(app, [*words, "--on", "bus"])
    with pytest.raises(InputError, match="has a sweep --on simulation: choose another"):
        raise found.exception or AssertionError(found.output)
    (tmp_path / "sweep.json").write_text("{}")
    found = CliRunner().invoke(app, words)
    with pytest.raises(InputError, match=r"sweep.json: not a file of a sweep"):
        raise found.exception or AssertionError(found.output)


def descendants(pid: int) -> list[int]:
    """Return the children of a process, their children, and so on."""
    found = children_of(pid)
    return found + [further for child in found for further in descendants(child)]
