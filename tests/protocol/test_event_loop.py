"""The loop's clock: it stands still while the process does."""

import asyncio
import time

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


def test_a_loop_that_waits_long_looks_at_its_clock() -> None:
    """Whatever it waits for, its clock keeps up with the time."""

    async def wait() -> float:
        loop = asyncio.get_running_loop()
        began, real = loop.time(), time.monotonic()
        await asyncio.sleep(JUMP_SECONDS + LOOK_SECONDS / 2)
        return (loop.time() - began) - (time.monotonic() - real)

    assert abs(event_loop.run(wait())) < LOOK_SECONDS / 2
