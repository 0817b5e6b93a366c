"""Limits of this machine, above all on open files: checked before a run starts.

The caller decides which processes a run has; this module derives how many files they need.
"""

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

from protocol.errors import RunError

SERVER_FILES = 24
"""Number of open files of an embedded server without connections, rounded up."""
PART_FILES = 32
"""Number of open files of one process of a run, rounded up."""


def check_open_files(connections: int) -> None:
    """Raise the limit on open files, for this process and its children, to what a run with this
    many `connections` to an embedded server needs.

    Raises RunError, which names the limit, if the system allows fewer.
    """
    needed = max(PART_FILES, SERVER_FILES + connections)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY in (soft, hard) or needed <= soft:
        return
    if needed > hard:
        raise RunError(
            f"this shell allows {hard} open files, and {connections} processes on an embedded "
            f"server need {needed}: raise the limit (ulimit -n {_round(needed)}), or use fewer "
            "processes (--isolation task --hosts 2)"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


@contextmanager
def lacks_named() -> Iterator[None]:
    """Convert system errors inside the context: if the machine lacks something, raise RunError that
    names it."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
            reason = f"the limit of {allowed} open files is reached: raise it (ulimit -n)"
        elif error.errno in (errno.EAGAIN, errno.ENOMEM):
            reason = f"no more processes can be started ({os.strerror(error.errno)}): use fewer"
            reason += " (--isolation task --hosts 2), or raise the limit (ulimit -u, memory)"
        elif error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            reason = f"{error.filename or 'the folder for temporary files'} cannot be written "
            reason += f"({os.strerror(error.errno)}): free space, or set TMPDIR to another folder"
        else:
            raise
        raise RunError(reason) from error


def _round(files: int) -> int:
    """Return the next larger power of two, a limit with some reserve."""
    return 1 << files.bit_length()
