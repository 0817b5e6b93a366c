"""Runs the benchmarks, or what is named: `python -m tests.bench [NAME...]`."""

import importlib
import os
import pkgutil
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import tests.bench

STUDIES = {"__main__", "complexity", "privacy", "sizes"}
"""Take minutes and print tables: only when they are named."""


def main() -> None:
    """Print one line a benchmark."""
    found = {module.name for module in pkgutil.iter_modules(tests.bench.__path__)}
    for name in sys.argv[1:] or sorted(found - STUDIES):
        if name != "__main__":
            module = importlib.import_module(f"tests.bench.{name}")
            print(f"{name}: {module.bench()}", flush=True)


if __name__ == "__main__":
    main()
