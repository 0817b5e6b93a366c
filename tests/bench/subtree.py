"""Stage 1 in simulation: single households compared with whole subtrees, on one host."""

from statistics import median
from time import perf_counter
from typing import Literal

from agents.plans import Population
from agents.population.synthetic import generate
from orchestrator.coordination.nodes import host_node, orchestrator_node
from orchestrator.simulation.network import Network
from protocol.terms import Terms
from tests.bench.measured import Measured

ITERATIONS, REPEATS = 50, 3


def _seconds(population: Population, isolation: Literal["task", "subtree"]) -> float:
    """Return the duration of a whole run, including joining and leaving."""
    host = host_node("bench", "host-1", population.households, isolation=isolation)
    terms = Terms(iterations=ITERATIONS)
    node, course = orchestrator_node("bench", list(population.households), lambda name: terms)
    began = perf_counter()
    Network([host, node]).run(lambda: course.finished)
    seconds = perf_counter() - began
    if course.reason:
        raise RuntimeError(course.reason)
    return seconds


def bench() -> Measured:
    """Return the ratios for 1,000 and for 5,000 households, measured in turn."""
    told, ratios = [], {}
    for households, repeats in ((1000, REPEATS), (5000, 1)):
        population = generate(households=households, slots=144, seed=0)
        pairs = [
            (_seconds(population, "task"), _seconds(population, "subtree")) for _ in range(repeats)
        ]
        slow, fast = (median(column) for column in zip(*pairs, strict=True))
        ratio = median(one / other for one, other in pairs)
        ratios[f"task/subtree, {households} households"] = ratio
        told.append(
            f"{households} households: {slow:.2f} s one by one, {fast:.2f} s in arrays, "
            f"{ratio:.1f} times faster"
        )
    return Measured("; ".join(told), ratios)
