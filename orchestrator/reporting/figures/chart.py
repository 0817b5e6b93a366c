"""Charts as data: panels of series, drawn alike as a picture (matplotlib) and to be explored
(plotly). Knows how things look; what is shown is decided in figures.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from matplotlib.figure import Figure

from orchestrator.reporting.figures.interactive import DASHES, as_html, ink
from orchestrator.reporting.figures.planning_data import Table
from orchestrator.reporting.figures.style import FAINT, Drawing, drawn

Mark = Literal["line", "dots"]
MANY = 4
"""Series; the legend of more stands beside the panels."""
SYMBOLS = (
    ("o", "circle"),
    ("s", "square"),
    ("^", "triangle-up"),
    ("D", "diamond"),
    ("v", "triangle-down"),
)
"""As matplotlib and plotly call them."""


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one kind; `low` and `high` bound their 95 % interval, where there is one."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    mark: Mark = "line"
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None
    ink: int = 0
    labels: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """One pair of axes."""

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    diagonal: bool = False
    """Whether the line of perfect equality is shown."""
    log: str = ""
    """Axes with a logarithmic scale: x, y, or both."""
    even: bool = False
    """Whether the values of x stand at even distances, whatever lies between them."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure: its name in files, its place in the source, and its panels."""

    name: str
    title: str
    caption: str
    panels: Sequence[Panel]
    columns: int = 1
    height: float = 2.8
    """Inches of a row."""

    def table(self) -> Table:
        """All points, in long form."""
        rows = [
            (panel.title, series.name, x, y, low, high)
            for panel in self.panels
            for series in panel.series
            for x, y, low, high in zip(
                series.x,
                series.y,
                series.low or [float("nan")] * len(series.x),
                series.high or [float("nan")] * len(series.x),
                strict=True,
            )
        ]
        heads = ("panel", "series", "x", "y", "low", "high")
        return Table({head: [row[i] for row in rows] for i, head in enumerate(heads)})

    def picture(self) -> Drawing:
        """As pixels and vectors, with its data."""
        return drawn(self.name, self.title, self.caption, self.table(), self._draw)

    def interactive(self, name: str) -> str:
        """As a piece of a page that has plotly's script; values on hovering, series on and off."""
        return as_html(self._plotly(), name)

    def _draw(self) -> Figure:
        rows = -(-len(self.panels) // self.columns)
        figure = Figure(figsize=(7.2, self.height * rows), layout="constrained")
        axes = figure.subplots(rows, self.columns, squeeze=False)
        for place, panel in zip(axes.flat, self.panels, strict=False):
            _draw_panel(place, panel)
        for place in axes.flat[len(self.panels) :]:
            place.set_visible(False)
        most = max(self.panels, key=lambda panel: len(panel.series))
        if len(most.series) > MANY:
            handles, names = axes.flat[self.panels.index(most)].get_legend_handles_labels()
            figure.legend(handles, names, loc="outside right upper", fontsize=8)
        return figure

    def _plotly(self) -> Any:
        from plotly.subplots import make_subplots

        rows = -(-len(self.panels) // self.columns)
        titles = [panel.title for panel in self.panels]
        figure = make_subplots(rows, self.columns, subplot_titles=titles)
        seen: set[str] = set()
        for number, panel in enumerate(self.panels):
            where = {"row": number // self.columns + 1, "col": number % self.columns + 1}
            for place, series in enumerate(panel.series):
                trace = _trace(panel, series, series.name not in seen)
                # The first, who are few where there are many, on top.
                figure.add_trace(trace.update(zorder=len(panel.series) - place), **where)
                seen.add(series.name)
            scale = {axis: "log" if axis in panel.log else "linear" for axis in "xy"}
            kind = "category" if panel.even else scale["x"]
            figure.update_xaxes(title_text=panel.x_label, type=kind, **where)
            figure.update_yaxes(title_text=panel.y_label, type=scale["y"], **where)
            if panel.diagonal:
                line = {"color": FAINT, "dash": "dot"}
                figure.add_shape(type="line", x0=0, y0=0, x1=1, y1=1, line=line, **where)
        figure.update_layout(
            height=96 * self.height * rows + 80,
            margin={"l": 60, "r": 20, "t": 40, "b": 50},
            legend={"orientation": "h", "y": -0.2},
        )
        return figure


def _draw_panel(axes: Any, panel: Panel) -> None:
    for number, series in enumerate(panel.series):
        colour, x_values = ink(series.ink), _places(panel, series)
        sure = series.low is not None and series.high is not None
        if series.mark == "dots":
            symbol = SYMBOLS[series.ink % len(SYMBOLS)][0]
            errors = _errors(series) if sure else None
            axes.errorbar(
                x_values,
                series.y,
                errors,
                fmt=symbol,
                color=colour,
                label=series.name,
                markersize=3.5,
                zorder=3 - number / 100,  # the first, who are few where there are many, on top
            )
        else:
            axes.plot(x_values, series.y, DASHES[number % 4][0], color=colour, label=series.name)
            if sure:
                axes.fill_between(
                    x_values, series.low, series.high, color=colour, alpha=0.18, linewidth=0
                )
        for text, x, y in zip(series.labels or (), x_values, series.y, strict=False):
            axes.annotate(text, (x, y), xytext=(4, 4), textcoords="offset points", fontsize=8)
    if panel.diagonal:
        axes.plot([0, 1], [0, 1], ":", color="#888888")
    if "x" in panel.log:
        axes.set_xscale("log")
    if "y" in panel.log:
        axes.set_yscale("log")
    axes.set_xlabel(panel.x_label)
    axes.set_ylabel(panel.y_label)
    if panel.title:
        axes.set_title(panel.title)
    if 1 < len(panel.series) <= MANY:
        axes.legend(fontsize=8)


def _places(panel: Panel, series: Series) -> list[Any]:
    """Words stand at even distances."""
    return [f"{x:g}" for x in series.x] if panel.even else list(series.x)


def _errors(series: Series) -> tuple[list[float], list[float]]:
    """How far down and up the intervals reach."""
    low, high = series.low or series.y, series.high or series.y
    return (
        [max(0.0, y - own) for own, y in zip(low, series.y, strict=True)],
        [max(0.0, own - y) for own, y in zip(high, series.y, strict=True)],
    )


def _trace(panel: Panel, series: Series, first: bool) -> Any:
    from plotly import graph_objects

    told = {"name": series.name, "legendgroup": series.name, "showlegend": first}
    error = None
    if series.low is not None and series.high is not None:
        down, up = _errors(series)
        error = {"array": up, "arrayminus": down}
    return graph_objects.Scatter(
        x=_places(panel, series),
        y=list(series.y),
        mode=("markers" if series.mark == "dots" else "lines+markers")
        + ("+text" if series.labels else ""),
        textposition="top center",
        line={"color": ink(series.ink), "dash": DASHES[series.ink % 4][1]},
        marker={"symbol": SYMBOLS[series.ink % len(SYMBOLS)][1], "size": 6},
        error_y=error,
        text=series.labels,
        **told,
    )
