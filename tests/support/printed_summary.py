"""The summary of a run as people see it in a terminal."""

import io
from pathlib import Path

from rich.console import Console

from orchestrator.reporting.terminal_summary import print_summary
from orchestrator.results.run_results import RunResults


def printed(results: RunResults, width: int = 80, encoding: str = "utf-8") -> str:
    """Return the summary as a terminal of this width and encoding shows it."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    print_summary(results, Path("some/where"), Console(file=stream, width=width))
    stream.seek(0)
    return stream.read()
