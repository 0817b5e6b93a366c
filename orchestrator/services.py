"""Parts of a run as processes of commands: started, watched, started again when they are killed.

What a matchmaker knows is soft: a new one asks the households for their offers, and nothing is
lost meanwhile. A host goes on where its journal ends.
"""

import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from orchestrator.distributed.child_processes import Ended
from orchestrator.distributed.connection import as_options
from orchestrator.monitoring.logs import LogSettings
from orchestrator.orphans import ending_with_parent
from protocol.transport.bus import Connection

RESTARTS_AT_MOST = 20
"""Of one part; more say that something is wrong with it or with the machine."""
STOP_SECONDS = 5.0
Command = tuple[str, ...]
_COFLEX = (sys.executable, "-c", "from orchestrator.cli import main; main()")


def matchmaker_command(run: str, connection: Connection, logs: LogSettings) -> Command:
    """How a matchmaker of a run is started."""
    how = (*as_options(connection), "--run", run, *logs.as_options())
    return (*_COFLEX, "matchmaker", connection.name, *how)


def host_command(run: str, connection: Connection, kept: Path, logs: LogSettings) -> Command:
    """How a host of a run is started by itself."""
    how = (*as_options(connection), "--run", run, "--keep", str(kept), *logs.as_options())
    return (*_COFLEX, "host", connection.name, *how)


class Services:
    """Processes of commands, by name; a context manager that leaves none behind."""

    def __init__(self, commands: Mapping[str, Command]) -> None:
        self.restarts: Counter[str] = Counter()
        """How often each had to be started again."""
        self._commands = dict(commands)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Services":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    @property
    def pids(self) -> dict[str, int]:
        """Process ids, by name."""
        return {name: process.pid for name, process in self._processes.items()}

    def start(self, name: str) -> None:
        """Start this one."""
        self._processes[name] = subprocess.Popen(
            self._commands[name],
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in the terminal is for the run, which ends us
            preexec_fn=ending_with_parent(),
        )

    def restart(self, ended: Ended) -> str:
        """Start one again that a signal has ended; else, or if that happens too often, a reason."""
        if ended.status > 0:
            return str(ended)
        if self.restarts[ended.name] >= RESTARTS_AT_MOST:
            return f"{ended}, after its restarts: time {RESTARTS_AT_MOST + 1}"
        self.restarts[ended.name] += 1
        self.start(ended.name)
        return ""

    def reap(self) -> list[Ended]:
        """Those that have ended since the last call."""
        ended = []
        for name, process in list(self._processes.items()):
            status = process.poll()
            if status is not None:
                del self._processes[name]
                ended.append(Ended(name, status))
        return ended
