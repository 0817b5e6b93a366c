"""Which host a process is, where many are started alike (scaled containers): the first that is free
among those who share a folder. The kernel frees a claim when its process ends, however it ends.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from protocol.errors import InputError


@contextmanager
def claimed(folder: Path) -> Iterator[str]:
    """The name claimed in `folder`, as long as the context lasts."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        name, lock = _first_free(folder)
    except OSError as error:
        raise InputError(f"cannot claim a host there: {error.strerror}", file=folder) from error
    try:
        yield name
    finally:
        os.close(lock)


def _first_free(folder: Path) -> tuple[str, int]:
    for number in count(1):
        name = f"host-{number}"
        lock = os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return name, lock
    raise AssertionError("there is always another number")
