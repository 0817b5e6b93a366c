"""The growth of lookups, messages and bytes of the exchange with households and slots: generated
households, simulated: single slots, and bundles (docs/results.md explains the tables)."""

from math import log

import numpy as np

from orchestrator.coordination.placement import Run
from orchestrator.results.run_results import Exchange
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation.simulator import simulate
from tests.bench.measured import Measured

RULES = ("mutual", "cooperative")
SIZES = ((50, 144), (100, 144), (200, 144), (400, 144), (200, 36), (200, 72))
"""Households and slots."""
HEADS = ("rule", "A", "d", "rounds", "lookups", "exchanges", "messages", "MB", "lookups/Ad",
         "messages/Ad", "kB/Ad", "messages/lookup")  # fmt: skip


def measured(rule: str, households: int, slots: int) -> Exchange:
    """Return the exchange of one run."""
    settings = RunSettings.model_validate(
        {"demo": True, "households": households, "slots": slots, "exchange": rule}
    )
    exchange = simulate(Run("complexity", read_scenario(settings, "simulation"))).exchange
    assert exchange is not None
    return exchange


def growth(sizes: list[int], amounts: list[int]) -> float:
    """Return the exponent of the power of the size that fits the amounts best."""
    return float(np.polyfit([log(size) for size in sizes], [log(n) for n in amounts], 1)[0])


def bench() -> Measured:
    """Return a Markdown table and the exponents of growth."""
    lines = ["", "| " + " | ".join(HEADS) + " |", "| --- " * len(HEADS) + "|"]
    told = []
    for rule in RULES:
        found = {size: measured(rule, *size) for size in SIZES}
        for (households, slots), one in found.items():
            pairs = households * slots
            cells = (
                *(rule, str(households), str(slots), str(one.rounds)),
                *(f"{n:,}" for n in (one.lookups, one.accepted, one.messages)),
                f"{one.bytes / 1e6:.1f}",
                *(f"{n / pairs:.2f}" for n in (one.lookups, one.messages, one.bytes / 1e3)),
                f"{one.messages / one.lookups:.2f}",
            )
            lines.append("| " + " | ".join(cells) + " |")
        for symbol, place, fixed in (("A", 0, 144), ("d", 1, 200)):
            sizes = [size for size in SIZES if size[1 - place] == fixed]
            axis = [size[place] for size in sizes]
            exponents = ", ".join(
                f"{name} {growth(axis, [getattr(found[size], name) for size in sizes]):.2f}"
                for name in ("lookups", "messages", "bytes")
            )
            told.append(f"{rule}: exponent of growth with {symbol}: {exponents}")
    return Measured("\n".join([*lines, "", *told]))
