"""The figures of a comparison: as pictures (matplotlib), and to be explored in the page (plotly).
What is compared is decided in compare.py.
"""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from orchestrator.experiments.comparison import MEASURES, Compared
from orchestrator.experiments.comparison_sides import ComparedConfiguration
from orchestrator.reporting.figures.interactive import DASHES, as_html, ink
from orchestrator.reporting.figures.planning_data import Table
from orchestrator.reporting.figures.style import COLOURS, FAINT, Drawing, drawn, with_unit
from orchestrator.results.measures import cost_unit

_SYMBOLS = {"planned": ("o", "circle"), "exchanged": ("s", "square")}
"""As matplotlib and plotly call them."""
_SHARE, _COMFORT = "share of the households, least comfort first (%)", "comfort (1: as preferred)"
_LONGEST = 34
"""Characters of a line of a side's name."""
_LINE, _AROUND = 30, 90
"""Height of a side in a panel and of what is around a panel, pixels of the page."""

_LAYOUT: dict[str, Any] = {
    "margin": {"l": 10, "r": 20, "t": 20, "b": 50},
    "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
}

Figured = tuple[Drawing, str]
"""A picture with its data, and the same as a piece of a page that has plotly's script."""
_Point = tuple[int, Compared]
_Panel = tuple[str, str, tuple[str, ...]]
"""Label, measure, and the states in which it is shown."""


def measures_figure(
    sides: Sequence[ComparedConfiguration], compared: Sequence[Compared]
) -> Figured:
    """Means of all sides with their 95 % intervals, a panel a measure."""
    names = [wrapped(side.name) for side in sides]
    panels = _panels_of(sides)
    points = {
        (measure, state): [
            (number, line)
            for number, side in enumerate(sides)
            for line in compared
            if (line.side, line.measure) == (side.name, MEASURES[state, measure].label)
        ]
        for _, measure, states in panels
        for state in states
    }

    def draw() -> Figure:
        tall = sum(0.22 * (1 + name.count("\n")) for name in names)
        figure = Figure(figsize=(7.2, 0.5 + len(panels) * (0.75 + tall)), layout="constrained")
        rows = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
        for axes, (label, measure, states) in zip(rows, panels, strict=True):
            for state in states:
                own = points[measure, state]
                if not own:
                    continue
                axes.errorbar(
                    [line.mean for _, line in own],
                    [number + _shift(state, states) for number, _ in own],
                    xerr=_reach(own),
                    fmt=_SYMBOLS[state][0],
                    color=COLOURS[state],
                    markersize=5,
                    capsize=3,
                    label=state,
                )
            axes.set_yticks(range(len(names)), names)
            axes.set_ylim(len(names) - 0.5, -0.5)
            axes.grid(axis="x", color=FAINT)
            axes.grid(visible=False, axis="y")
            axes.set_xlabel(label)
        handles, labels = rows[-1].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=2)
        return figure

    caption = (
        "Means over the runs of each side; the lines are 95 % intervals, where a side has several "
        "runs."
    )
    table = Table(
        {
            "measure": [line.measure for line in compared],
            "side": [line.side for line in compared],
            "mean": [line.mean for line in compared],
            "low": [line.spread.low if line.spread else "" for line in compared],
            "high": [line.spread.high if line.spread else "" for line in compared],
        }
    )
    drawing = drawn("measures", "Measures side by side", caption, table, draw)
    return drawing, as_html(_explored(names, panels, points), "measures")


def households_figure(sides: Sequence[ComparedConfiguration]) -> Figured:
    """Comfort in the end, from the household with the least to that with the most."""
    curves = {side.name: side.comfort() for side in sides}
    whole = all(side.whole for side in sides)

    def draw() -> Figure:
        figure = Figure(figsize=(7.2, 3.2 + 0.22 * len(curves)), layout="constrained")
        axes = figure.subplots()
        for number, (name, curve) in enumerate(curves.items()):
            axes.plot(
                curve.share,
                curve.comfort,
                DASHES[number % len(DASHES)][0],
                color=ink(number),
                marker=None if whole else "o",
                markersize=4,
                label=name,
            )
        axes.set(xlabel=_SHARE, ylabel=_COMFORT, xlim=(0, 100))
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)
        return figure

    caption = (
        "Comfort in the end of all households of a side's runs, sorted."
        if whole
        else "Comfort in the end: percentiles of the households, means over the runs of a side."
    )
    places = [(name, place) for name, curve in curves.items() for place in range(len(curve.share))]
    table = Table(
        {
            "side": [name for name, _ in places],
            "share": [float(curves[name].share[place]) for name, place in places],
            "comfort": [float(curves[name].comfort[place]) for name, place in places],
        }
    )
    drawing = drawn("households", "Comfort of the households", caption, table, draw)

    from plotly import graph_objects

    figure = graph_objects.Figure()
    for number, (name, curve) in enumerate(curves.items()):
        figure.add_scatter(
            x=curve.share.tolist(),
            y=curve.comfort.tolist(),
            name=wrapped(name, "<br>"),
            mode="lines" if whole else "lines+markers",
            line={"color": ink(number), "dash": DASHES[number % len(DASHES)][1]},
            hovertemplate="%{x:.0f} %: comfort %{y:.3f}<extra>%{fullData.name}</extra>",
        )
    figure.update_xaxes(title_text=_SHARE, range=[0, 100])
    figure.update_yaxes(title_text=_COMFORT)
    figure.update_layout(height=380 + 24 * len(curves), **_LAYOUT)
    return drawing, as_html(figure, "households")


