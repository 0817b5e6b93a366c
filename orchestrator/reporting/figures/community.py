"""The figure of a community's day: what all homes use by kind of device, as a stack over the hours,
as people prefer and as agreed, with the target.

This module decides what is stacked: what is used above zero, what is given below.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from orchestrator.reporting.figures.data_table import Cell, Table
from orchestrator.reporting.figures.style import (
    COLOURS,
    INK,
    Drawing,
    drawn,
    figure_of,
    slots_along,
)
from orchestrator.reporting.wording import drawn_target
from orchestrator.results.device_kinds import DayByKind
from orchestrator.results.run_results import RunResults
from orchestrator.results.slot_clock import iso_times
from protocol.vectors import Array

NAME, TITLE = "community", "The community's day"
KIND_COLOURS = {
    "base": "#B8BDC2",
    "machines": "#E69F00",
    "boilers": "#CC79A7",
    "heat pumps": "#D55E00",
    "cars": "#0072B2",
    "batteries": "#009E73",
    "other": "#000000",
    "solar": "#F0E442",
}
_PANELS = {"preferred": "As people prefer", "planned": "After stage 1", "exchanged": "As agreed"}


def community_drawings(results: RunResults) -> list[Drawing]:
    """Return the figure of a community's day; none if households are no homes."""
    if results.kinds is None:
        return []
    return [drawn(NAME, TITLE, caption(results), table(results), lambda: draw(results))]


def caption(results: RunResults) -> str:
    """Return what the figure shows, and why it may end with stage 1."""
    words = (
        "What all homes use together, by kind of device; what they give (sun, batteries) is below "
        "zero. The line is what the grid carries."
    )
    if results.demand.target is not None:
        words += " Dots are the target."
    if results.exchanged is not None and "exchanged" not in (results.kinds or {}):
        words += (
            " The second picture is after stage 1: after the exchange, schedules of devices stay "
            "in their homes. With --save-schedules homes save them, and it is after the exchange; "
            "the line is the same."
        )
    return words


def shown_states(results: RunResults) -> list[str]:
    """Return the two states that are compared: as preferred, and the last whose kinds are known."""
    known = results.kinds or {}
    return ["preferred", "exchanged" if "exchanged" in known else "planned"]


def to_power(results: RunResults) -> tuple[float, str]:
    """Return the factor from kWh per slot to what is drawn, and its unit."""
    times = results.slot_times
    return (1.0, "kWh per slot") if times is None else (60.0 / times.minutes, "kW")


def table(results: RunResults) -> Table:
    """Return the energy by slot, state and kind, kWh."""
    columns: dict[str, Sequence[Cell]] = {"slot": list(range(results.slots))}
    if results.slot_times is not None:
        columns["time"] = iso_times(results.slot_times, results.slots)
    for state, day in (results.kinds or {}).items():
        columns |= {f"{state} {kind}": amounts.tolist() for kind, amounts in day.items()}
    return Table(columns)


def draw(results: RunResults) -> Figure:
    """Draw a stack for each of two states."""
    figure, panels = figure_of(6.4, rows=2)
    factor, unit = to_power(results)
    slots = np.arange(results.slots)
    for axes, state in zip(panels, shown_states(results), strict=True):
        day = (results.kinds or {})[state]
        for kind, low, high in stacked(day):
            axes.fill_between(
                slots,
                low * factor,
                high * factor,
                step="mid",
                color=KIND_COLOURS[kind],
                label=kind,
                linewidth=0,
            )
        total = np.sum(list(day.values()), axis=0) * factor
        axes.step(slots, total, where="mid", color=INK, linewidth=1.4, label="grid")
        for name, values, colour, dash, _ in _guides(results):
            axes.plot(slots, values * factor, dash, color=colour, label=name)
        axes.set_ylabel(unit)
        axes.set_title(_PANELS[state])
        axes.margins(x=0.0)
    panels[1].sharey(panels[0])
    panels[0].autoscale(axis="y")
    slots_along(panels[-1], results.slots, results.slot_times)
    handles, names = panels[0].get_legend_handles_labels()
    unique = dict(zip(names, handles, strict=True))
    figure.legend(
        list(unique.values()), list(unique), loc="outside upper left", ncols=5, frameon=False
    )
    return figure


