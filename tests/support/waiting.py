"""Waiting for a condition instead of for time to pass."""

import asyncio
import select
import time
from collections.abc import Awaitable, Callable

import psutil

PATIENCE = 60.0


def wait_until(condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Return as soon as `condition()` holds; fail with `what` if it does not within `patience`."""
    until = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < until, f"still waiting for {what}"
        select.select([], [], [], 0.01)


async def until(
    condition: Callable[[], bool],
    what: str,
    patience: float = PATIENCE,
    *,
    meanwhile: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Wait like `wait_until` while the event loop runs; `meanwhile` is done again and again."""
    last = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < last, f"still waiting for {what}"
        if meanwhile is not None:
            await meanwhile()
        await asyncio.sleep(0.005)


def children_of(pid: int) -> list[int]:
    """Return the process ids of the living children of a process."""
    try:
        children = psutil.Process(pid).children()
    except psutil.NoSuchProcess:
        return []
    return [child.pid for child in children if alive(child.pid)]


def alive(pid: int) -> bool:
    """Return True if a process exists and is not a zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def command_of(pid: int) -> str:
    """Return the command line of a process, to distinguish processes."""
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""
