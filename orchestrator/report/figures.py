"""The figures of a run, drawn with matplotlib: one style, legible in print and for the
colour-blind (palette of Okabe and Ito; states differ in line style, too).

Decides how things are drawn; the numbers come from series.py. Each function returns a figure.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from orchestrator.account import discomfort_in_course, drawn_target, number
from orchestrator.metrics import cost_unit
from orchestrator.report import series
from orchestrator.results import RunResults

COLOURS = {
    "preferred": "#E69F00",
    "planned": "#0072B2",
    "exchanged": "#009E73",
    "bound": "#CC79A7",
    "target": "#000000",
    "unfairness": "#D55E00",
}
_LINES = {"preferred": "-", "planned": "-", "exchanged": "--", "target": ":"}
_INK, _FAINT = "#333333", "#D9D9D9"
_STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": _INK,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.labelcolor": _INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "grid.color": _FAINT,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "svg.hashsalt": "coflex",
    "xtick.color": _INK,
    "ytick.color": _INK,
}
_DOTS_PER_INCH = 200
_LOG_FROM = 20.0
_LABELLED_BARS = 25
"""So many bars at most carry their number."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure of the report."""

    name: str
    title: str
    caption: str
    table: series.Table
    png: bytes
    svg: bytes


def drawings(results: RunResults) -> list[Drawing]:
    """All figures of a run, in the order of the page."""
    share = "each bar is the share of households whose selection is the plan at that place"
    return [
        _drawing(
            "convergence",
            "Convergence",
            "The global cost after each iteration of stage 1, and what the households bear for it.",
            series.convergence(results),
            lambda: convergence(results),
        ),
        _drawing(
            "demand",
            "Demand before and after",
            "The sum of all households: everyone on the preferred plan, and what was agreed."
            + _about_target(results),
            series.demand(results),
            lambda: demand(results),
        ),
        _drawing(
            "levels",
            "Discomfort by tree level",
            "Each dot is a household, each box the middle half of a level, the line in it the "
            "median; the diamond is the mean. Level 1 is the root.",
            series.levels(results),
            lambda: levels(results),
        ),
        _drawing(
            "plans",
            "Plan frequency",
            f"How often each plan was selected in stage 1: {share} of its own list.",
            series.plans(results),
            lambda: plans(results),
        ),
    ]


def convergence(results: RunResults) -> Figure:
    """Inefficiency above, discomfort and unfairness below, by iteration."""
    columns = series.convergence(results).columns
    steps, cost = columns["iteration"], str(results.config.get("cost", ""))
    figure, (above, below) = _figure(4.9, rows=2)
    marker = "o" if len(steps) < 3 else ""
    values = np.asarray(columns["inefficiency"], dtype=np.float64)
    above.plot(steps, values, color=COLOURS["planned"], marker=marker)
    finite = values[np.isfinite(values)]
    if finite.size and finite.min() > 0 and finite.max() / finite.min() > _LOG_FROM:
        above.set_yscale("log")
        above.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        above.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
        above.yaxis.set_minor_locator(NullLocator())
    above.set_ylabel(
        _with_unit(f"inefficiency ({cost})" if cost else "inefficiency", cost_unit(cost))
    )
    if np.isfinite(values[-1]):
        _end_label(above, steps[-1], values[-1], number(values[-1]), COLOURS["planned"])
    name, unit = discomfort_in_course(results)
    for column, label, style in (
        ("mean_discomfort", name, "-"),
        ("unfairness", "unfairness (standard deviation)", "--"),
    ):
        colour = COLOURS["planned" if column == "mean_discomfort" else "unfairness"]
        below.plot(
            steps, columns[column], color=colour, linestyle=style, label=label, marker=marker
        )
    below.set_ylabel(_with_unit("discomfort", unit))
    below.set_ylim(bottom=0)
    _count_along(below, "iteration", len(steps))
    _legend(below)
    return figure


def demand(results: RunResults) -> Figure:
    """Preferred, planned, exchanged demand and the target, by slot."""
    figure, (axes,) = _figure(3.8)
    curves = {k: v for k, v in results.demand.columns().items() if k != "target"}
    slots = np.arange(results.slots)
    marker = "o" if len(slots) < 3 else ""
    for state, values in curves.items():
        axes.plot(
            slots, values, _LINES[state], color=COLOURS[state], label=state, marker=marker, zorder=3
        )
    target = drawn_target(results)
    if target is not None:
        axes.plot(
            slots, target[1], _LINES["target"], color=COLOURS["target"], label=target[0], zorder=4
        )
    axes.set_ylabel("demand (kWh per slot)")
    axes.margins(x=0.01)
    _count_along(axes, "slot", results.slots)
    _legend(axes)
    return figure


