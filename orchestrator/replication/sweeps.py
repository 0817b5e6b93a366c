"""Sweeps beyond the source: what it leaves to future work, with bundles beside single slots.

Each sweep varies one thing and keeps the rest of the paper's design at beta 0: the number of plans,
how much the plans differ, iterations, rounds, children in the tree, and the share of households
that exchange. Runs with exchanges between iterations (loops.py) come last. `coflex paper --beyond`
does them all. This module decides the runs and the figures.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from agents.population.npz_archive import write
from agents.population.plan_alternatives import SOURCE_SCHEME, Alternatives, Scheme
from agents.population.synthetic import generate
from orchestrator.experiments.sweep_runs import Cell, run_kept, seed_of
from orchestrator.replication.figures import series_of
from orchestrator.replication.loops import Kind, loop_cells, loop_chart
from orchestrator.replication.measurements import Point, point
from orchestrator.replication.study_design import ITERATIONS, SHARES, SLOTS
from orchestrator.reporting.figures.chart import Chart, Panel, Series
from orchestrator.reporting.figures.style import with_unit
from orchestrator.results.measures import MEASURES, cost_unit
from orchestrator.results.result_files import read
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.settings import RunSettings
from protocol.terms import ContentName

CONTENTS: tuple[ContentName, ...] = ("slot", "bundle")
PLANS = (2, 5, 10, 20, 50)
"""Numbers of plans per household, the preferred one included."""
SWAPS = (1, 4, 15, 30, 72)
"""Numbers of swaps that make each of the other nine plans from the preferred one."""
DEPTH = {
    "iterations": (1, 2, 5, 10, 20, 50, 100),
    "rounds": (1, 2, 3, 5, 10, 50),
    "children": (1, 2, 4, 8),
}
HOUSEHOLDS, RUNS = 40, 5
"""Households of each run, and largest number of runs of each kind."""
QUICK_HOUSEHOLDS, QUICK_ITERATIONS = 12, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """One sweep: the options of its runs at each value."""

    name: str
    title: str
    x_label: str
    values: Sequence[float]
    options: Callable[[float, int], dict[str, object]]
    """Returns the options at a value and a seed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepStudy:
    """The figures of all sweeps."""

    title: str
    runs: int
    charts: list[Chart]


def with_plans(plans: float) -> Scheme:
    """Return a scheme with this number of plans, in which shuffles and swaps alternate as in the
    paper's scheme."""
    counts = [0] * len(SOURCE_SCHEME)
    for number in range(int(plans) - 1):
        counts[number % len(counts)] += 1
    pairs = zip(SOURCE_SCHEME, counts, strict=True)
    return tuple(Alternatives(part.kind, count, part.swaps) for part, count in pairs if count)


def with_swaps(swaps: float) -> Scheme:
    """Return a scheme whose nine alternatives are made by this number of swaps."""
    return (Alternatives("swap", sum(part.plans for part in SOURCE_SCHEME), int(swaps)),)


def sweeps(folder: Path, households: int, *, quick: bool) -> list[Sweep]:
    """Return the sweeps. Those that vary plans write their households into `folder`."""

    def made(scheme: Callable[[float], Scheme]) -> Callable[[float, int], dict[str, object]]:
        def options(value: float, seed: int) -> dict[str, object]:
            return {"dataset": _population(folder, households, seed=seed, scheme=scheme(value))}

        return options

    def varied(option: str) -> Callable[[float, int], dict[str, object]]:
        return lambda value, seed: {"demo": True, "slots": SLOTS, option: value}

    found = [
        Sweep(
            name="plans",
            title="Number of plans",
            x_label="plans per household",
            values=PLANS,
            options=made(with_plans),
        ),
        Sweep(
            name="flexibility",
            title="Flexibility",
            x_label="swaps per plan",
            values=SWAPS,
            options=made(with_swaps),
        ),
        *(
            Sweep(
                name=name,
                title=f"Depth: {name}",
                x_label=name,
                values=values,
                options=varied(name),
            )
            for name, values in DEPTH.items()
        ),
        Sweep(
            name="participation",
            title="Share of participants",
            x_label="share of households that exchange",
            values=SHARES,
            options=varied("participation"),
        ),
    ]
    if not quick:
        return found
    return [replace(own, values=(own.values[0], own.values[-1])) for own in found]


