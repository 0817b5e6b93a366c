"""A bar for what takes long and can be counted, on a terminal alone."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def counting(what: str, *, threads: bool = True) -> Iterator[Callable[[int, int], None]]:
    """Show how many are done and of how many, as it is told, and the time left. Without `threads`
    the bar is drawn when it changes: hosts must be forked before there is a thread."""
    left = (TextColumn("left"), TimeRemainingColumn())
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), *left)
    console, disable = Console(stderr=True), not sys.stderr.isatty()
    with Progress(*columns, console=console, auto_refresh=threads, disable=disable) as bars:
        task = bars.add_task(what, total=None)

        def told(done: int, of: int) -> None:
            bars.update(task, completed=done, total=of, refresh=True)

        yield told
