"""Waiting for a thing to be so, instead of for time to pass."""

import asyncio
import select
import time
from collections.abc import Callable
from pathlib import Path

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
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            state, parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(parent) == pid and state != "Z":
            found.append(int(entry.name))
    return found


def alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def command_of(pid: int) -> str:
    """Its command line, for telling processes apart."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""
