"""Exchanges between iterations: both aims, with and without them. `coflex paper --beyond` shows it.

The source exchanges once, after planning, and leaves the rest to future work. This module decides
the runs and the figure.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from orchestrator.experiments.sweep_runs import Cell, seed_of
from orchestrator.replication.figures import INEFFICIENCY
from orchestrator.replication.study_design import SLOTS
from orchestrator.reporting.figures.chart import Chart, Panel, Series
from orchestrator.results.measures import MEASURES
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.settings import RunSettings

ONCE = "once"
LOOPS = 5
"""Number of exchanges in the runs that exchange between iterations."""
BETAS = (0.0, 0.2, 0.5)
Kind = tuple[str, float]
"""How often a run exchanges, in words, and its beta."""


def loop_cells(common: Mapping[str, object], runs: int) -> Iterator[tuple[Kind, Cell]]:
    """Yield the kind and the cell of each run; `common` has the options of all runs."""
    every = max(2, int(str(common["iterations"])) // LOOPS)
    for name, options in {ONCE: {}, f"every {every}": {"exchange_every": every}}.items():
        for beta in BETAS:
            for number in range(runs):
                settings = RunSettings.model_validate(
                    {
                        **common,
                        **options,
                        "demo": True,
                        "slots": SLOTS,
                        "exchange": "mutual",
                        "content": "bundle",
                        "beta": beta,
                        "seed": seed_of(0, number),
                    }
                )
                yield (name, beta), Cell(settings, number)


def loop_chart(found: Mapping[Kind, Sequence[RunResults]]) -> Chart:
    """Return the figure: the way to the end at beta 0, and the ends by beta, means over runs."""
    names = dict.fromkeys(name for name, _ in found)
    ways, ends = [], []
    for ink, name in enumerate(names):
        inefficiency, comfort = way(found[name, 0.0])
        ways.append(Series(name, inefficiency, comfort, mark="joined", ink=ink))
        of_beta = {beta: way(runs) for (own, beta), runs in found.items() if own == name}
        ends.append(
            Series(
                name,
                [inefficiency[-1] for inefficiency, _ in of_beta.values()],
                [comfort[-1] for _, comfort in of_beta.values()],
                mark="joined",
                ink=ink,
                labels=[f"{beta:g}" for beta in of_beta],
            )
        )

    def panel(title: str, series: Sequence[Series]) -> Panel:
        comfort = MEASURES["mean_comfort"].label
        return Panel(title=title, x_label=INEFFICIENCY, y_label=comfort, series=series)

    return Chart(
        name="beyond-loops",
        title="Exchanges between iterations",
        caption="Means over runs, with bundles and the rule mutual. Left: after each exchange, and "
        "with one exchange also before it. Right: the end; the numbers are beta.",
        panels=[panel("Beta 0", ways), panel("By beta", ends)],
        columns=2,
        height=4.0,
    )


def way(runs: Sequence[RunResults]) -> tuple[list[float], list[float]]:
    """Return inefficiency and mean comfort after each exchange, means over runs; with one exchange,
    before and after it."""
    ways = [_way(run) for run in runs]
    inefficiency, comfort = (np.mean(values, axis=0) for values in zip(*ways, strict=True))
    return inefficiency.tolist(), comfort.tolist()


def _way(run: RunResults) -> tuple[list[float], list[float]]:
    if run.loops is not None:
        return (
            [loop.inefficiency for loop in run.loops],
            [1 - loop.exchanged_discomfort for loop in run.loops],
        )
    states = [run.planned, *([] if run.exchanged is None else [run.exchanged])]
    return [own.inefficiency for own in states], [own.mean_comfort for own in states]
