"""Schedules of strikes on real runs: `python -m tests.chaos [SCHEDULES [FIRST_SEED]]`.

Prints the counts by kind of run and of strike, and each schedule whose run broke a promise; its
seed tries it again. Exits with status 1 if there is one.
"""

import multiprocessing
import os
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from tests.chaos.schedule import Schedule, drawn
from tests.chaos.struck_run import faults_of

SCHEDULES = 1_000


def tried(seed: int) -> tuple[Schedule, list[str], list[str]]:
    """Try one schedule; return it, what went wrong, and the kinds of strikes that met a part."""
    schedule = drawn(seed)
    return schedule, *faults_of(schedule)


def main() -> int:
    """Try as many schedules as the arguments say; return the exit status."""
    schedules = int(sys.argv[1]) if len(sys.argv) > 1 else SCHEDULES
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    kinds, strikes, violations = Counter[str](), Counter[str](), 0
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), mp_context=fork) as pool:
        for schedule, wrong, struck in pool.map(tried, range(first, first + schedules)):
            kinds[schedule.kind] += 1
            strikes.update(struck)
            if wrong:
                violations += 1
                print(f"VIOLATION  {schedule}\n  " + "\n  ".join(wrong), flush=True)
    for counted in (kinds, strikes):
        print(", ".join(f"{name} {count}" for name, count in sorted(counted.items())))
    print(f"{schedules:,} schedules, {violations} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
