"""Figures 3 to 12 of the paper, drawn from our own runs.

This module decides what each figure shows; `reporting.figures.chart` decides how it looks.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from orchestrator.replication.measurements import (
    Point,
    Runs,
    comfort_after_some,
    gain,
    knee,
    pareto,
    point,
    share_of,
)
from orchestrator.replication.study_design import SETS, SHOWN_BETAS, SUBSETS
from orchestrator.reporting.figures.chart import Chart, Mark, Panel, Series
from orchestrator.reporting.figures.style import with_unit
from orchestrator.results.measures import MEASURES, cost_unit
from orchestrator.results.measures import lorenz as lorenz_curve
from orchestrator.results.run_results import RunResults

COMFORT = "mean_comfort"
INEFFICIENCY = with_unit(MEASURES["inefficiency"].label, cost_unit("var"))
SHARES_SHOWN = tuple(number / 20 for number in range(21))
"""Shares of households at which Lorenz curves are shown."""
CLOSE, TINY = 1.7, 1e-12
"""Points whose inefficiencies differ by less than the ratio CLOSE share a label. TINY replaces
smaller denominators."""


def gains_by_level(runs: Runs) -> Chart:
    """Return figure 3: the comfort gains of all households in one run, sorted, marked by level."""
    panels = []
    for beta in (beta for beta in SHOWN_BETAS if beta in runs):
        rows = sorted(runs[beta][0].rows, key=lambda row: row.comfort_gain or 0.0)
        levels = sorted({row.level for row in rows})
        series = []
        for level in levels:
            own = [(place, row) for place, row in enumerate(rows) if row.level == level]
            series.append(
                Series(
                    name=f"level {level}",
                    x=[place for place, _ in own],
                    y=[row.comfort_gain or 0.0 for _, row in own],
                    mark="dots",
                    ink=level - 1,
                )
            )
        panels.append(
            Panel(
                title=f"beta {beta:g}",
                x_label="household, by gain",
                y_label="comfort gain",
                series=series,
            )
        )
    return Chart(
        name="figure-3",
        title="Comfort gain of all households",
        caption="All households of the first run, sorted by gain. Colours and marks show the "
        "level of the tree.",
        panels=panels,
        columns=2,
    )


def trade_off(runs: Runs, cooperative: Sequence[RunResults]) -> Chart:
    """Return figure 4: comfort and inefficiency, with an exchange and with planning alone."""
    planned = pairs(runs, "planned")
    front = pareto([(x, y) for _, x, y in planned])
    betas = [planned[i][0] for i in front]
    series = [
        _cloud("I-EPOS alone", {b: runs[b] for b in betas}, state="planned", ink=0, mark="line"),
        _cloud("with exchange, mutual", runs, state="exchanged", ink=1, mark="dots"),
    ]
    if cooperative:
        name = "with exchange, cooperative, beta 0"
        series.append(_cloud(name, {0.0: cooperative}, state="exchanged", ink=2, mark="dots"))
    panel = Panel(
        title="", x_label=INEFFICIENCY, y_label=MEASURES[COMFORT].label, series=series, log="x"
    )
    at = knee(planned)
    found = "no knee" if at is None else f"the knee at beta {at:g}"
    caption = (
        "Means over runs, with 95 % intervals of comfort; the numbers are beta. The line is the "
        f"Pareto front of I-EPOS alone, with {found} (Kneedle)."
    )
    return Chart(
        name="figure-4",
        title="Comfort against inefficiency",
        caption=caption,
        panels=[panel],
        height=4.2,
    )


def over_beta(runs: Runs) -> list[Chart]:
    """Return figures 6, 7, 10 and 11: comfort, inefficiency, unfairness and Gini over beta."""
    shown = (
        ("figure-6", COMFORT),
        ("figure-7", "inefficiency"),
        ("figure-10", "unfairness"),
        ("figure-11", "gini"),
    )
    charts = []
    for name, measure in shown:
        described = MEASURES[measure]
        title = f"{described.short[0].upper()}{described.short[1:]} over beta"
        label = with_unit(described.label, described.unit)
        if measure == "inefficiency":
            label = INEFFICIENCY
        series = [
            series_of(
                text, [point(b, _values(own, state, measure)) for b, own in runs.items()], ink
            )
            for ink, (state, text) in enumerate(
                (("planned", "I-EPOS alone"), ("exchanged", "with exchange"))
            )
        ]
        caption = (
            "Means over runs; bands or bars are 95 % bootstrap intervals. "
            "Values of beta are at equal distances."
        )
        scale = "y" if label == INEFFICIENCY else ""
        panel = Panel(title="", x_label="beta", y_label=label, series=series, log=scale, even=True)
        charts.append(Chart(name=name, title=title, caption=caption, panels=[panel]))
    return charts


def over_size(runs: Sequence[RunResults]) -> Chart:
    """Return figure 8: the comfort gain by size of the population and share that takes part."""
    found: dict[tuple[int, float], list[float]] = {}
    for run in runs:
        found.setdefault((run.households, share_of(run)), []).append(gain(run))
    shares = sorted({share for _, share in found})
    series = []
    for ink, share in enumerate(shares):
        points = [point(size, values) for (size, own), values in found.items() if own == share]
        points.sort(key=lambda p: p.x)
        series.append(series_of(f"{share:.0%} take part", points, ink))
    panel = Panel(
        title="", x_label="households", y_label="mean comfort gain, all households", series=series
    )
    caption = "Beta 0; the households that take part are drawn anew in each run."
    return Chart(
        name="figure-8",
        title="Gain by size and participation",
        caption=caption,
        panels=[panel],
        height=3.6,
    )


def some_exchanges(run: RunResults) -> Chart:
    """Return figure 9: the mean comfort with random subsets of the exchanges."""
    found = comfort_after_some(run, SUBSETS, SETS)
    series = [
        Series(
            name=f"set {number + 1}",
            x=list(found),
            y=[values[number] for values in found.values()],
            mark="dots",
            ink=number,
        )
        for number in range(SETS)
    ]
    total = len(run.exchanges or ())
    caption = f"Five random subsets of each size, of {total:,} exchanges of one run at beta 0."
    panel = Panel(title="", x_label="exchanges", y_label="mean comfort", series=series)
    return Chart(
        name="figure-9", title="Comfort with some of the exchanges", caption=caption, panels=[panel]
    )


def lorenz(runs: Runs) -> Chart:
    """Return figure 12: Lorenz curves of discomfort before and after the exchange."""
    panels = []
    for beta in (beta for beta in SHOWN_BETAS if beta in runs):
        series = []
        for ink, (name, state) in enumerate((("before", "planned"), ("after", "exchanged"))):
            curves = [
                _curve([getattr(row, f"discomfort_{state}") for row in own.rows])
                for own in runs[beta]
            ]
            points = [point(x, [curve[i] for curve in curves]) for i, x in enumerate(SHARES_SHOWN)]
            series.append(series_of(name, points, ink))
        before, after = (
            float(np.mean(_values(runs[beta], state, "gini"))) for state in ("planned", "exchanged")
        )
        title = f"beta {beta:g}: Gini {before:.3f}, then {after:.3f}"
        panels.append(
            Panel(
                title=title,
                x_label="share of households",
                y_label="share of discomfort",
                series=series,
                diagonal=True,
            )
        )
    caption = "The further from the diagonal, the less equal; means over runs, with 95 % intervals."
    return Chart(
        name="figure-12",
        title="Lorenz curves of discomfort",
        caption=caption,
        panels=panels,
        columns=2,
    )


def pairs(runs: Runs, state: str) -> list[tuple[float, float, float]]:
    """Return (beta, mean inefficiency, mean comfort) of a state for each beta."""
    return [
        (
            beta,
            float(np.mean(_values(own, state, "inefficiency"))),
            float(np.mean(_values(own, state, COMFORT))),
        )
        for beta, own in runs.items()
    ]


def _cloud(name: str, runs: Runs, state: str, ink: int, mark: Mark) -> Series:
    """Return comfort over inefficiency, with one labelled point for each beta."""
    points = [
        point(float(np.mean(_values(own, state, "inefficiency"))), _values(own, state, COMFORT))
        for own in runs.values()
    ]
    series = series_of(name, points, ink)
    return replace(series, mark=mark, labels=labels(list(runs), series.x))


def labels(betas: Sequence[float], inefficiency: Sequence[float]) -> list[str]:
    """Return a label for each point; points close together share one, at the last of them."""
    labels = [""] * len(betas)
    first = 0
    for last in range(len(betas)):
        end = last + 1 == len(betas)
        if end or not 1 / CLOSE < inefficiency[last + 1] / max(inefficiency[first], TINY) < CLOSE:
            low, high = min(betas[first : last + 1]), max(betas[first : last + 1])
            labels[last] = f"{low:g}" if low == high else f"{low:g} to {high:g}"
            first = last + 1
    return labels


def _values(runs: Sequence[RunResults], state: str, measure: str) -> list[float]:
    return [float(getattr(run.states()[state], measure)) for run in runs]


def series_of(name: str, points: Sequence[Point], ink: int) -> Series:
    """Return points as a series, with intervals if all of them have one."""
    sure = not np.isnan([p.low for p in points]).any()
    return Series(
        name,
        [p.x for p in points],
        [p.mean for p in points],
        low=[p.low for p in points] if sure else None,
        high=[p.high for p in points] if sure else None,
        ink=ink,
    )


def _curve(values: Sequence[float]) -> list[float]:
    """Return the Lorenz curve at SHARES_SHOWN."""
    curve = lorenz_curve(np.array(values))
    at = np.linspace(0, 1, len(curve))
    return [float(y) for y in np.interp(SHARES_SHOWN, at, curve)]
