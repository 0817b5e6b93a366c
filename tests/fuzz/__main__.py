"""Hostile messages to every machine: `python -m tests.fuzz [EXECUTIONS [FIRST_SEED]]`.

Prints the counts, or the first message that a machine did not refuse as it should; its seed shows
it again.
"""

import sys
from itertools import count

from tests.fuzz.fuzzed_run import fuzzed

EXECUTIONS = 10_000_000


def main() -> None:
    """Fuzz as often as the arguments say."""
    executions = int(sys.argv[1]) if len(sys.argv) > 1 else EXECUTIONS
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    total = fuzzed(count(first), executions)
    print(
        f"{total.executions:,} hostile messages in {total.runs:,} runs: {total.refused:,} refused, "
        "no machine raised anything else"
    )


if __name__ == "__main__":
    main()
