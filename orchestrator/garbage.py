"""How often a process looks for garbage in cycles: messages make none, and there are millions."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

AFTER = 1_500
"""Objects a household after which it looks again."""


@contextmanager
def collected_rarely(households: int) -> Iterator[None]:
    """Within, what is not needed is found seldom enough not to matter beside this many households;
    afterwards as often as before."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], AFTER * households), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
