"""The number of random cases in property tests."""

import os


def examples(usual: int) -> int:
    """Return the number of random cases of a test: `usual`, or COFLEX_EXAMPLES if that is less, as
    in mutation tests."""
    return min(usual, int(os.environ.get("COFLEX_EXAMPLES", usual)))
