"""Processor seconds of stage 2 until mean comfort is 0.901, which single slots reach in the end:
bundles and single slots, generated households, simulated.

Each is the least of several passes, the contents in turn: other work on the machine only adds.
"""

import time

from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.coordination.placement import Run
from orchestrator.coordination.run_phase import RunPhase
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation.simulator import simulate
from tests.bench.measured import Measured

PASSES = {200: 4, 1_000: 2}
"""Number of passes by number of households."""
COMFORT = 0.901
ITERATIONS = 50


def seconds_to_comfort(content: str, households: int) -> float:
    """Return the processor seconds from the beginning of stage 2 until the first round that ends
    with mean comfort COMFORT; infinite if none does."""
    settings = RunSettings.model_validate(
        {"demo": True, "households": households, "iterations": ITERATIONS, "content": content}
    )
    began = 0.0
    ends: dict[int, float] = {}

    def watch(coordinator: RunCoordinator) -> None:
        nonlocal began
        if not began and RunPhase.EXCHANGING in coordinator.marks:
            began = time.process_time()
        if coordinator.round is not None and coordinator.round[0] not in ends:
            ends[coordinator.round[0]] = time.process_time() - began

    results = simulate(Run("contents", read_scenario(settings, "simulation")), watch)
    reached = [row.round for row in results.rounds if 1 - row.mean_discomfort >= COMFORT]
    return ends[reached[0]] if reached else float("inf")


def least_seconds(households: int, passes: int) -> tuple[float, float]:
    """Return the least seconds of bundles and of single slots in this number of passes."""
    taken = [
        [seconds_to_comfort(content, households) for content in ("bundle", "slot")]
        for _ in range(passes)
    ]
    bundle, slot = map(min, zip(*taken, strict=True))
    return bundle, slot


def bench() -> Measured:
    """Return the seconds of both contents, and their ratio, by number of households."""
    said, ratios = [], {}
    for households, passes in PASSES.items():
        bundle, slot = least_seconds(households, passes)
        ratios[f"bundle/slot {households}"] = bundle / slot
        said.append(
            f"{households:,} households: bundles {bundle:.1f} s, single slots {slot:.1f} s, "
            f"ratio {bundle / slot:.2f}"
        )
    text = f"stage 2 to comfort {COMFORT}: {'; '.join(said)}"
    return Measured(text, ratios)
