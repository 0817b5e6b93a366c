"""What exchanges between iterations bring and cost: inefficiency and comfort with and without them,
messages, and who ends worse than without. Simulated, with bundles.

    python -m tests.bench.loops --dataset DIR --runs FOLDER [--households N] [--seeds N] [--out DIR]

keeps each run in FOLDER and goes on there if it is started again; writes loops.csv and loops.png
(needs the `report` extra) into --out. docs/evidence.md shows them.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from orchestrator.coordination.placement import Run
from orchestrator.experiments.statistics import interval
from orchestrator.reporting.figures.chart import Chart, Panel, Series
from orchestrator.results.atomic_folder import publish
from orchestrator.results.result_files import RUN, read, write
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation.simulator import simulate
from protocol.vectors import Array

ONCE = "once"
CONFIGURATIONS: Mapping[str, dict[str, Any]] = {
    ONCE: {"iterations": 50},
    "every 10": {"iterations": 50, "exchange_every": 10},
    "every 6, 24 iterations, 6 rounds": {"iterations": 24, "exchange_every": 6, "rounds": 6},
}
"""The options of each configuration, by the words of the table."""
ROUNDING_KWH = 1e-9
HEADS = ("exchange", "inefficiency, kWh²", "comfort", "unfairness, kWh", "own energy, kWh",
         "messages", "worse than once", "by at most, kWh", "better than once")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Configuration:
    """The runs of one configuration, one for each seed."""

    name: str
    runs: Sequence[RunResults]
    once: Sequence[RunResults]
    """The runs with one exchange at the end, by the same seeds."""

    @property
    def messages(self) -> list[int]:
        """Messages of both stages, of households and matchmakers."""
        return [messages_of(run) for run in self.runs]

    def losses(self) -> list[Array]:
        """Return how much more discomfort each household has than with one exchange, kWh."""
        return [
            discomforts(run) - discomforts(other)
            for run, other in zip(self.runs, self.once, strict=True)
        ]

    def path(self) -> tuple[list[float], list[float]]:
        """Return inefficiency and comfort after each exchange, means over the runs."""
        if self.runs[0].loops is None:
            states = [(run.planned, run.exchanged) for run in self.runs]
            cost = np.mean([planned.inefficiency for planned, _ in states])
            before = np.mean([planned.mean_comfort for planned, _ in states])
            after = np.mean([end.mean_comfort for _, end in states if end is not None])
            return [float(cost)] * 2, [float(before), float(after)]
        loops = [run.loops or () for run in self.runs]
        cost = np.mean([[loop.inefficiency for loop in run] for run in loops], axis=0)
        comfort = np.mean([[1 - loop.exchanged_discomfort for loop in run] for run in loops], 0)
        return cost.tolist(), comfort.tolist()


def configurations(options: dict[str, Any], seeds: int, folder: Path) -> Iterator[Configuration]:
    """Yield one configuration after another, as it is simulated or read from `folder`."""
    once: list[RunResults] = []
    for name, own in CONFIGURATIONS.items():
        runs = []
        for seed in range(seeds):
            kept = folder / f"{name.replace(', ', '-').replace(' ', '-')}-{seed}"
            if not (kept / RUN).exists():
                chosen = {"content": "bundle", "order": "random", "seed": seed, **options, **own}
                scenario = read_scenario(RunSettings.model_validate(chosen), "simulation")
                write(simulate(Run("loops", scenario)), kept)
            runs.append(read(kept))
        once = once or runs
        yield Configuration(name, runs, once)


def messages_of(run: RunResults) -> int:
    """Return the messages of both stages: in each iteration one up and one down each branch."""
    assert run.exchange is not None
    return 2 * (run.households - 1) * run.iterations + run.exchange.messages


def discomforts(run: RunResults) -> Array:
    """Return the discomfort of each household at the end, by id, kWh."""
    rows = sorted(run.rows, key=lambda row: row.household)
    return np.array([row.discomfort_exchanged for row in rows])


def cells(found: Configuration) -> tuple[str, ...]:
    """Return a configuration as a row under HEADS."""
    ends = [run.exchanged for run in found.runs]
    drifts = [run.exchange.max_energy_drift for run in found.runs if run.exchange is not None]
    losses = found.losses()
    worse = float(np.mean([(loss > ROUNDING_KWH).mean() for loss in losses]))
    better = float(np.mean([(loss < -ROUNDING_KWH).mean() for loss in losses]))
    alone = found.name == ONCE
    return (
        found.name,
        _mean([end.inefficiency for end in ends if end is not None]),
        _mean([end.mean_comfort for end in ends if end is not None]),
        _mean([end.unfairness for end in ends if end is not None]),
        f"{max(drifts):.3f}",
        f"{np.mean(found.messages):,.0f}",
        "" if alone else f"{worse:.0%}",
        "" if alone else f"{max(float(loss.max()) for loss in losses):.3f}",
        "" if alone else f"{better:.0%}",
    )


def by_chance(once: Sequence[RunResults]) -> str:
    """Return how many households end worse in one run than in another that differs by seed only."""
    pairs = zip(once, [*once[1:], once[0]], strict=True)
    losses = [discomforts(run) - discomforts(other) for run, other in pairs]
    worse = float(np.mean([(loss > ROUNDING_KWH).mean() for loss in losses]))
    return (
        f"between runs with one exchange that differ by seed only: {worse:.0%} worse, by at most "
        f"{max(float(loss.max()) for loss in losses):.3f} kWh"
    )


def chart(found: Sequence[Configuration]) -> Chart:
    """Return the figure: both axes, after each exchange."""
    series = []
    for ink, configuration in enumerate(found):
        x, y = configuration.path()
        series.append(Series(configuration.name, x, y, mark="joined", ink=ink))
    return Chart(
        name="loops",
        title="Exchanges between iterations",
        caption="Inefficiency and comfort after each exchange; without loops before and after it",
        panels=[
            Panel("", "inefficiency, kWh²", "mean comfort", series),
        ],
        height=4.0,
    )


def _mean(values: Sequence[float]) -> str:
    if len(values) < 3:
        return f"{np.mean(values):.3g}"
    found = interval(values)
    return f"{found.mean:.3g} [{found.low:.3g}, {found.high:.3g}]"


def main() -> None:
    """Print the table and write the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", type=Path, help="EPOS folder or .npz file")
    parser.add_argument("--households", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--runs", type=Path, required=True, help="folder that keeps the runs")
    parser.add_argument("--out", type=Path, help="folder for loops.csv and loops.png")
    given = parser.parse_args()
    source = {"demo": True} if given.dataset is None else {"dataset": given.dataset}
    found = []
    print(f"| {' | '.join(HEADS)} |\n|{' --- |' * len(HEADS)}")
    options = {**source, "households": given.households}
    for configuration in configurations(options, given.seeds, given.runs):
        found.append(configuration)
        print(f"| {' | '.join(cells(configuration))} |", flush=True)
    print(by_chance(found[0].runs))
    if given.out is not None:
        drawing = chart(found).picture()
        files = {"loops.csv": drawing.table.csv().encode(), "loops.png": drawing.png}
        publish(given.out, files, seal="loops.csv")


if __name__ == "__main__":
    main()
