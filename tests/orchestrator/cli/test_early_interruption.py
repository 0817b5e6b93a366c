"""Ctrl-C in the first moments of a command: one line and status 130, whatever is being imported."""

import signal
import subprocess
import sys
import time

import pytest

from tests.support.paths import ROOT

SHOW = ["show", "there-is-no-such-folder"]
ENTRY = "from orchestrator.cli import main; main()"
MODULE = "import runpy; runpy.run_module('coflex', run_name='__main__', alter_sys=True)"
INTERRUPTING = """
import os, sys
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), 2)
sys.meta_path.insert(0, Interrupting())
sys.argv = ["coflex", "show", "there-is-no-such-folder"]
sys.orig_argv = [sys.executable, "-m", "coflex"]
"""
"""Sends Ctrl-C when a module is about to be imported."""


@pytest.mark.parametrize(
    ("entry", "module"),
    [
        (ENTRY, "signal"),
        (ENTRY, "orchestrator.cli.application"),
        (ENTRY, "typer"),
        (ENTRY, "orchestrator.cli.results"),
        (MODULE, "signal"),
        (MODULE, "importlib.metadata"),
        (MODULE, "numpy"),
        (MODULE, "orchestrator.api"),
        (MODULE, "pydantic"),
        (MODULE, "typer"),
    ],
)
def test_ctrl_c_during_an_import(entry: str, module: str) -> None:
    code = INTERRUPTING.format(name=module) + entry
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import site; site.main()\n{code}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (130, "interrupted\n")
    assert done.stdout == ""


@pytest.mark.parametrize("command", [["-m", "coflex"], ["-c", ENTRY]])
def test_ctrl_c_at_any_moment(command: list[str]) -> None:
    """Python takes some moments before it comes to us, in which it may show a traceback itself."""
    for delay in range(0, 100, 10):
        process = subprocess.Popen(
            [sys.executable, *command, *SHOW],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        until = time.monotonic() + delay / 1000
        while time.monotonic() < until:
            pass
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert process.returncode in (130, -signal.SIGINT, 1, 2)
        assert not any(name in said for name in ("application.py", "api.py"))
