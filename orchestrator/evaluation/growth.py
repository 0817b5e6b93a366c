"""Table III of the source: how messages and lookups grow with households and with slots."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orchestrator.results import RunResults


@dataclass(frozen=True, slots=True)
class Growth:
    """A power law through means over runs: count ~ size ** exponent."""

    what: str
    of: str
    sizes: tuple[int, ...]
    means: tuple[float, ...]
    exponent: float


def growth(by_households: Sequence[RunResults], by_slots: Sequence[RunResults]) -> list[Growth]:
    """Messages and lookups of the exchange, and messages of the whole run; runs in which everybody
    takes part."""
    found = []
    for of, runs in (("households", by_households), ("slots", by_slots)):
        for what in ("messages of the exchange", "slots looked up", "messages of the run"):
            counts: dict[int, list[float]] = {}
            for run in runs:
                counts.setdefault(getattr(run, of), []).append(_count(run, what))
            sizes = tuple(sorted(counts))
            means = tuple(float(np.mean(counts[size])) for size in sizes)
            slope = float(np.polyfit(np.log(sizes), np.log(means), 1)[0]) if len(sizes) > 1 else 0.0
            found.append(Growth(what, of, sizes, means, slope))
    return found


def _count(run: RunResults, what: str) -> float:
    assert run.exchange is not None
    assert run.bus is not None
    if what == "messages of the exchange":
        return float(run.exchange.messages)
    return float(run.exchange.lookups if what == "slots looked up" else run.bus.messages)
