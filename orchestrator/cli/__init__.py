"""The command `coflex`: parsing and printing only.

This module imports nothing slow, so that Ctrl-C works from the first moment. `application.py`
assembles the commands. A command exits with status 0 on success, 1 if the run failed, 2 for bad
input or usage, and 130 if it was interrupted.
"""

import os
import sys

if sys.excepthook is sys.__excepthook__:  # and no debugger's or notebook's

    def _report_uncaught(kind: type[BaseException], error: BaseException, trace: object) -> None:
        """Report an uncaught error: Ctrl-C in a line, others as Python does."""
        if issubclass(kind, KeyboardInterrupt):
            os.write(2, b"interrupted\n")
            os._exit(130)
        sys.__excepthook__(kind, error, error.__traceback__)

    # Even the import of `signal` takes long enough to be interrupted.
    sys.excepthook = _report_uncaught

import gc
import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.cli.application import app as app

INTERRUPTED_STATUS = 130
OBJECTS_BETWEEN_COLLECTIONS = 50_000
"""Number of new objects between two runs of the garbage collector. Imports make hundreds of
thousands and leave no garbage; collecting as often as usual would take a sixth of their time."""


def main() -> None:
    """Run the command line and exit with its status."""
    answer_ctrl_c_at_once()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    from orchestrator.cli.application import run_command

    _answer_ctrl_c_with(signal.default_int_handler)
    try:
        status = run_command()
    except KeyboardInterrupt:
        _end_at_once()
    answer_ctrl_c_at_once()
    sys.exit(status)


def answer_ctrl_c_at_once() -> None:
    """Let Ctrl-C end this process with a line and status 130: while it imports, or ends."""
    _answer_ctrl_c_with(_end_at_once)


def __getattr__(name: str) -> Any:
    """Return the application, which is imported on first use."""
    if name == "app":
        from orchestrator.cli.application import app

        return app
    raise AttributeError(name)


def _answer_ctrl_c_with(handler: Any) -> None:
    """Set the handler of Ctrl-C, unless this process ignores it (nohup, a background job)."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, handler)


def _end_at_once(number: int = signal.SIGINT, frame: object = None) -> None:
    """End the process during imports or during its own exit, when there is nothing to clean up."""
    os.write(2, b"interrupted\n")
    os._exit(INTERRUPTED_STATUS)
