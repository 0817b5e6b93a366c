"""Fresh interpreters that do one piece of work after another for this process.

Each imports coflex and nothing of its caller. It does not import the main module, so scripts need
no guard; it has no threads and no running event loop, so it can fork hosts. Each has a pipe to this
process, and no memory is shared. If one is lost, the caller knows which work it was doing.
"""

import os
import pickle
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Sequence
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from orchestrator.distributed.child_processes import Ended, ending_with_parent
from protocol.errors import InputError, RunError

Report = Callable[[Any], None]
"""A function that sends a picklable value to the caller while the work continues."""
Work = Callable[[Report], Any]
"""A piece of work: picklable, built from functions that can be imported."""
_BEGIN = (
    "import sys; fd, parent, *sys.path = sys.argv[1:]; "
    "from orchestrator.distributed.fresh_process import serve; serve(int(fd), int(parent))"
)


class LostProcessError(RunError):
    """A fresh process that ended in the middle of its work."""


class FreshProcess:
    """One fresh interpreter; a context manager that ends it on exit."""

    def __init__(self) -> None:
        self.connection, theirs = Pipe()
        arguments = (str(theirs.fileno()), str(os.getpid()), *sys.path)
        with theirs:
            self._process = subprocess.Popen(
                (sys.executable, "-c", _BEGIN, *arguments),
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C goes to the caller only, which ends this process
            )

    def __enter__(self) -> "FreshProcess":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.connection.close()  # an idle process then ends by itself
        if kind is not None:
            self._process.kill()
        self._process.wait()

    def kill(self) -> None:
        """End the process at once, even in the middle of its work."""
        self._process.kill()
        self._process.wait()
        self.connection.close()

    def interrupt(self) -> None:
        """Interrupt the work, as Ctrl-C does."""
        self._process.send_signal(signal.SIGINT)

    def begin(self, work: Work) -> None:
        """Start a piece of work; raises LostProcessError if the process has ended."""
        try:
            self.connection.send(work)
        except OSError:
            raise self._lost() from None

    def result(self, report: Report = lambda value: None) -> Any:
        """Wait for the result of the work, and pass its reports on in the meantime.

        Raises the error of the work, or LostProcessError.
        """
        while True:
            try:
                kind, value = self.connection.recv()
            except (EOFError, OSError):
                raise self._lost() from None
            match kind:
                case "report":
                    report(value)
                case "done":
                    return value
                case _:
                    raise value

    def _lost(self) -> LostProcessError:
        return LostProcessError(str(Ended("its process", self._process.wait())))


def run_fresh(work: Work, report: Report = lambda value: None) -> Any:
    """Do a piece of work in a new interpreter, and return its result.

    Ctrl-C interrupts the work, which then raises its own error. An error of `report` interrupts it
    as well, and is raised when the work has ended.
    """
    failed: list[Exception] = []

    def reported(value: Any) -> None:
        try:
            report(value)
        except Exception as error:
            failed.append(error)
            process.interrupt()

    with FreshProcess() as process:
        process.begin(work)
        try:
            return _result(process, reported, failed)
        except KeyboardInterrupt:
            process.interrupt()
            return _result(process, reported, failed)


def _result(process: FreshProcess, report: Report, failed: Sequence[Exception]) -> Any:
    """Return the result of the work, or raise the first error of `report`, which ended it."""
    try:
        made = process.result(lambda value: None if failed else report(value))
    except RunError:
        if not failed:
            raise
    if failed:
        raise failed[0]
    return made


def serve(descriptor: int, parent: int) -> None:
    """Do work in the fresh process until the pipe closes."""
    ending_with_parent(parent)()
    with Connection(descriptor) as connection:
        while True:
            try:
                data = connection.recv_bytes()
            except (EOFError, OSError):
                return
            try:
                work = pickle.loads(data)  # from the process that started this one
                answer = "done", work(lambda value: connection.send(("report", value)))
            except (InputError, RunError) as error:
                answer = "failed", error
            except Exception:
                # Send the traceback as text, since an arbitrary exception may not be picklable.
                answer = "failed", RuntimeError(traceback.format_exc())
            try:
                connection.send_bytes(pickle.dumps(answer))
            except OSError:
                return
