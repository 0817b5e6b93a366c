"""A pytest plugin for runs against mutants: fastest tests first, since one failure ends a run.

How long each test takes stands in the file that mutmut writes before it tries the first mutant.
"""

import json
from pathlib import Path

import pytest

STATISTICS = Path("mutmut-stats.json")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the tests by the seconds they took without a mutant."""
    if not STATISTICS.exists():
        return
    seconds: dict[str, float] = json.loads(STATISTICS.read_text())["duration_by_test"]
    items.sort(key=lambda item: (seconds.get(item.nodeid, 0.0), item.nodeid))