def evaluate_sweeps(
    folder: Path, runs: int, *, quick: bool, workers: int, progress: Callable[[int, int], None]
) -> SweepStudy:
    """Do the sweeps, at most RUNS runs of each kind; finished runs in `folder` are not repeated."""
    runs = min(runs, RUNS)
    households = QUICK_HOUSEHOLDS if quick else HOUSEHOLDS
    common: dict[str, object] = {
        "households": households,
        "iterations": QUICK_ITERATIONS if quick else ITERATIONS,
    }
    planned = {
        sweep.name: list(_cells(sweep, common, runs))
        for sweep in sweeps(folder, households, quick=quick)
    }
    # Sweeps meet at the paper's own values, so some runs belong to several of them.
    loops = list(loop_cells(common, runs))
    cells = {cell.key: cell for own in planned.values() for _, _, cell in own}
    cells |= {cell.key: cell for _, cell in loops}
    places = run_kept(
        list(cells.values()),
        folder,
        workers=workers,
        finished=lambda done: progress(done, len(cells)),
    )
    place_of = dict(zip(cells, places, strict=True))
    charts = []
    for sweep in sweeps(folder, households, quick=quick):
        found = [
            (value, content, read(place_of[cell.key]))
            for value, content, cell in planned[sweep.name]
        ]
        charts.append(chart(sweep, found))
    looped: dict[Kind, list[RunResults]] = {}
    for kind, cell in loops:
        looped.setdefault(kind, []).append(read(place_of[cell.key]))
    charts.append(loop_chart(looped))
    return SweepStudy(title=f"{households} generated households", runs=runs, charts=charts)


def chart(sweep: Sweep, found: Sequence[tuple[float, ContentName, RunResults]]) -> Chart:
    """Return the figure of a sweep, from its runs with their values and contents."""

    def points(content: ContentName, measure: Callable[[RunResults], float]) -> list[Point]:
        return [
            point(x, [measure(run) for value, own, run in found if (value, own) == (x, content)])
            for x in sweep.values
        ]

    def panel(title: str, y_label: str, series: list[Series], log: str = "") -> Panel:
        return Panel(
            title=title,
            x_label=sweep.x_label,
            y_label=y_label,
            series=series,
            log=log,
            even=True,
        )

    def exchanged(measure: Callable[[RunResults], float]) -> list[Series]:
        pairs = enumerate(CONTENTS, 1)
        return [series_of(content, points(content, measure), ink) for ink, content in pairs]

    before = series_of("stage 1", points("slot", lambda run: run.planned.mean_comfort), 0)
    inefficiency = points("slot", lambda run: run.planned.inefficiency)
    label = with_unit(MEASURES["inefficiency"].label, cost_unit("var"))
    drift = with_unit("largest change of own energy", "kWh")
    return Chart(
        name=f"beyond-{sweep.name}",
        title=sweep.title,
        caption="Means over runs at beta 0, with 95 % bootstrap intervals. Stage 2 by the rule "
        "mutual, with single slots and with bundles. Values of x are at equal distances.",
        panels=[
            panel("Comfort", "mean comfort", [before, *exchanged(_comfort)]),
            panel("Stage 1", label, [series_of("stage 1", inefficiency, 0)], log="y"),
            panel("Traffic of stage 2", "messages per household", exchanged(_messages)),
            panel("Own energy", drift, exchanged(_drift)),
        ],
        columns=2,
    )


def _cells(
    sweep: Sweep, common: dict[str, object], runs: int
) -> Iterator[tuple[float, ContentName, Cell]]:
    """Yield the value, the content and the cell of each run."""
    for value in sweep.values:
        for content in CONTENTS:
            for number in range(runs):
                seed = seed_of(0, number)
                settings = RunSettings.model_validate(
                    {
                        **common,
                        "exchange": "mutual",
                        "content": content,
                        "seed": seed,
                        **sweep.options(value, seed),
                    }
                )
                yield value, content, Cell(settings, number)


def _population(folder: Path, households: int, *, seed: int, scheme: Scheme) -> Path:
    """Return the file with these generated households; write it if it is not there."""
    name = "-".join(str(part).replace(":", "x") for part in scheme)
    file = folder / "populations" / f"{households}-{seed}-{name}.npz"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        write(generate(households=households, slots=SLOTS, seed=seed, scheme=scheme), file)
    return file


def _comfort(run: RunResults) -> float:
    assert run.exchanged is not None
    return run.exchanged.mean_comfort


def _messages(run: RunResults) -> float:
    assert run.exchange is not None
    return run.exchange.messages / run.households


def _drift(run: RunResults) -> float:
    return float(np.max([abs(row.energy_drift or 0.0) for row in run.rows]))
