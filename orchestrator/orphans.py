"""No child process outlives us, even when we are killed and can tell nobody."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def ending_with_parent(parent: int | None = None) -> Callable[[], None]:
    """What a child has to call first so that the kernel ends it with the thread that started it.

    To be made in the parent, before the fork; or in the child, which then says who its `parent` is.
    Linux only; elsewhere it does nothing.
    """
    if sys.platform != "linux":
        return lambda: None
    parent = os.getpid() if parent is None else parent
    prctl = ctypes.CDLL(None).prctl

    def arrange() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # gone already, before it was arranged
            os._exit(1)

    return arrange
