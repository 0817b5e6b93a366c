"""What exchanges between iterations bring and cost: inefficiency and comfort with and without them,
messages, and who ends worse than without. Simulated, with bundles and the rule mutual.

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
from orchestrator.replication.loops import ONCE, loop_chart
from orchestrator.results.atomic_folder import publish
from orchestrator.results.result_files import RUN, read, write
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation.simulator import simulate
from protocol.vectors import Array

CONFIGURATIONS: Mapping[str, dict[str, Any]] = {
    ONCE: {},
    "every 25": {"exchange_every": 25},
    "every 10": {"exchange_every": 10},
    "every 5": {"exchange_every": 5},
    "every 10, 30 iterations": {"iterations": 30, "exchange_every": 10},
    "every 6, 24 iterations, 6 rounds": {"iterations": 24, "exchange_every": 6, "rounds": 6},
}
"""The options of each configuration, by the words of the table."""
SHOWN = (ONCE, "every 10", "every 6, 24 iterations, 6 rounds")
"""The configurations of the figure."""
BETA = 0.2
"""The value of beta, beside 0, at which SHOWN is run."""
EVENING, DIP = (0.7, 0.9), 0.8
"""The target: what all prefer, on average over the day, and in this part of the day this share of
it."""
FEWER = 3
"""Maximum number of seeds of runs that are not SHOWN at beta 0."""
ROUNDING_KWH = 1e-9
HEADS = ("aim", "exchange", "inefficiency", "comfort", "unfairness, kWh", "own energy, kWh",
         "messages", "worse than once", "by at most, kWh", "better than once",
         "worse than at first")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Configuration:
    """The runs of one configuration, one for each seed."""

    aim: str
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


def configurations(
    options: dict[str, Any], seeds: int, folder: Path
) -> Iterator[tuple[float | None, Configuration]]:
    """Yield beta, or None with a target, and one configuration after another, as it is simulated or
    read from `folder`."""
    write_target(options, folder / "target.csv")
    others = [name for name in CONFIGURATIONS if name not in SHOWN]
    fewer = min(seeds, FEWER)
    aims: list[tuple[str, float | None, dict[str, Any], Sequence[str]]] = [
        ("beta 0", 0.0, {}, SHOWN),
        (f"beta {BETA:g}", BETA, {"beta": BETA}, SHOWN),
        ("target", None, {"cost": "rmse", "target": folder / "target.csv"}, SHOWN),
        ("beta 0", 0.0, {}, others),
    ]
    once: dict[str, list[RunResults]] = {}
    for aim, beta, aimed, names in aims:
        for name in names:
            chosen = {**options, **aimed, **CONFIGURATIONS[name]}
            runs = [
                kept_run(
                    {"content": "bundle", "order": "random", "seed": seed, **chosen},
                    folder / f"{aim}-{name}-{seed}".replace(", ", "-").replace(" ", "-"),
                )
                for seed in range(seeds if aim == "beta 0" and name in SHOWN else fewer)
            ]
            without = once.setdefault(aim, runs)[: len(runs)]
            yield beta, Configuration(aim, name, runs, without)


def kept_run(options: dict[str, Any], place: Path) -> RunResults:
    """Return the run in `place`, after simulating it if it is not there."""
    if not (place / RUN).exists():
        scenario = read_scenario(RunSettings.model_validate(options), "simulation")
        write(simulate(Run("loops", scenario)), place)
    return read(place)


def write_target(options: dict[str, Any], file: Path) -> None:
    """Write the target as a file: what all prefer, spread evenly, with a dip in the evening."""
    population = read_scenario(RunSettings.model_validate(options), "simulation").population
    preferred = np.sum([own.preferred for own in population.households.values()], axis=0)
    share = np.arange(population.slots) / population.slots
    evening = (share >= EVENING[0]) & (share < EVENING[1])
    target = np.full(population.slots, preferred.mean()) * np.where(evening, DIP, 1.0)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(",".join(map(repr, target.tolist())) + "\n")


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
    ends = [run.exchanged for run in found.runs if run.exchanged is not None]
    exchanges = [run.exchange for run in found.runs if run.exchange is not None]
    losses = found.losses()
    worse = float(np.mean([(loss > ROUNDING_KWH).mean() for loss in losses]))
    better = float(np.mean([(loss < -ROUNDING_KWH).mean() for loss in losses]))
    alone = found.name == ONCE
    return (
        found.aim,
        found.name,
        _mean([end.inefficiency for end in ends]),
        _mean([end.mean_comfort for end in ends]),
        _mean([end.unfairness for end in ends]),
        f"{max(own.max_energy_drift for own in exchanges):.3f}",
        f"{np.mean(found.messages):,.0f}",
        "" if alone else f"{worse:.0%}",
        "" if alone else f"{max(float(loss.max()) for loss in losses):.3f}",
        "" if alone else f"{better:.0%}",
        f"{np.mean([own.households_worse for own in exchanges]):.1f}",
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


def lucky(found: Configuration) -> str:
    """Return what the households that end worse with loops had without them."""
    losses, once = (
        np.concatenate(found.losses()),
        np.concatenate(list(map(discomforts, found.once))),
    )
    worse = losses > ROUNDING_KWH
    return (
        f"{found.aim}, {found.name}: those that end worse, by {losses[worse].mean():.3f} kWh on "
        f"average, had {once[worse].mean():.3f} kWh of discomfort without loops, the others "
        f"{once[~worse].mean():.3f}"
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
    for beta, configuration in configurations(options, given.seeds, given.runs):
        found.append((beta, configuration))
        print(f"| {' | '.join(cells(configuration))} |", flush=True)
    print(by_chance(found[0][1].runs))
    for _, configuration in found:
        if configuration.name != ONCE:
            print(lucky(configuration))
    if given.out is not None:
        shown = {
            (own.name, beta): own.runs
            for beta, own in found
            if beta is not None and own.name in SHOWN
        }
        drawing = loop_chart(shown).picture()
        files = {"loops.csv": drawing.table.csv().encode(), "loops.png": drawing.png}
        publish(given.out, files, seal="loops.csv")


if __name__ == "__main__":
    main()
