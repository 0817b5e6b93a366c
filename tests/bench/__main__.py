"""Runs all benchmarks, or those named: `python -m tests.bench [NAME...]`."""

import importlib
import os
import pkgutil
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import tests.bench


def main() -> None:
    """Print one line a benchmark."""
    names = sys.argv[1:] or sorted(m.name for m in pkgutil.iter_modules(tests.bench.__path__))
    for name in names:
        if name != "__main__":
            module = importlib.import_module(f"tests.bench.{name}")
            print(f"{name}: {module.bench()}", flush=True)


if __name__ == "__main__":
    main()
