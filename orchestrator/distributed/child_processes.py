"""Child processes of a run: starts, watches, restarts and ends them. None outlives its parent.

Hosts are forked from a parent that has imported everything, so that a hundred of them share its
memory; this happens before the parent has an event loop or a second thread. Matchmakers, and hosts
that were killed, are started as separate commands. A matchmaker loses nothing when it is killed,
because the new one asks the households for their offers. A host continues where its journal ends.
"""

import asyncio
import contextlib
import ctypes
import gc
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from orchestrator.monitoring.logs import complain
from protocol.errors import InputError, RunError
from protocol.runtime.event_loop import RunningClock

STOP_SECONDS = 5.0
RESTARTS_MAX = 20
"""Maximum number of restarts of one part; more mean that the part or the machine is faulty."""
Command = tuple[str, ...]
_SAID_MAX = 2048
"""Bytes of a reason that a host may give for its end; so many are written in one piece."""
_ENDING = frozenset({signal.SIGINT, signal.SIGTERM})
_PR_SET_PDEATHSIG = 1


def ending_with_parent(parent: int | None = None) -> Callable[[], None]:
    """Return a function for the child to call first: the kernel then ends the child together with
    the thread that started it.

    Call `ending_with_parent` in the parent before the fork, or in the child with the process id of
    its `parent`. It has an effect only on Linux.
    """
    if sys.platform != "linux":
        return lambda: None
    parent = os.getpid() if parent is None else parent
    prctl = ctypes.CDLL(None).prctl

    def arrange() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # the parent ended before the call above
            os._exit(1)

    return arrange


def end(processes: Collection[subprocess.Popen[bytes]]) -> None:
    """End processes: ask all of them, wait some seconds, kill those that still run."""
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that has ended."""

    name: str
    status: int
    """Exit status, or minus the number of the signal that ended it."""
    reason: str = ""
    """The reason that the process gave for its end; empty if it gave none."""

    def __str__(self) -> str:
        if self.reason:
            return f"{self.name}: {self.reason}"
        if self.status < 0:
            return f"{self.name} was ended by {signal.Signals(-self.status).name}"
        return f"{self.name} ended with status {self.status}"


class HostProcesses:
    """Forked processes, one per host; a context manager that ends all of them on exit.

    The parent holds the writing end of a pipe that all children watch: they end when it closes, for
    whatever reason. On Linux, the kernel also ends children that cannot watch because they are
    computing or hang. Through a second pipe, children report why they end.
    """

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._waiting, self._watched = os.pipe()
        self.failed: list[Ended] = []
        """The hosts that said why they ended."""
        self._reasons: dict[str, str] = {}
        """What hosts have said that have not been reaped yet."""
        self._said, self._saying = os.pipe()
        os.set_blocking(self._said, False)

    def start(self, names: Sequence[str], main: Callable[[str], None]) -> None:
        """Fork a process for each name, which runs `main(name)` and ends."""
        if threading.active_count() > 1:
            raise RuntimeError("hosts must be forked before any thread is started")
        gc.collect()
        gc.freeze()  # so that the children's garbage collector does not copy shared pages
        for name in names:
            self._fork(name, main)

    def __enter__(self) -> "HostProcesses":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the hosts that still run, by name."""
        return {name: pid for pid, name in self._names.items()}

    def reap(self) -> list[Ended]:
        """Return the processes that have ended since the last call."""
        ended = []
        for pid, name in list(self._names.items()):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                del self._names[pid]
                ended.append((name, os.waitstatus_to_exitcode(status)))
        if ended:
            self._hear_reasons()
        reported = [Ended(name, status, self._reasons.pop(name, "")) for name, status in ended]
        self.failed += [each for each in reported if each.reason]
        return reported

    def _hear_reasons(self) -> None:
        """Read what children have said of their ends since the last call."""
        said = b""
        with contextlib.suppress(BlockingIOError):
            while more := os.read(self._said, _SAID_MAX):
                said += more
        for line in said.decode(errors="replace").splitlines():
            name, _, reason = line.partition("\t")
            self._reasons[name] = reason

    def join(self, seconds: float) -> None:
        """Wait up to `seconds` for the processes to end by themselves."""
        clock = RunningClock()
        until = clock() + seconds
        while self._names and clock() < until:
            self.reap()
            time.sleep(0.005)

    def stop(self) -> None:
        """End all processes: terminate them, wait up to STOP_SECONDS, and kill the rest."""
        for attempt in (signal.SIGTERM, signal.SIGKILL):
            for pid in self._names:
                os.kill(pid, attempt)
            self.join(STOP_SECONDS)
        for end in (self._waiting, self._watched, self._said, self._saying):
            if end >= 0:
                os.close(end)
        self._waiting = self._watched = self._said = self._saying = -1

    def end_with_parent(self) -> None:
        """End this child when its parent has ended. Call it in the child's event loop."""
        asyncio.get_running_loop().add_reader(self._waiting, os._exit, 1)

    def _fork(self, name: str, main: Callable[[str], None]) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        arrange = ending_with_parent()
        # A signal right after the fork must not make the child unwind through the parent's code.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        try:
            pid = os.fork()
            if not pid:
                self._run_child(name, main, arrange)
            self._names[pid] = name
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    def _run_child(
        self, name: str, main: Callable[[str], None], arrange: Callable[[], None]
    ) -> NoReturn:
        """Run the host in the child process, from the fork to its exit."""
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
            complain(name, error)
            reason = " ".join(str(error).split())
            os.write(self._saying, f"{name}\t{reason}".encode(errors="replace")[:_SAID_MAX] + b"\n")
        except BaseException:
            _write_error(f"coflex: host {name}:\n{traceback.format_exc()}")
        finally:
            os._exit(status)  # even if the error could not be reported


class CommandProcesses:
    """Processes of commands, by name; a context manager that ends all of them on exit."""

    def __init__(self, commands: Mapping[str, Command]) -> None:
        self.restarts: Counter[str] = Counter()
        """Number of restarts of each part."""
        self._commands = dict(commands)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "CommandProcesses":
        return self

    def __exit__(self, *_: object) -> None:
        end(self._processes.values())

    @property
    def pids(self) -> dict[str, int]:
        """Process ids, by name."""
        return {name: process.pid for name, process in self._processes.items()}

    def start(self, name: str) -> None:
        """Start the command of this name."""
        self._processes[name] = subprocess.Popen(
            self._commands[name],
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C goes to the parent only, which ends this process
            preexec_fn=ending_with_parent(),
        )

    def restart(self, ended: Ended) -> str:
        """Restart a process that was ended by a signal.

        Returns an empty string, or the reason why it is not restarted: it ended by itself, or it
        has been restarted too often.
        """
        if ended.status > 0:
            return str(ended)
        if self.restarts[ended.name] >= RESTARTS_MAX:
            return f"{ended} after {RESTARTS_MAX} restarts"
        self.restarts[ended.name] += 1
        self.start(ended.name)
        return ""

    def reap(self) -> list[Ended]:
        """Return the processes that have ended since the last call."""
        ended = []
        for name, process in list(self._processes.items()):
            status = process.poll()
            if status is not None:
                del self._processes[name]
                ended.append(Ended(name, status))
        return ended


def _write_error(text: str) -> None:
    """Write to standard error in one call, so that lines of two hosts do not mix."""
    os.write(2, text.encode(errors="replace"))
