"""Interruptions of an experiment: on Ctrl-C, SIGTERM or kill it ends at once, says how to go on,
and leaves nothing behind. Workers end with the loop that waits for them (sweep_runs.py).

Which runs there are, and what is kept of them, is decided elsewhere.
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
    """Run a block in which runs keep their temporary files below `folder`, and an interruption
    raises RunError(GO_ON).

    Whatever a killed experiment left in the folder is removed first, so only one may use it at a
    time. Raises InputError where the folder cannot be written.
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
            # A run on the bus that was interrupted ends by itself, and says so.
            if isinstance(error, KeyboardInterrupt) or (
                isinstance(error, RunError) and str(error).startswith(INTERRUPTED)
            ):
                raise RunError(GO_ON) from None
            raise


@contextmanager
def _temporary_files_in(scratch: Path) -> Iterator[None]:
    """Make `scratch` the folder for temporary files, of workers and hosts too: they inherit it."""
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
    """Treat SIGTERM as Ctrl-C, where this is the main thread: no other may set handlers."""
    ours = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGTERM, _like_ctrl_c) if ours else None
    try:
        yield
    finally:
        if handler is not None:
            signal.signal(signal.SIGTERM, handler)


def _like_ctrl_c(number: int, frame: object) -> None:
    """Raise SIGINT instead: event loops end cleanly on that signal only."""
    signal.raise_signal(signal.SIGINT)
