"""What this machine must have for a run: open files. Its lacks are named before the run starts.

What a run needs follows from its processes; which processes there are is decided elsewhere.
"""

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

from protocol.errors import RunError

SERVER_FILES = 24
"""Files that an embedded server has open without any connection, rounded up."""
PART_FILES = 32
"""Files that one process of a run has open, rounded up."""


def check_open_files(connections: int) -> None:
    """Allow this process and its children as many open files as a run of this many `connections`
    to an embedded server needs.

    Raises RunError that names the limit if the system allows fewer.
    """
    needed = max(PART_FILES, SERVER_FILES + connections)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY in (soft, hard) or needed <= soft:
        return
    if needed > hard:
        raise RunError(
            f"this shell allows {hard} open files, and {connections} processes on an embedded "
            f"server need {needed}: raise the limit (ulimit -n {_round(needed)}), or take fewer "
            "processes (--isolation task --hosts 2)"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


@contextmanager
def lacks_named() -> Iterator[None]:
    """Turn an error of the system because the machine lacks something into a RunError that says
    what, while the context lasts."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
            reason = f"no more files can be opened, {allowed} are allowed: raise ulimit -n"
        elif error.errno in (errno.EAGAIN, errno.ENOMEM):
            reason = f"no further process can be started ({os.strerror(error.errno)}): take fewer"
            reason += " (--isolation task --hosts 2), or raise the limit (ulimit -u, memory)"
        elif error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            reason = f"{error.filename or 'the folder for temporary files'} cannot be written "
            reason += f"({os.strerror(error.errno)}): make room, or name another with TMPDIR"
        else:
            raise
        raise RunError(reason) from error


def _round(files: int) -> int:
    """Return the next power of two: a limit that leaves room."""
    return 1 << files.bit_length()
