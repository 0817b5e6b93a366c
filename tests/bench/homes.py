"""Homes that exchange amounts on the bus: seconds of both stages, and messages and processor time
for each home, beside the same run in simulation."""

import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from orchestrator.coordination.placement import Run
from orchestrator.distributed.launcher import launch
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.scenario import Execution, read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation.simulator import simulate
from tests.bench.measured import Measured

SIZES = (200, 1_000)
"""Homes; up to 500 have a process each, more share two."""


@dataclass(frozen=True, slots=True)
class _Cost:
    """What a run has cost, with all its processes and the server."""

    results: RunResults
    seconds: float
    processor_seconds: float


def measured(homes: int, execution: Execution) -> _Cost:
    """Return the cost of one run, without that of making plans."""
    settings = RunSettings.model_validate({"homes": homes})
    run = Run("bench", read_scenario(settings, execution))
    with tempfile.TemporaryDirectory() as kept:
        go: Callable[[], RunResults] = (
            (lambda: simulate(run))
            if execution == "simulation"
            else (lambda: launch(run, kept=Path(kept)))
        )
        began, used = time.monotonic(), _processor_seconds()
        results = go()
        return _Cost(results, time.monotonic() - began, _processor_seconds() - used)


def _processor_seconds() -> float:
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, whose))


def bench() -> Measured:
    """Return the cost on the bus by number of homes, and how many times the processor time of a
    simulation it is."""
    said, ratios = [], {}
    for homes in SIZES:
        bus, alone = measured(homes, "bus"), measured(homes, "simulation")
        messages = 0 if bus.results.bus is None else bus.results.bus.messages
        ratios[f"bus/simulation {homes}"] = bus.processor_seconds / alone.processor_seconds
        said.append(
            f"{homes:,} homes: {bus.seconds:.0f} s, {messages / homes:.0f} messages and "
            f"{1000 * bus.processor_seconds / homes:.0f} ms of a processor each (simulated "
            f"{1000 * alone.processor_seconds / homes:.0f} ms)"
        )
    return Measured(f"both stages on the bus: {'; '.join(said)}", ratios)
