"""How hard the tests with random cases try."""

import os


def examples(usual: int) -> int:
    """Return how many random cases a test tries: `usual`, or COFLEX_EXAMPLES where that is less,
    as in runs against mutants."""
    return min(usual, int(os.environ.get("COFLEX_EXAMPLES", usual)))
