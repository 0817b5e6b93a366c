"""Loading the compact file, compared with loading the same households from an EPOS folder."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

from agents.population import epos_folder
from agents.population import npz_archive as archive
from agents.population.loader import load
from agents.population.synthetic import generate
from tests.bench.measured import Measured

REPEATS = 5


def _seconds(work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began


def bench() -> Measured:
    """Return the ratio of both, measured in turn."""
    population = generate(households=200, slots=144, seed=0)
    with tempfile.TemporaryDirectory() as place:
        folder, file = Path(place, "folder"), Path(place, "file.npz")
        epos_folder.write(population, folder)
        archive.write(population, file)
        pairs = [
            (_seconds(lambda: load(folder)), _seconds(lambda: load(file))) for _ in range(REPEATS)
        ]
    ratio = median(slow / fast for slow, fast in pairs)
    slow, fast = (median(column) for column in zip(*pairs, strict=True))
    text = f"200 households: folder {slow:.3f} s, file {fast:.4f} s, {ratio:.0f} times faster"
    return Measured(text, {"folder/file": ratio})
