"""Longer cycles within a slot: whether swaps among three or more households could do what swaps
between two cannot, once the exchange of single slots has ended. Simulated, rule `mutual`.

    python -m tests.bench.cycles [--dataset DIR] [--households N]

prints the table of docs/privacy.md. With one wanted value per household and slot, nearer being
better, a state without an improving swap is Pareto-optimal (Beynier et al., arXiv 1906.10250).
"""

import argparse
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from agents.plans import rmse
from orchestrator.baselines.exchange_assignment import greedy_swaps, lossless_assignment
from orchestrator.coordination.placement import Run
from orchestrator.results.device_schedules import SCHEDULES_FOLDER
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation.simulator import simulate
from protocol.vectors import Array

SMALL = {"demo": True, "households": 40, "slots": 48}
"""What is simulated if nothing is said."""
MIN_GAINS = (0.02, 0.0)
"""Least gains: the default, and none."""


@dataclass(frozen=True, slots=True)
class Left:
    """What could still be improved within slots, nobody losing."""

    state: str
    comfort_gain: float
    """Mean since stage 1, kWh."""
    pairs: int
    """Swaps of two values in which neither loses and one gains."""
    cycles: int
    """Directed cycles of three households in which nobody loses and one gains."""
    worthwhile_cycles: int
    """Those of them in which one gains at least the least gain."""
    best_gain: float
    """Further comfort gain of the best reassignment in which nobody loses at any slot, with cycles
    of any length, kWh."""


def improvements(schedules: Array, preferred: Array, least_kwh2: float) -> tuple[int, int, int]:
    """Return the numbers of improving pairs, cycles of three, and cycles that are worth while."""
    pairs = cycles = worthwhile = 0
    for held, wanted in zip(schedules.T, preferred.T, strict=True):
        now = (held - wanted) ** 2
        gains = now[:, None] - (held[None, :] - wanted[:, None]) ** 2  # each takes each value
        np.fill_diagonal(gains, -np.inf)
        willing = gains >= 0
        indifferent = gains == 0
        small = willing & (gains < max(least_kwh2, np.finfo(float).tiny))
        pairs += int((willing & willing.T).sum() - (indifferent & indifferent.T).sum()) // 2
        cycles += _triangles(willing) - _triangles(indifferent)
        worthwhile += _triangles(willing) - _triangles(small)
    return pairs, cycles, worthwhile


def _triangles(arrows: np.ndarray[Any, Any]) -> int:
    """Return the number of directed cycles of length three, bool[n, n] without loops."""
    steps = arrows.astype(np.int64)
    return int(np.trace(steps @ steps @ steps)) // 3


def states(options: dict[str, Any]) -> Iterator[Left]:
    """Yield what is left after an exchange with each least gain, and after all improving swaps."""
    for min_gain in MIN_GAINS:
        planned, preferred, exchanged, rounds = _exchanged({**options, "min_gain": min_gain})
        least = min_gain * float(((planned - preferred) ** 2).mean())
        stable, _ = greedy_swaps(exchanged, preferred)
        for name, after in (
            (f"`--min-gain {min_gain:g}`, ended after {rounds} rounds", exchanged),
            ("the same, then every improving swap", stable),
        ):
            was, away = rmse(planned, preferred).mean(), rmse(after, preferred).mean()
            best = rmse(lossless_assignment(after, preferred), preferred).mean()
            pairs, cycles, worthwhile = improvements(after, preferred, least)
            yield Left(
                state=name,
                comfort_gain=float(was - away),
                pairs=pairs,
                cycles=cycles,
                worthwhile_cycles=worthwhile,
                best_gain=float(away - best),
            )


def _exchanged(options: dict[str, Any]) -> tuple[Array, Array, Array, int]:
    """Return the schedules after stage 1, the preferred plans and the schedules after stage 2, each
    float64[n, d], kWh, and the number of rounds."""
    settings = RunSettings.model_validate(
        {**options, "exchange": "mutual", "content": "slot", "save_schedules": True}
    )
    with TemporaryDirectory() as folder:
        run = Run("cycles", read_scenario(settings, "simulation"))
        results = simulate(run, kept=Path(folder))
        tables = []
        for file in sorted((Path(folder) / SCHEDULES_FOLDER).glob("*.csv")):
            with file.open(newline="") as lines:
                tables.append([list(map(float, row[1:])) for row in list(csv.reader(lines))[1:]])
    preferred, planned, exchanged = np.moveaxis(np.array(tables), 2, 0)
    return planned, preferred, exchanged, len(results.rounds) - 1


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--dataset", type=Path, help="EPOS folder or .npz file")
    parser.add_argument("--households", type=int, help="the first N")
    given = parser.parse_args()
    options: dict[str, Any] = dict(SMALL)
    if given.dataset is not None:
        options = {"dataset": given.dataset, "households": given.households}
    elif given.households is not None:
        options["households"] = given.households
    print(
        "| state | comfort gain | improving pairs | improving cycles of 3 | worth the least gain "
        "| best further gain |\n|" + " --- |" * 6
    )
    for left in states(options):
        print(
            f"| {left.state} | {left.comfort_gain:.4f} | {left.pairs:,} | {left.cycles:,} "
            f"| {left.worthwhile_cycles:,} | {left.best_gain:.6f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
