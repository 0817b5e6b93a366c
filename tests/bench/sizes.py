"""What coflex reaches, and what it costs, by number of households, beside coordinate descent: the
tables of docs/evidence.md.

    python -m tests.bench.sizes --dataset DIR [--runs 5]

Populations of up to 200 are the first households of the data, that of 1,000 is generated. Quality
is a mean over simulated runs that differ by seed (order in the tree, ties), with 95 % intervals;
times, messages and bytes are medians of three runs on a bus, with households as tasks of two hosts.
Frames are what the bus carries: a frame holds many messages.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from agents.planning.costs import EXACT, cost_function
from orchestrator.api import Scenario, run
from orchestrator.baselines.plan_descent import Choices, best_descent, starts
from orchestrator.coordination.placement import Run
from orchestrator.experiments.statistics import interval
from orchestrator.experiments.sweep_runs import seed_of
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.run_options import RunOptions
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation.simulator import simulate

SIZES, LARGEST = (20, 50, 100, 200), 1_000
RUNS, TIMED = 5, 3
PLANNING = ("households", "preferred", "I-EPOS", "descent", "I-EPOS, s", "descent, s",
            "messages", "frames", "MB")  # fmt: skip
EXCHANGE = ("households", "comfort before", "after", "share of bound", "exchanges", "s",
            "messages", "frames", "MB")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Size:
    """All measurements of one population."""

    households: int
    simulated: Sequence[RunResults]
    descents: Sequence[float]
    """Inefficiency of the best of ten starts, for each seed."""
    descent_seconds: float
    timed: Sequence[RunResults]


def sizes(dataset: Path, runs: int) -> Iterator[Size]:
    """Yield one population after another."""
    for households in (*SIZES, LARGEST):
        options: RunOptions = {"dataset": dataset, "order": "random"}
        if households == LARGEST:
            options = {"demo": True}
        options["households"] = households
        simulated, descents, seconds = [], [], []
        for number in range(runs):
            settings = RunSettings.model_validate({**options, "seed": seed_of(0, number)})
            simulated.append(simulate(Run("sizes", read_scenario(settings, "simulation"))))
            began = time.perf_counter()
            descents.append(_descent(settings))
            seconds.append(time.perf_counter() - began)
        timed = [
            run(Scenario(**options), isolation="task", hosts=2, seed=seed_of(0, number)).results
            for number in range(TIMED)
        ]
        yield Size(households, simulated, descents, median(seconds), timed)


def _descent(settings: RunSettings) -> float:
    inputs = read_scenario(settings)
    members = [inputs.population.households[name] for name in inputs.members]
    choices = Choices.of(members, inputs.common_terms.discomfort)
    cost = cost_function(settings.cost, None, settings.scaling, EXACT)
    chance = np.random.default_rng(settings.seed)
    preferred = np.array([own.preferred_index for own in members], np.intp)
    begins = starts(preferred, choices, chance)
    return best_descent(
        choices, cost, settings.beta, starts=begins, seed=settings.seed
    ).inefficiency


def _planning(size: Size) -> tuple[str, ...]:
    seen = [(own.bus, own.exchange) for own in size.timed]
    parts = [
        median(getattr(bus, name) - getattr(exchange, name) for bus, exchange in seen)
        for name in ("messages", "frames", "bytes")
    ]
    return (
        f"{size.households:,}",
        _told([own.preferred.inefficiency for own in size.simulated if own.preferred is not None]),
        _told([own.planned.inefficiency for own in size.simulated]),
        _told(size.descents),
        f"{median(own.seconds.planning for own in size.timed):.2f}",
        f"{size.descent_seconds:.2f}",
        f"{parts[0]:,.0f}",
        f"{parts[1]:,.0f}",
        f"{parts[2] / 1e6:.1f}",
    )


def _exchange(size: Size) -> tuple[str, ...]:
    exchanges = [own.exchange for own in size.timed if own.exchange is not None]
    shares = [own.exchange.share_of_bound for own in size.simulated if own.exchange is not None]
    after = [own.exchanged.mean_comfort for own in size.simulated if own.exchanged is not None]
    return (
        f"{size.households:,}",
        _told([own.planned.mean_comfort for own in size.simulated]),
        _told(after),
        _told([share for share in shares if share is not None]),
        f"{median(own.accepted for own in exchanges):,.0f}",
        f"{median(own.seconds.exchange or 0.0 for own in size.timed):.2f}",
        f"{median(own.messages for own in exchanges):,.0f}",
        f"{median(own.frames for own in exchanges):,.0f}",
        f"{median(own.bytes for own in exchanges) / 1e6:.1f}",
    )


def _told(values: Sequence[float]) -> str:
    own = interval(values)
    return f"{own.mean:.3g} [{own.low:.3g}, {own.high:.3g}]"


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [heads, ["---"] * len(heads), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def main() -> None:
    """Print both tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=RUNS)
    arguments = parser.parse_args()
    found = list(sizes(arguments.dataset, arguments.runs))
    print(_table(PLANNING, [_planning(size) for size in found]), end="\n\n")
    print(_table(EXCHANGE, [_exchange(size) for size in found]))


if __name__ == "__main__":
    main()