def levels(results: RunResults) -> Figure:
    """A box and the households of each level; states beside each other."""
    figure, (axes,) = _figure(3.8)
    states = series.discomforts(results)
    width = 0.7 / len(states)
    chance = np.random.default_rng(0)  # only spreads dots sideways
    size = float(np.clip(3000 / results.households, 1.5, 12))
    for index, state in enumerate(states):
        colour = COLOURS[state.state]
        shift = (index - (len(states) - 1) / 2) * width
        for level, values in state.by_level.items():
            spread = chance.uniform(-0.35, 0.35, len(values)) * width if len(values) > 2 else 0.0
            axes.scatter(
                level + shift + np.broadcast_to(spread, len(values)),
                values,
                s=size,
                color=colour,
                alpha=0.45,
                linewidths=0,
                zorder=2,
                clip_on=False,  # a household without discomfort lies on the axis
            )
        boxed = {level: values for level, values in state.by_level.items() if len(values) > 2}
        if boxed:
            axes.boxplot(
                list(boxed.values()),
                positions=[level + shift for level in boxed],
                widths=width * 0.9,
                showfliers=False,
                manage_ticks=False,
                boxprops={"color": _INK},
                medianprops={"color": _INK, "linewidth": 2},
                whiskerprops={"color": _INK},
                capprops={"color": _INK},
                zorder=3,
            )
        axes.scatter(
            [level + shift for level in state.by_level],
            [values.mean() for values in state.by_level.values()],
            marker="D",
            s=28,
            facecolor="white",
            edgecolor=colour,
            linewidths=1.6,
            zorder=4,
        )
    first = states[0].by_level
    axes.set_xticks(list(first), [f"{level}\n{len(values):,}" for level, values in first.items()])
    axes.set_xlabel("level of the tree (below it: how many households)")
    axes.set_ylabel("discomfort (kWh, RMSE)")
    axes.set_ylim(bottom=0)
    if len(states) > 1:
        _legend(axes, [Patch(color=COLOURS[s.state], label=s.state) for s in states])
    return figure


def plans(results: RunResults) -> Figure:
    """A bar for each plan index."""
    figure, (axes,) = _figure(3.4)
    columns = series.plans(results).columns
    counts, indices = columns["households"], columns["plan"]
    bars = axes.bar(indices, [100 * float(s) for s in columns["share"]], color=COLOURS["planned"])
    if len(counts) <= _LABELLED_BARS:
        axes.bar_label(bars, [f"{count:,}" for count in counts], padding=2, color=_INK, fontsize=9)
    _count_along(axes, "plan (place in the household's list, from 0)", len(counts))
    if len(counts) <= _LABELLED_BARS:
        axes.set_xticks(list(indices))
    axes.set_ylabel("households (%)")
    axes.margins(y=0.12)
    return figure


def _figure(height: float, rows: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure of the page's width, inches, without the state that pyplot keeps."""
    figure = Figure(figsize=(7.2, height), layout="constrained")
    axes = figure.subplots(rows, 1, sharex=True, squeeze=False)
    return figure, list(axes[:, 0])


def _count_along(axes: Axes, label: str, count: int) -> None:
    """Whole numbers along x, also where there is but one."""
    axes.set_xlabel(label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    if count < 3:
        axes.set_xlim(-0.5, count - 0.5)


def _legend(axes: Axes, handles: Sequence[Artist] | None = None) -> None:
    """Above the axes, where it hides nothing; of what is labelled, or of `handles`."""
    shown = axes.get_legend_handles_labels()[0] if handles is None else handles
    axes.legend(handles=shown, loc="lower left", bbox_to_anchor=(0, 1), ncols=4, borderaxespad=0.2)


def _end_label(axes: Axes, x: object, y: float, text: str, colour: str) -> None:
    axes.annotate(
        text, (x, y), xytext=(4, 0), textcoords="offset points", va="center", color=colour
    )


def _with_unit(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit and "(" not in name else f"{name}, {unit}" if unit else name


def _about_target(results: RunResults) -> str:
    target = drawn_target(results)
    if target is None or target[0] == "target":
        return ""
    return (
        " The cost compares shapes: the target is shifted and stretched to the mean and spread of "
        "the planned demand."
    )


def _drawing(
    name: str, title: str, caption: str, table: series.Table, draw: Callable[[], Figure]
) -> Drawing:
    with mpl.rc_context(_STYLE):
        figure = draw()
        png, svg = io.BytesIO(), io.BytesIO()
        FigureCanvasAgg(figure).print_figure(png, format="png", dpi=_DOTS_PER_INCH)
        FigureCanvasSVG(figure).print_figure(svg, format="svg", metadata={"Date": None})
    return Drawing(name, title, caption, table, png.getvalue(), svg.getvalue())
