"""coflex from Python in notebooks, running event loops, threads and plain scripts."""

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import nbformat
import pytest
from nbclient import NotebookClient

from orchestrator.api import Outcome, Scenario, run, simulate
from protocol.errors import InputError
from tests.support.paths import ROOT

SMALL = Scenario(demo=True, households=6, slots=36, iterations=3)


def rows(outcome: Outcome) -> object:
    """Return the rows that must be the same wherever a run is started."""
    return outcome.results.rows


@pytest.mark.nats
@pytest.mark.slow
def test_a_run_in_a_notebook() -> None:
    """A kernel has a running event loop and threads."""
    cell = f"import sys; sys.path.insert(0, {str(ROOT)!r})\nimport coflex\n"
    cell += "coflex.run(demo=True, households=6, slots=36, iterations=3)"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    NotebookClient(notebook, timeout=100, kernel_name="python3").execute()
    (output,) = notebook.cells[0].outputs
    assert output["data"]["text/plain"].startswith("Outcome of a run with 6 households, 36 slots")


@pytest.mark.nats
async def test_a_run_inside_a_running_loop() -> None:
    assert rows(run(SMALL)) == rows(simulate(SMALL))
    assert rows(await asyncio.to_thread(run, SMALL)) == rows(simulate(SMALL))


@pytest.mark.nats
def test_errors_in_the_fresh_interpreter_are_raised_here() -> None:
    def wrong() -> None:
        run(SMALL, nats="nats://127.0.0.1:1")

    with ThreadPoolExecutor(1) as threads, pytest.raises(InputError, match="--nats") as found:
        threads.submit(wrong).result()
    assert found.value.field == "--nats"


@pytest.mark.nats
def test_a_run_in_a_plain_script_from_standard_input() -> None:
    code = "import coflex\nprint(coflex.run(demo=True, households=6, slots=36, iterations=3))"
    done = subprocess.run(
        [sys.executable, "-"], input=code, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("Outcome of a run")
    assert done.stderr == ""


def test_the_text_of_an_outcome_fits_a_screen() -> None:
    lines = repr(simulate(SMALL)).splitlines()
    assert len(lines) <= 10
    assert max(map(len, lines)) <= 79
    assert "exchanges" in lines[-1]
    assert "exchange" not in repr(simulate(SMALL, exchange="off"))
