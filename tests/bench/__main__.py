"""Runs the benchmarks, or those named: `python -m tests.bench [NAME...]`.

Ratios are kept in `.bench/ratios.jsonl` and shown beside those of the last run on this machine.
"""

import importlib
import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from tests.bench.measured import Measured, comparison, keep_ratios, last_ratios

BENCHMARKS = ("contents", "data", "exchange", "homes", "planning", "security", "subtree")
"""Modules with a function `bench`. Four more, complexity, loops, privacy and sizes, take minutes
and print tables: they run only when named."""


def main() -> None:
    """Print one line per benchmark, and its ratios beside the last ones."""
    for name in sys.argv[1:] or BENCHMARKS:
        module = importlib.import_module(f"tests.bench.{name}")
        measured: Measured = module.bench()
        print(f"{name}: {measured.text}", flush=True)
        ratios = comparison(measured, last_ratios(name))
        if ratios:
            print(f"{' ' * len(name)}  {ratios}", flush=True)
        keep_ratios(name, measured)


if __name__ == "__main__":
    main()
