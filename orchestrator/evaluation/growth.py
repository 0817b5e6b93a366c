"""Table III of the source: how messages and lookups grow with households and with slots."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orchestrator.results.run_results import RunResults


@dataclass(frozen=True, slots=True)
class Growth:
    """A power law through means over runs: count ~ size ** exponent."""

    what: str
    of: str
    sizes: tuple[int, ...]
    means: tuple[float, ...]
    exponent: float


MESSAGES = "messages of the exchange"
COUNTED = (MESSAGES, "slots looked up", "messages of the run")


def growth(by_households: Sequence[RunResults], by_slots: Sequence[RunResults]) -> list[Growth]:
    """Messages and lookups of the exchange, and messages of the whole run; runs in which everybody
    takes part. What there are no runs of several sizes of is left out."""
    found = []
    for of, runs in (("households", by_households), ("slots", by_slots)):
        sized = _by_size(runs, of)
        if len(sized) < 2:
            continue
        for what in COUNTED:
            counts = {size: [_count(run, what) for run in own] for size, own in sized.items()}
            means = tuple(float(np.mean(own)) for own in counts.values())
            found.append(Growth(what, of, tuple(sized), means, _exponent(list(sized), means)))
    return found


def message_exponents(by_households: Sequence[RunResults]) -> list[float]:
    """The power of the households with which messages of the exchange grow, by replication."""
    sized = _by_size(by_households, "households")
    sides = zip(*sized.values(), strict=True)
    return [_exponent(list(sized), [_count(run, MESSAGES) for run in own]) for own in sides]


def _by_size(runs: Sequence[RunResults], of: str) -> dict[int, list[RunResults]]:
    found: dict[int, list[RunResults]] = {}
    for run in runs:
        found.setdefault(getattr(run, of), []).append(run)
    return dict(sorted(found.items()))


def _exponent(sizes: Sequence[int], counts: Sequence[float]) -> float:
    return float(np.polyfit(np.log(sizes), np.log(np.maximum(counts, 1)), 1)[0])


def _count(run: RunResults, what: str) -> float:
    assert run.exchange is not None
    assert run.bus is not None
    if what == MESSAGES:
        return float(run.exchange.messages)
    return float(run.exchange.lookups if what == COUNTED[1] else run.bus.messages)
