"""Interruptions of an experiment: on Ctrl-C or SIGTERM it ends at once and says how to continue.

Temporary files left by a killed experiment are removed by the next one. Workers end with the loop
that waits for them (`sweep_runs.py`). Other modules decide which runs there are, and what is kept
of them.
"""

import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from agents.population.atomic_write import scratch_folder
from orchestrator.experiments.sweep_runs import GOES_ON
from protocol.errors import INTERRUPTED, InputError, RunError

GO_ON = f"{INTERRUPTED}; {GOES_ON}"
_SCRATCH = ".running-"


@contextmanager
def interruptible(folder: Path) -> Iterator[None]:
    """Keep temporary files of runs below `folder` while the context lasts; convert an interruption
    to RunError(GO_ON).

    Files of a killed experiment are removed from the folder first, so only one experiment may use
    it at a time. Raises InputError if the folder cannot be written.
    """
    with ExitStack() as stack:
        try:
            scratch = stack.enter_context(scratch_folder(folder, _SCRATCH))
        except OSError as error:
            raise InputError(f"cannot be used: {error.strerror}", file=folder) from error
        stack.enter_context(_temporary_files_in(scratch))
        stack.enter_context(_sigterm_like_ctrl_c())
        try:
            yield
        except BaseException as error:
            # A run on the bus handles an interruption itself, and raises RunError.
            if isinstance(error, KeyboardInterrupt) or (
                isinstance(error, RunError) and str(error).startswith(INTERRUPTED)
            ):
                raise RunError(GO_ON) from None
            raise


@contextmanager
def _temporary_files_in(scratch: Path) -> Iterator[None]:
    """Make `scratch` the folder for temporary files; workers and hosts inherit this setting."""
    before, named = tempfile.tempdir, os.environ.get("TMPDIR")
    tempfile.tempdir = os.environ["TMPDIR"] = str(scratch)
    try:
        yield
    finally:
        tempfile.tempdir = before
        if named is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = named


@contextmanager
def _sigterm_like_ctrl_c() -> Iterator[None]:
    """Treat SIGTERM like Ctrl-C in the main thread; other threads cannot set handlers."""
    ours = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGTERM, _like_ctrl_c) if ours else None
    try:
        yield
    finally:
        if handler is not None:
            signal.signal(signal.SIGTERM, handler)


def _like_ctrl_c(number: int, frame: object) -> None:
    """Raise SIGINT instead, the only signal on which event loops end cleanly."""
    signal.raise_signal(signal.SIGINT)
