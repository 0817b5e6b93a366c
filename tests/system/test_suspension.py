"""Runs on machines that pause: every process is stopped for longer than the deadline of the run."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestrator.results.result_files import ITERATIONS
from tests.support.waiting import children_of, wait_until

COFLEX = [sys.executable, "-c", "from orchestrator.cli import main; main()"]
DEADLINE_SECONDS, STOPPED_SECONDS = 4.0, 7.0


@pytest.mark.nats
@pytest.mark.slow
@pytest.mark.parametrize("when", ["at the start", "while it plans"])
def test_a_suspended_run_continues(tmp_path: Path, when: str) -> None:
    """It is suspended as by Ctrl-Z and fg, or like a paused container, also during its start."""
    options = ["--demo", "--households", "8", "--slots", "144", "--exchange", "off"]
    options += ["--iterations", "200", "--seed", "3"]
    command = [*COFLEX, "run", *options, "--deadline", str(DEADLINE_SECONDS), "--out"]
    tracing = os.environ | {"PYTHONFAULTHANDLER": "1"}
    command += [str(tmp_path / "stopped")]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, env=tracing)
    processes = 1 if when == "at the start" else 9  # the server, then the hosts
    wait_until(lambda: len(children_of(run.pid)) >= processes, "the processes of the run")
    everybody = [run.pid, *children_of(run.pid)]
    for pid in everybody:
        os.kill(pid, signal.SIGSTOP)
    until = time.monotonic() + STOPPED_SECONDS
    wait_until(lambda: time.monotonic() > until, "the time to pass")
    assert run.poll() is None, "it ended before it was stopped"
    for pid in everybody:
        os.kill(pid, signal.SIGCONT)
    try:
        _, said = run.communicate(timeout=200)
    except subprocess.TimeoutExpired:  # show where each process waits
        for pid in [*children_of(run.pid), run.pid]:
            os.kill(pid, signal.SIGABRT)
        _, said = run.communicate()
    assert run.returncode == 0, said.decode()
    simulated = [*COFLEX, "simulate", *options, "--out", str(tmp_path / "undisturbed")]
    subprocess.run(simulated, check=True, capture_output=True)
    stopped, undisturbed = (tmp_path / out / ITERATIONS for out in ("stopped", "undisturbed"))
    assert stopped.read_bytes() == undisturbed.read_bytes()
