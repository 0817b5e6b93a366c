"""A pytest plugin for runs against mutants: the fastest tests first, since one failure ends a run.

mutmut writes the duration of each test into a file before it tries the first mutant. While
`COFLEX_QUICK` is set, only tests that take at most that many seconds run against a mutant.
"""

import json
import os
from pathlib import Path

import pytest

STATISTICS = Path("mutmut-stats.json")
QUICK = "COFLEX_QUICK"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the tests by their durations without a mutant; leave out slow ones."""
    if not STATISTICS.exists():
        return
    seconds: dict[str, float] = json.loads(STATISTICS.read_text())["duration_by_test"]
    items.sort(key=lambda item: (seconds.get(item.nodeid, 0.0), item.nodeid))
    # mutmut names the mutant here, or the stage of its work.
    if "__mutmut_" in os.environ.get("MUTANT_UNDER_TEST", ""):
        most = float(os.environ.get(QUICK) or "inf")
        items[:] = [item for item in items if seconds.get(item.nodeid, 0.0) <= most]
