"""The number of random cases in property tests and in storms."""

import os

CRASH_SCHEDULES = int(os.environ.get("COFLEX_SEEDS", "100"))
"""Crash schedules that the quickest storm tries, COFLEX_SEEDS; others try a share of them. CI takes
10,000."""


def examples(usual: int) -> int:
    """Return the number of random cases of a test: `usual`, or COFLEX_EXAMPLES if that is less, as
    in mutation tests."""
    return min(usual, int(os.environ.get("COFLEX_EXAMPLES", usual)))