def wrapped(name: str, between: str = "\n") -> str:
    """The name of a side in lines, broken where one option ends."""
    lines: list[str] = []
    for part in name.split(", "):
        if lines and len(lines[-1]) + len(part) + 2 <= _LONGEST:
            lines[-1] += f", {part}"
        else:
            lines.append(part)
    return f",{between}".join(lines)


def _panels_of(sides: Sequence[ComparedConfiguration]) -> list[_Panel]:
    """What is shown: no exchange changes the inefficiency; of different costs it says nothing."""
    both = ("planned", "exchanged")
    panels: list[_Panel] = [
        ("mean comfort of the households (1: all as preferred)", "mean_comfort", both),
        (with_unit("unfairness", "kWh"), "unfairness", both),
    ]
    costs = {side.cost for side in sides}
    if len(costs) > 1:
        return panels
    label = with_unit("inefficiency of the global plan", cost_unit(costs.pop()))
    return [(label, "inefficiency", ("planned",)), *panels]


def _explored(
    names: Sequence[str],
    panels: Sequence[_Panel],
    points: dict[tuple[str, str], list[_Point]],
) -> Any:
    from plotly.subplots import make_subplots

    tall = _LINE * sum(1 + 0.5 * name.count("\n") for name in names)
    height = len(panels) * (_AROUND + tall)
    figure = make_subplots(len(panels), 1, vertical_spacing=_AROUND * 0.8 / height)
    seen: set[str] = set()
    for row, (label, measure, states) in enumerate(panels, 1):
        for state in states:
            own = points[measure, state]
            down, up = _reach(own)
            figure.add_scatter(
                x=[line.mean for _, line in own],
                y=[number + _shift(state, states) for number, _ in own],
                error_x={"array": up, "arrayminus": down, "thickness": 1.5, "width": 4},
                mode="markers",
                marker={"color": COLOURS[state], "symbol": _SYMBOLS[state][1], "size": 8},
                name=state,
                legendgroup=state,
                showlegend=state not in seen and bool(own),
                text=[_told(line) for _, line in own],
                hovertemplate="%{text}<extra></extra>",
                row=row,
                col=1,
            )
            seen.update({state} if own else ())
        figure.update_xaxes(title_text=label, title_standoff=4, row=row, col=1)
        figure.update_yaxes(
            tickvals=list(range(len(names))),
            ticktext=[name.replace("\n", "<br>") for name in names],
            range=[len(names) - 0.5, -0.5],
            showgrid=False,
            row=row,
            col=1,
        )
    figure.update_layout(height=height + 40, **_LAYOUT)
    return figure


def _told(line: Compared) -> str:
    """Of one point, on hovering."""
    text = f"{line.side}<br>{line.measure}: {line.mean:.4g}"
    if line.spread is not None:
        text += f"<br>95 % interval {line.spread.low:.4g} to {line.spread.high:.4g}"
    return f"{text}<br>runs: {line.runs}"


def _reach(own: Sequence[_Point]) -> tuple[list[float], list[float]]:
    """How far down and up the intervals reach; 0 where there is none."""
    spreads = [(line.mean, line.spread) for _, line in own]
    return (
        [max(0.0, mean - spread.low) if spread else 0.0 for mean, spread in spreads],
        [max(0.0, spread.high - mean) if spread else 0.0 for mean, spread in spreads],
    )


def _shift(state: str, states: Sequence[str]) -> float:
    """Two states of a side stand a little above one another."""
    return 0.24 * (states.index(state) - (len(states) - 1) / 2)
