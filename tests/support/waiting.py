"""Waiting for a thing to be so, instead of for time to pass."""

import asyncio
import select
import time
from collections.abc import Callable

import psutil

PATIENCE = 60.0


def wait_until(condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Return as soon as `condition()` holds; fail with `what` when it does not in `patience`."""
    until = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < until, f"still waiting for {what}"
        select.select([], [], [], 0.01)


async def until(condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """The same, while the loop goes on."""
    last = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < last, f"still waiting for {what}"
        await asyncio.sleep(0.005)


def children_of(pid: int) -> list[int]:
    """Process ids of the living children of a process."""
    try:
        children = psutil.Process(pid).children()
    except psutil.NoSuchProcess:
        return []
    return [child.pid for child in children if alive(child.pid)]


def alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def command_of(pid: int) -> str:
    """Its command line, for telling processes apart."""
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""