def stacked(day: DayByKind) -> list[tuple[str, Array, Array]]:
    """Return the lower and upper edge of each kind, (kind, float64[d], float64[d]): what is used is
    stacked upwards from zero, what is given downwards."""
    up = down = np.zeros(len(next(iter(day.values()))))
    edges = []
    for kind, amounts in day.items():
        used, given = np.maximum(amounts, 0.0), np.minimum(amounts, 0.0)
        if used.any():
            edges.append((kind, up, up + used))
            up = up + used
        if given.any():
            edges.append((kind, down + given, down))
            down = down + given
    return edges


def _guides(results: RunResults) -> list[tuple[str, Array, str, str, str]]:
    """Return target and upper limit, as far as there are any: name, values, colour, and the dashes
    of matplotlib and of plotly."""
    guides = []
    target, limit = drawn_target(results), results.demand.limit
    if target is not None:
        guides.append((*target, COLOURS["target"], ":", "dot"))
    if limit is not None:
        guides.append(("limit", limit, COLOURS["unfairness"], "--", "dash"))
    return guides


def live(results: RunResults, names: Sequence[str], axis: Mapping[str, Any]) -> Any:
    """Return the figure for plotly; `names` are those of the slots, `axis` the options of x."""
    from plotly import graph_objects
    from plotly.subplots import make_subplots

    factor, unit = to_power(results)
    states = shown_states(results)
    figure = make_subplots(
        2, 1, shared_xaxes=True, vertical_spacing=0.1, subplot_titles=[_PANELS[s] for s in states]
    )
    slots, seen = list(range(results.slots)), set[str]()
    for row, state in enumerate(states, start=1):
        day = (results.kinds or {})[state]
        for kind, amounts in day.items():
            for sign, part in ((1, np.maximum(amounts, 0.0)), (-1, np.minimum(amounts, 0.0))):
                if not part.any():
                    continue
                trace = graph_objects.Scatter(
                    x=slots,
                    y=(part * factor).round(3).tolist(),
                    name=kind,
                    legendgroup=kind,
                    showlegend=kind not in seen,
                    stackgroup=f"{state}{sign}",
                    mode="lines",
                    line={"width": 0, "shape": "hvh", "color": KIND_COLOURS[kind]},
                    fillcolor=KIND_COLOURS[kind],
                    text=list(names),
                    hovertemplate=f"%{{text}}, {kind}: %{{y:.1f}} {unit}<extra></extra>",
                )
                seen.add(kind)
                figure.add_trace(trace, row=row, col=1)
        total = np.sum(list(day.values()), axis=0) * factor
        lines = [("grid", total, {"color": "#000000", "width": 1.5, "shape": "hvh"})]
        for name, values, colour, _, dash in _guides(results):
            lines.append((name, values * factor, {"color": colour, "dash": dash}))
        for name, values, line in lines:
            trace = graph_objects.Scatter(
                x=slots,
                y=values.round(3).tolist(),
                name=name,
                legendgroup=name,
                showlegend=row == 1,
                mode="lines",
                line=line,
                text=list(names),
                hovertemplate=f"%{{text}}, {name}: %{{y:.1f}} {unit}<extra></extra>",
            )
            figure.add_trace(trace, row=row, col=1)
    legend = {"orientation": "h", "x": 0, "y": 1.06, "yanchor": "bottom"}
    margin = {"l": 56, "r": 12, "t": 70, "b": 44}
    figure.update_layout(height=620, margin=margin, legend=legend, hovermode="closest")
    figure.update_yaxes(title_text=unit, matches="y")
    figure.update_xaxes(**axis, row=2, col=1)
    return figure
