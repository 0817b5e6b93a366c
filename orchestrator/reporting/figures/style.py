"""The style of all figures: legible in print and for colour-blind readers (palette of Okabe and
Ito; states also differ in line style). Other modules decide what is drawn.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib import colormaps
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from agents.plans import SlotTimes
from orchestrator.reporting.figures.data_table import Table
from orchestrator.results.slot_clock import axis_label, axis_ticks

COLOURS = {
    "preferred": "#E69F00",
    "planned": "#0072B2",
    "exchanged": "#009E73",
    "bound": "#CC79A7",
    "target": "#000000",
    "unfairness": "#D55E00",
}
LINES = {"preferred": "-", "planned": "-", "exchanged": "--", "target": ":"}
INK, FAINT = "#333333", "#D9D9D9"
_STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "grid.color": FAINT,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "svg.hashsalt": "coflex",
    "xtick.color": INK,
    "ytick.color": INK,
}
_DOTS_PER_INCH = 200
_LEVELS = colormaps["cividis"]
_LIGHTEST = 0.92
"""Upper end of the part of the colour scale that is used; lighter colours vanish on white paper."""
LABELLED_BARS = 25
"""Up to this many bars, each has its count as a label."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure as pixels and as vectors, with its texts and its data."""

    name: str
    title: str
    caption: str
    table: Table
    png: bytes
    svg: bytes


def figure_of(height: float, rows: int = 1) -> tuple[Figure, list[Axes]]:
    """Return a figure as wide as the page and `height` inches high, without pyplot's global
    state."""
    figure = Figure(figsize=(7.2, height), layout="constrained")
    axes = figure.subplots(rows, 1, sharex=True, squeeze=False)
    return figure, list(axes[:, 0])


def count_along(axes: Axes, label: str, count: int) -> None:
    """Label x with whole numbers, even if there is only one."""
    axes.set_xlabel(label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    if count < 3:
        axes.set_xlim(-0.5, count - 0.5)


def slots_along(axes: Axes, count: int, times: SlotTimes | None) -> None:
    """Label x with the local times of slots if they are known, else with their numbers."""
    if times is None:
        count_along(axes, "slot", count)
        return
    axes.set_xlabel(axis_label(times))
    ticks = axis_ticks(times, count)
    axes.set_xticks([slot for slot, _ in ticks], [text for _, text in ticks])
    if count < 3:
        axes.set_xlim(-0.5, count - 0.5)


def legend(axes: Axes, handles: Sequence[Artist] | None = None) -> None:
    """Add a legend for `handles`, or for all labelled artists, above the axes to hide nothing."""
    shown = axes.get_legend_handles_labels()[0] if handles is None else handles
    axes.legend(handles=shown, loc="lower left", bbox_to_anchor=(0, 1), ncols=4, borderaxespad=0.2)


def end_label(axes: Axes, x: object, y: float, text: str, colour: str) -> None:
    """Write a text at the end of a line."""
    axes.annotate(
        text, (x, y), xytext=(4, 0), textcoords="offset points", va="center", color=colour
    )


def with_unit(name: str, unit: str) -> str:
    """Return the label of an axis: a name with its unit, if any."""
    return f"{name} ({unit})" if unit and "(" not in name else f"{name}, {unit}" if unit else name


def level_colour(level: int, deepest: int) -> str:
    """Return the colour of a tree level: dark at the root and light at the leaves."""
    return to_hex(_LEVELS(_LIGHTEST * (level - 1) / max(deepest - 1, 1)))


def drawn(name: str, title: str, caption: str, table: Table, draw: Callable[[], Figure]) -> Drawing:
    """Draw a figure in this style as pixels and as vectors, with the same bytes each time."""
    with mpl.rc_context(_STYLE):
        figure = draw()
        png, svg = io.BytesIO(), io.BytesIO()
        FigureCanvasAgg(figure).print_figure(png, format="png", dpi=_DOTS_PER_INCH)
        FigureCanvasSVG(figure).print_figure(svg, format="svg", metadata={"Date": None})
    return Drawing(
        name=name, title=title, caption=caption, table=table, png=png.getvalue(), svg=svg.getvalue()
    )
