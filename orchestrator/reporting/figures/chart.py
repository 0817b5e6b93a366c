"""Charts as data: panels of series, drawn both as a picture (matplotlib) and as an interactive
figure (plotly).

This module decides how charts look. `replication.figures` and `experiments.comparison_figures`
decide which numbers they show.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from matplotlib.figure import Figure

from orchestrator.reporting.figures.data_table import Table
from orchestrator.reporting.figures.interactive import DASHES, as_html, ink
from orchestrator.reporting.figures.style import FAINT, Drawing, drawn

Mark = Literal["line", "joined", "dots"]
"""`line`: a line; `joined`: a line with a mark at each point; `dots`: marks without a line."""
Legend = Literal["inside", "above", "beside"]
MANY = 50
"""Up to this many points, a line in a page has a mark at each."""
SYMBOLS = (
    ("o", "circle"),
    ("s", "square"),
    ("^", "triangle-up"),
    ("D", "diamond"),
    ("v", "triangle-down"),
)
"""Marks, by their names in matplotlib and in plotly."""


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one kind, and the way in which they are drawn."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    mark: Mark = "line"
    low: Sequence[float] | None = None
    """Lower ends of the 95 % intervals: along y, or along x in a panel of rows; None without
    intervals."""
    high: Sequence[float] | None = None
    """Upper ends of the intervals."""
    ink: int = 0
    """Number of the colour, mark and dashes of the series."""
    labels: Sequence[str] | None = None
    """Texts next to the points."""
    hover_texts: Sequence[str] | None = None
    """Texts that the page shows when the pointer is on a point."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One pair of axes."""

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    diagonal: bool = False
    """True to show the line of perfect equality."""
    log: str = ""
    """Axes with a logarithmic scale: "x", "y", or "xy"."""
    even: bool = False
    """True to place the values of x at equal distances, whatever their differences."""
    rows: Sequence[str] = ()
    """Labels at y = 0, 1, ... from the top, of one or more lines each; y then has no numbers."""
    x_range: tuple[float, float] | None = None
    linear_within: float | None = None
    """In pictures: y is linear up to this distance from 0, and logarithmic beyond."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure: its name in files, its texts, and its panels."""

    name: str
    title: str
    caption: str
    panels: Sequence[Panel]
    columns: int = 1
    height: float = 2.8
    """Height of a row of panels, inches."""
    legend: Legend = "inside"
    data: Table | None = None
    """The content of its CSV file; None for all points."""

    def table(self) -> Table:
        """Return the content of its CSV file: `data`, or all points, one per line."""
        if self.data is not None:
            return self.data
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
        """Draw the chart as pixels and as vectors, with its data."""
        return drawn(
            name=self.name,
            title=self.title,
            caption=self.caption,
            table=self.table(),
            draw=self._draw,
        )

    def interactive(self, name: str) -> str:
        """Return the chart as HTML for a page that has plotly's script; `name` is its id there."""
        return as_html(self._plotly(), name)

    def _draw(self) -> Figure:
        count = -(-len(self.panels) // self.columns)
        figure = Figure(figsize=(7.2, self.height * count), layout="constrained")
        axes = figure.subplots(count, self.columns, squeeze=False)
        for place, panel in zip(axes.flat, self.panels, strict=False):
            _draw_panel(place, panel)
            if self.legend == "inside" and len(panel.series) > 1:
                place.legend(fontsize=8)
        for place in axes.flat[len(self.panels) :]:
            place.set_visible(False)
        if self.legend != "inside":
            most = max(self.panels, key=lambda panel: len(panel.series))
            handles, names = axes.flat[self.panels.index(most)].get_legend_handles_labels()
            if self.legend == "beside":
                figure.legend(handles, names, loc="outside right upper", fontsize=8)
            else:
                columns = 4 if max(map(len, names)) < 20 else 1
                figure.legend(handles, names, loc="outside upper left", fontsize=8, ncols=columns)
        return figure

    def _plotly(self) -> Any:
        from plotly.subplots import make_subplots

        count = -(-len(self.panels) // self.columns)
        height = 96 * self.height * count + 80
        titles = [panel.title for panel in self.panels]
        gap = {"vertical_spacing": 64 / height} if any(panel.rows for panel in self.panels) else {}
        figure = make_subplots(count, self.columns, subplot_titles=titles, **gap)
        seen: set[str] = set()
        for number, panel in enumerate(self.panels):
            where = {"row": number // self.columns + 1, "col": number % self.columns + 1}
            for place, series in enumerate(panel.series):
                trace = _trace(panel, series, series.name not in seen)
                if series.mark == "dots" and not panel.rows:
                    # The first series on top, since it usually has the fewest points.
                    trace.update(zorder=len(panel.series) - place)
                figure.add_trace(trace, **where)
                seen.add(series.name)
            _plotly_axes(figure, panel, where)
        above = {"x": 0, "y": 1, "yanchor": "bottom"}
        legend = above if self.legend == "above" else {"y": -0.2}
        figure.update_layout(
            height=height,
            margin={"l": 60, "r": 20, "t": 40, "b": 50},
            legend={"orientation": "h"} | legend,
        )
        return figure


def _draw_panel(axes: Any, panel: Panel) -> None:
    for number, series in enumerate(panel.series):
        _draw_series(axes, panel, series=series, number=number)
    if panel.diagonal:
        axes.plot([0, 1], [0, 1], ":", color="#888888")
    if "x" in panel.log:
        axes.set_xscale("log")
    if "y" in panel.log:
        axes.set_yscale("log")
    if panel.linear_within is not None:
        axes.set_yscale("symlog", linthresh=panel.linear_within)
        axes.yaxis.set_major_formatter("{x:g}")
    if panel.rows:
        axes.set_yticks(range(len(panel.rows)), panel.rows)
        axes.set_ylim(len(panel.rows) - 0.5, -0.5)
        axes.grid(axis="x", color=FAINT)
        axes.grid(visible=False, axis="y")
    if panel.x_range is not None:
        axes.set_xlim(*panel.x_range)
    axes.set_xlabel(panel.x_label)
    axes.set_ylabel(panel.y_label)
    if panel.title:
        axes.set_title(panel.title)


def _draw_series(axes: Any, panel: Panel, series: Series, number: int) -> None:
    """Draw a series; `number` is its index in the panel, which decides the dashes of its line."""
    colour, x_values = ink(series.ink), _places(panel, series)
    symbol = SYMBOLS[series.ink % len(SYMBOLS)][0]
    certain = series.low is not None and series.high is not None
    if series.mark == "dots":
        errors = {"xerr" if panel.rows else "yerr": _errors(panel, series)} if certain else {}
        axes.errorbar(
            x_values,
            series.y,
            **errors,
            fmt=symbol,
            color=colour,
            label=series.name,
            markersize=5 if panel.rows else 3.5,
            capsize=3 if panel.rows else 0,
            zorder=3 - number / 100,  # the first series on top: it usually has the fewest points
        )
    else:
        dashes, marker = DASHES[number % 4][0], symbol if series.mark == "joined" else None
        axes.plot(
            x_values,
            series.y,
            dashes,
            color=colour,
            label=series.name,
            marker=marker,
            markersize=4,
        )
        if certain:
            axes.fill_between(
                x_values, series.low, series.high, color=colour, alpha=0.18, linewidth=0
            )
    for text, x, y in zip(series.labels or (), x_values, series.y, strict=False):
        axes.annotate(text, (x, y), xytext=(4, 4), textcoords="offset points", fontsize=8)


def _places(panel: Panel, series: Series) -> list[Any]:
    """Return the values of x, as texts if they are to be at equal distances."""
    return [f"{x:g}" for x in series.x] if panel.even else list(series.x)


def _errors(panel: Panel, series: Series) -> tuple[list[float], list[float]]:
    """Return the distances from each point to the lower and upper ends of its interval."""
    middle = series.x if panel.rows else series.y
    low, high = series.low or middle, series.high or middle
    return (
        [max(0.0, at - own) for own, at in zip(low, middle, strict=True)],
        [max(0.0, own - at) for own, at in zip(high, middle, strict=True)],
    )


def _plotly_axes(figure: Any, panel: Panel, where: dict[str, int]) -> None:
    scale = {axis: "log" if axis in panel.log else "linear" for axis in "xy"}
    kind = "category" if panel.even else scale["x"]
    limits = {} if panel.x_range is None else {"range": list(panel.x_range)}
    figure.update_xaxes(title_text=panel.x_label, type=kind, **limits, **where)
    figure.update_yaxes(title_text=panel.y_label, type=scale["y"], **where)
    if panel.rows:
        figure.update_xaxes(title_standoff=4, **where)
        figure.update_yaxes(
            tickvals=list(range(len(panel.rows))),
            ticktext=[text.replace("\n", "<br>") for text in panel.rows],
            range=[len(panel.rows) - 0.5, -0.5],
            showgrid=False,
            **where,
        )
    if panel.diagonal:
        line = {"color": FAINT, "dash": "dot"}
        figure.add_shape(type="line", x0=0, y0=0, x1=1, y1=1, line=line, **where)


def _trace(panel: Panel, series: Series, first: bool) -> Any:
    """Return a series for plotly; the legend shows it if it is the `first` with its name."""
    from plotly import graph_objects

    errors: dict[str, Any] = {}
    if series.low is not None and series.high is not None:
        down, up = _errors(panel, series)
        reach = {"array": up, "arrayminus": down, "thickness": 1.5, "width": 4}
        errors["error_x" if panel.rows else "error_y"] = reach
    mode = "markers" if series.mark == "dots" else "lines+markers"
    if series.mark == "line" and len(series.x) > MANY:
        mode = "lines"
    words: dict[str, Any] = {"text": series.labels, "textposition": "top center"}
    if series.hover_texts is not None:
        words = {"text": list(series.hover_texts), "hovertemplate": "%{text}<extra></extra>"}
    return graph_objects.Scatter(
        x=_places(panel, series),
        y=list(series.y),
        mode=mode + ("+text" if series.labels else ""),
        line={"color": ink(series.ink), "dash": DASHES[series.ink % 4][1]},
        marker={"symbol": SYMBOLS[series.ink % len(SYMBOLS)][1], "size": 8 if panel.rows else 6},
        name=series.name.replace("\n", "<br>"),
        legendgroup=series.name,
        showlegend=first,
        **errors,
        **words,
    )
