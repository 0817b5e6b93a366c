"""Strikes: how the parts of a run in this process are killed, stopped and cut off."""

import contextlib
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from random import Random

from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.results.result_files import JOURNALS_FOLDER
from tests.chaos.link import Link
from tests.chaos.schedule import ORDER, Schedule
from tests.support.run_parts import parts_of

PAUSE_SECONDS = 0.7
"""How long a paused process stands still."""


class Strikes:
    """The strikes of a schedule on a run in this process: `watch` is the watch of the run."""

    def __init__(
        self, schedule: Schedule, *, server: EmbeddedServer, link: Link, kept: Path
    ) -> None:
        self.pending = list(schedule.strikes)
        self.struck: list[str] = []
        """The kinds of strikes that met a part."""
        self._server, self._link, self._kept = server, link, kept
        self._chance = Random(schedule.seed)
        self._phase, self._steps, self._moment = 0, 0, object()
        self._paused: list[int] = []

    def watch(self, coordinator: RunCoordinator) -> None:
        """Strike whatever is due at this moment of the run."""
        if coordinator.phase not in ORDER:
            return
        moment = _moment(coordinator)
        if moment == self._moment:
            return
        self._moment = moment
        phase = ORDER.index(coordinator.phase)
        self._steps = self._steps + 1 if phase == self._phase else 0
        self._phase = phase
        while self.pending and (self.pending[0].phase, self.pending[0].steps) <= (
            phase,
            self._steps,
        ):
            kind = self.pending.pop(0).kind
            if self._kinds()[kind]():
                self.struck.append(kind)

    def _kinds(self) -> dict[str, Callable[[], bool]]:
        return {
            "host": lambda: self._signal("host", signal.SIGKILL),
            "matchmaker": lambda: self._signal("matchmaker", signal.SIGKILL),
            "server": self._restart_server,
            "pause host": lambda: self._signal("host", signal.SIGSTOP),
            "pause matchmaker": lambda: self._signal("matchmaker", signal.SIGSTOP),
            "pause server": self._pause_server,
            "cut": self._link.cut,
            "full disk": self._fill_disk,
        }

    def _parts(self, kind: str) -> list[int]:
        """Return the process ids of the hosts, or of the matchmakers, of the run."""
        return [pid for pid in parts_of(os.getpid())[kind] if pid != self._link.pid]

    def _signal(self, kind: str, number: signal.Signals) -> bool:
        """Send a signal to a part of this kind; one that it stops goes on after some time."""
        parts = self._parts(kind)
        if not parts:
            return False
        pid = self._chance.choice(parts)
        os.kill(pid, number)
        if number is signal.SIGSTOP:
            self._go_on_later(pid)
        return True

    def _restart_server(self) -> bool:
        self._server.kill()
        self._server.start()
        return True

    def _pause_server(self) -> bool:
        os.kill(self._server.pid, signal.SIGSTOP)
        self._go_on_later(self._server.pid)
        return True

    def _go_on_later(self, pid: int) -> None:
        self._paused.append(pid)
        signal.signal(signal.SIGALRM, self._go_on)
        signal.setitimer(signal.ITIMER_REAL, PAUSE_SECONDS)

    def _go_on(self, number: int, frame: object) -> None:
        for pid in self._paused:
            with contextlib.suppress(ProcessLookupError):  # killed while it stood still
                os.kill(pid, signal.SIGCONT)
        self._paused.clear()

    def _fill_disk(self) -> bool:
        """Let a host write no more than a little to any file."""
        parts = self._parts("host")
        if not parts:
            return False
        folder = self._kept / JOURNALS_FOLDER
        largest = max((file.stat().st_size for file in folder.glob("*")), default=0)
        room = largest + self._chance.randrange(8192)
        resource.prlimit(self._chance.choice(parts), resource.RLIMIT_FSIZE, (room, room))
        return True


def _moment(coordinator: RunCoordinator) -> object:
    """Return what differs between moments of a run."""
    return (
        coordinator.phase,
        coordinator.attempt,
        len(coordinator.enrolled),
        coordinator.latest,
        coordinator.round,
        len(coordinator.results),
    )
