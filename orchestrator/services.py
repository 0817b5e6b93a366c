"""Matchmakers as processes of their own: started, watched, started again when they end too soon.

What a matchmaker knows is soft: a new one asks the households for their offers, and nothing is
lost meanwhile.
"""

import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType

from orchestrator.orphans import ending_with_parent
from protocol.exchange_terms import ExchangeTerms
from protocol.messages import Address

RESTARTS_AT_MOST = 100
STOP_SECONDS = 5.0
_COFLEX = (sys.executable, "-c", "from orchestrator.cli import main; main()")


class MatchmakerProcesses:
    """The matchmakers of a run; a context manager that leaves none behind."""

    def __init__(
        self,
        run: str,
        url: str,
        addresses: Sequence[Address],
        slots: int,
        terms: ExchangeTerms | None,
    ) -> None:
        self._commands: dict[str, tuple[str, ...]] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.restarts = 0
        """How often one had to be started again."""
        if terms is None:
            return
        common = ("--nats", url, "--run", run, "--slots", str(slots))
        options = (*common, "--lease", str(terms.lease), "--locks", terms.locks)
        for address in addresses:
            self._commands[address.host] = (
                *(*_COFLEX, "matchmaker", "--name", address.host),
                *options,
            )

    def __enter__(self) -> "MatchmakerProcesses":
        for name in self._commands:
            self._start(name)
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

    def revive(self) -> str | None:
        """Start those again that have ended; a reason if that happens too often."""
        for name, process in self._processes.items():
            if process.poll() is not None:
                if self.restarts >= RESTARTS_AT_MOST:
                    return f"{name} keeps ending, last with status {process.returncode}"
                self.restarts += 1
                self._start(name)
        return None

    def _start(self, name: str) -> None:
        self._processes[name] = subprocess.Popen(
            self._commands[name],
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in the terminal is for the run, which ends us
            preexec_fn=ending_with_parent(),
        )
