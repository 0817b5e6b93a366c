"""Hosts as operating-system processes: forked, watched, ended. None stays behind.

They are forked before any event loop or thread exists here, from a parent that has imported
everything, so that a hundred of them share its memory.
"""

import asyncio
import gc
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import NoReturn

from orchestrator.monitoring.logs import complain
from orchestrator.orphans import ending_with_parent
from protocol.errors import InputError, RunError

STOP_SECONDS = 5.0
_ENDING = frozenset({signal.SIGINT, signal.SIGTERM})


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that is no more."""

    name: str
    status: int
    """Exit status, or minus the signal that ended it."""

    def __str__(self) -> str:
        if self.status < 0:
            return f"{self.name} was ended by {signal.Signals(-self.status).name}"
        return f"{self.name} ended with status {self.status}"


class HostProcesses:
    """One process for each host; a context manager that leaves none behind.

    The parent keeps the writing end of a pipe that all children watch: when it is gone, by
    whatever means, they end. Where the kernel can, it ends those too that cannot watch, because
    they compute or hang.
    """

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._waiting, self._watched = os.pipe()

    def start(self, names: Sequence[str], main: Callable[[str], None]) -> None:
        """Fork a process for each name; it runs `main(name)` and ends."""
        if threading.active_count() > 1:
            raise RuntimeError("hosts must be forked before any thread is started")
        gc.collect()
        gc.freeze()  # the children's collector then leaves the shared pages alone
        for name in names:
            self._fork(name, main)

    def __enter__(self) -> "HostProcesses":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of those that still run, by host."""
        return {name: pid for pid, name in self._names.items()}

    def reap(self) -> list[Ended]:
        """Those that have ended since the last call."""
        ended = []
        for pid, name in list(self._names.items()):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                del self._names[pid]
                ended.append(Ended(name, os.waitstatus_to_exitcode(status)))
        return ended

    def join(self, seconds: float) -> None:
        """Give those who are about to end by themselves some time for it."""
        until = time.monotonic() + seconds
        while self._names and time.monotonic() < until:
            self.reap()
            time.sleep(0.005)

    def stop(self) -> None:
        """End all: ask, wait some seconds, kill."""
        for attempt in (signal.SIGTERM, signal.SIGKILL):
            for pid in self._names:
                os.kill(pid, attempt)
            self.join(STOP_SECONDS)
        for end in (self._waiting, self._watched):
            if end >= 0:
                os.close(end)
        self._waiting = self._watched = -1

    def _fork(self, name: str, main: Callable[[str], None]) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        arrange = ending_with_parent()
        # A signal right after the fork must not unwind the child through the parent's own code.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        try:
            pid = os.fork()
            if not pid:
                self._be(name, main, arrange)
            self._names[pid] = name
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    def _be(self, name: str, main: Callable[[str], None], arrange: Callable[[], None]) -> NoReturn:
        """Be the host: in the child, from fork to end."""
        status = 1
        try:
            arrange()
            os.close(self._watched)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
            main(name)
            status = 0
        except (InputError, RunError) as error:
            if not complain(name, error):
                _say(f"coflex: host {name}: {error}\n")
        except BaseException:
            _say(f"coflex: host {name}:\n{traceback.format_exc()}")
        finally:
            os._exit(status)  # whatever happened, even when nobody could be told

    def end_with_parent(self) -> None:
        """In a child, once its loop runs: end when the parent is gone."""
        asyncio.get_running_loop().add_reader(self._waiting, os._exit, 1)


def _say(text: str) -> None:
    """Write to standard error in one piece, so that the words of two hosts do not mix."""
    os.write(2, text.encode(errors="replace"))
