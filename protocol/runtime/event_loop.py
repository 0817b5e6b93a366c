"""An event loop whose clock stands still while the process does.

A run may be stopped for minutes: Ctrl-Z and fg, a paused container, a laptop that is closed. Its
parts must not take that for silence of the others. So the clock of their loop looks at the time at
least every LOOK_SECONDS, and a longer jump between two looks counts as JUMP_SECONDS only. All
timers of the process follow this clock: deadlines of machines, and the patience of the bus.
"""

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
LOOK_SECONDS = 1.0
"""The longest wait between two looks at the time."""
JUMP_SECONDS = 2.0
"""The most that the clock advances between two looks."""


class RunningClock:
    """A clock in seconds that counts the time in which the process runs.

    It begins with what `real` says. Whoever uses it calls it at least every LOOK_SECONDS.
    """

    def __init__(self, real: Callable[[], float] = time.monotonic) -> None:
        self._real = real
        self._looked = real()
        self._stopped = 0.0
        """Seconds that do not count."""

    def __call__(self) -> float:
        """Return the time."""
        now = self._real()
        if now - self._looked > JUMP_SECONDS:
            self._stopped += now - self._looked - JUMP_SECONDS
        self._looked = now
        return now - self._stopped


class _BriefSelector(selectors.DefaultSelector):
    """A selector that waits for LOOK_SECONDS at most, so that the loop looks at its clock."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        wait = LOOK_SECONDS if timeout is None else min(timeout, LOOK_SECONDS)
        return super().select(wait)


class RunningLoop(asyncio.SelectorEventLoop):
    """An event loop on a RunningClock."""

    def __init__(self) -> None:
        self._running_clock = RunningClock()
        super().__init__(_BriefSelector())

    def time(self) -> float:
        """Return the time of the loop's clock, in seconds."""
        return self._running_clock()


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a part of a run to its end, as asyncio.run does, on a RunningLoop."""
    with asyncio.Runner(loop_factory=RunningLoop) as runner:
        return runner.run(main)
