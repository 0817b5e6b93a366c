"""The loop's clock: it stands still while the process does."""

import asyncio
import selectors

import pytest

from protocol.runtime import event_loop
from protocol.runtime.event_loop import JUMP_SECONDS, LOOK_SECONDS, RunningClock


def test_a_long_jump_counts_for_little() -> None:
    real = 1000.0
    clock = RunningClock(lambda: real)
    began = clock()
    real += 1.5
    assert clock() == began + 1.5
    real += 3600
    assert clock() == began + 1.5 + JUMP_SECONDS
    real += 0.25
    assert clock() == began + 1.75 + JUMP_SECONDS


def test_a_loop_that_waits_long_looks_at_its_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour, in a process that runs all the time: no second of it is lost.

    Nothing arrives, so the real time passes in the loop's waits and nowhere else.
    """
    real = 1000.0
    waits = []

    def wait(_: selectors.BaseSelector, timeout: float) -> list[tuple[selectors.SelectorKey, int]]:
        nonlocal real
        waits.append(timeout)
        real += max(timeout, 0.0)
        return []

    clock = RunningClock(lambda: real)
    monkeypatch.setattr(selectors.DefaultSelector, "select", wait)
    monkeypatch.setattr(event_loop, "RunningClock", lambda: clock)

    async def hour() -> float:
        loop = asyncio.get_running_loop()
        began, over = loop.time(), loop.create_future()
        loop.call_later(3600.0, over.set_result, None)
        await over
        return loop.time() - began

    assert event_loop.run(hour()) == pytest.approx(3600.0)
    assert real == pytest.approx(1000.0 + 3600.0)
    assert max(waits) == LOOK_SECONDS
