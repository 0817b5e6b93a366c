"""The command `coflex`: parsing and printing only.

This module imports nothing slow, so that Ctrl-C works from the first moment. `application.py`
assembles the commands. A command exits with status 0 on success, 1 if the run failed, 2 for bad
input or usage, and 130 if it was interrupted.
"""

import os
import signal
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.cli.application import app as app

INTERRUPTED_STATUS = 130
_NOTICE = b"interrupted\n"


def main() -> None:
    """Run the command line and exit with its status."""
    _answer_ctrl_c_with(_end_at_once)
    from orchestrator.cli.application import run_command

    _answer_ctrl_c_with(signal.default_int_handler)
    try:
        status = run_command()
    except KeyboardInterrupt:
        _end_at_once()
    _answer_ctrl_c_with(_end_at_once)
    sys.exit(status)


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
    os.write(2, _NOTICE)
    os._exit(INTERRUPTED_STATUS)
