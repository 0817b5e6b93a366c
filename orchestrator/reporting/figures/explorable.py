"""The interactive figures of a run for its page (plotly), one for each picture.

This module decides what they show when the pointer is on a point. The numbers come from the *_data
modules, like those of pictures and CSV files.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from orchestrator.reporting.figures import community, exchange_data, partners, planning_data
from orchestrator.reporting.figures.data_table import Cell
from orchestrator.reporting.figures.interactive import as_html
from orchestrator.reporting.figures.style import COLOURS, level_colour, with_unit
from orchestrator.reporting.wording import drawn_target, planning_discomfort_name, with_cost
from orchestrator.results.measures import STATE_LABELS, cost_unit
from orchestrator.results.run_results import RunResults
from orchestrator.results.slot_clock import axis_label, axis_ticks, clock_times

POINTS_MAX = 3000
"""Largest number of households drawn as single points; more would make a page slow."""
_DASHES = {"preferred": "solid", "planned": "solid", "exchanged": "dash", "bound": "dashdot"}
_LOG_FROM = 20.0
"""A cost that falls by more than this factor is shown on a logarithmic axis."""
_EDGE = "#808080"
"""Outline of marks, visible on light and dark backgrounds."""


def explorable(results: RunResults, name: str) -> str:
    """Return the figure of this name as HTML for a page that has plotly's script."""
    return as_html(_FIGURES[name](results), name)


def slot_axis(results: RunResults) -> dict[str, Any]:
    """Return plotly's options for an axis of slots, which is labelled with local times if they are
    known, else with numbers."""
    times = results.slot_times
    if times is None:
        return {"title": {"text": "slot"}}
    ticks = axis_ticks(times, results.slots)
    return {
        "title": {"text": axis_label(times)},
        "tickvals": [slot for slot, _ in ticks],
        "ticktext": [text for _, text in ticks],
        "tickangle": 0,
    }


def slot_names(results: RunResults) -> list[str]:
    """Return the name of each slot: its local time if known, else its number."""
    if results.slot_times is None:
        return [f"slot {slot}" for slot in range(results.slots)]
    return clock_times(results.slot_times, results.slots)


def _demand(results: RunResults) -> Any:
    slots, names = list(range(results.slots)), slot_names(results)
    traces = [
        _line(slots, values.tolist(), name=state, text=names, unit="kWh")
        for state, values in results.demand.columns().items()
        if state in COLOURS and state != "target"
    ]
    target = drawn_target(results)
    if target is not None:
        line = {"color": COLOURS["target"], "dash": "dot"}
        traces.append(_line(slots, target[1].tolist(), name=target[0], text=names, line=line))
    figure = _figure(traces, height=380, y="demand (kWh per slot)")
    figure.update_xaxes(**slot_axis(results))
    return figure


def _community(results: RunResults) -> Any:
    return community.live(results, slot_names(results), slot_axis(results))


def _convergence(results: RunResults) -> Any:
    columns = planning_data.convergence(results).columns
    steps, cost = columns["iteration"], str(results.config.get("cost", ""))
    name, unit = planning_discomfort_name(results)
    figure = _stacked()
    line = _line(steps, columns["inefficiency"], name=with_cost(results))
    figure.add_trace(line.update(showlegend=False), row=1, col=1)
    for column, label, colour in (
        ("mean_discomfort", name, COLOURS["planned"]),
        ("unfairness", "unfairness (standard deviation)", COLOURS["unfairness"]),
    ):
        dash = {"color": colour, "dash": "solid" if column == "mean_discomfort" else "dash"}
        figure.add_trace(_line(steps, columns[column], name=label, line=dash), row=2, col=1)
    values = np.asarray(columns["inefficiency"], dtype=np.float64)
    log = bool((values > 0).all()) and float(values.max() / values.min()) > _LOG_FROM
    kind = {"type": "log", "dtick": 1} if log else {}
    figure.update_yaxes(title_text=with_unit(with_cost(results), cost_unit(cost)), row=1, col=1)
    figure.update_yaxes(**kind, row=1, col=1)
    figure.update_yaxes(title_text=with_unit("discomfort", unit), rangemode="tozero", row=2, col=1)
    figure.update_xaxes(title_text="iteration", row=2, col=1)
    return figure


def _levels(results: RunResults) -> Any:
    from plotly import graph_objects

    traces: list[Any] = []
    for state in planning_data.discomforts(results):
        levels = list(state.by_level)
        quartiles = [
            np.quantile(values, [0, 0.25, 0.5, 0.75, 1]) for values in state.by_level.values()
        ]
        low, first, middle, third, high = (
            list(map(float, part)) for part in zip(*quartiles, strict=True)
        )
        traces.append(
            graph_objects.Box(
                x=levels, lowerfence=low, q1=first, median=middle, q3=third, upperfence=high,
                mean=[float(values.mean()) for values in state.by_level.values()],
                name=state.state, marker={"color": COLOURS[state.state]},
            )
        )  # fmt: skip
    figure = _figure(traces, height=400, x="level of the tree", y="discomfort (kWh, RMSE)")
    figure.update_layout(boxmode="group")
    figure.update_xaxes(dtick=1 if len(traces[0].x) <= 15 else None)
    figure.update_yaxes(rangemode="tozero")
    return figure


def _plans(results: RunResults) -> Any:
    columns = planning_data.plans(results).columns
    bar = _bars(columns["plan"], [100 * float(share) for share in columns["share"]], name="planned")
    bar.update(
        text=[f"{count:,}" for count in columns["households"]],
        textposition="outside" if len(columns["plan"]) <= 15 else "none",
        hovertemplate="plan %{x}: %{text} households (%{y:.1f}%)<extra></extra>",
    )
    label = "index of the plan, from 0"
    return _figure([bar], height=340, x=label, y="households (%)")


def _gains(results: RunResults) -> Any:
    from plotly import graph_objects

    found = exchange_data.gains_of(results)
    names, ranked = results.names or {}, list(enumerate(found, 1))
    step = -(-len(ranked) // POINTS_MAX)
    deepest = max(one.level for one in found)
    traces = []
    for level in range(1, deepest + 1):
        here = [(rank, one) for rank, one in ranked if one.level == level]
        here = here if len(here) < 100 else here[::step]
        traces.append(
            graph_objects.Scatter(
                x=[rank for rank, _ in here],
                y=[one.gain for _, one in here],
                mode="markers",
                name=f"level {level}",
                text=[names.get(one.household, one.household) for _, one in here],
                hovertemplate="%{text}: %{y:.4g} kWh, rank %{x}<extra></extra>",
                marker={
                    "color": level_colour(level, deepest),
                    "size": 11 if level <= 3 else 7,
                    "line": {"color": _EDGE, "width": 1},
                },
                zorder=deepest - level,
            )
        )
    label = "comfort gain (kWh, decrease of RMSE)"
    figure = _figure(traces, height=440, x="household, by gain", y=label)
    figure.update_xaxes(rangemode="tozero")
    return figure


def _comfort(results: RunResults) -> Any:
    columns = exchange_data.comfort_by_level(results).columns
    traces = [
        _line(columns["level"], columns[f"comfort_{state}"], name=state).update(
            mode="markers",
            marker={"symbol": symbol, "size": 11, "color": COLOURS[state]},
            text=[f"{count:,} households" for count in columns["households"]],
            hovertemplate=f"level %{{x}}, {state}: %{{y:.4f}} (%{{text}})<extra></extra>",
        )
        for state, symbol in (("planned", "circle"), ("exchanged", "diamond"))
    ]
    label = "mean comfort (1 - RMSE in kWh)"
    figure = _figure(traces, height=360, x="level of the tree", y=label)
    figure.update_xaxes(dtick=1 if len(columns["level"]) <= 15 else None)
    return figure


def _lorenz(results: RunResults) -> Any:
    columns = dict(exchange_data.lorenz(results).columns)
    shares = [100 * float(share) for share in columns.pop("households_share")]
    every = -(-len(shares) // POINTS_MAX)
    even = _line([0, 100], [0, 100], name="all equal", line={"color": _EDGE, "width": 1})
    traces = [even]
    for state, values in columns.items():
        name = f"{STATE_LABELS.get(state, state)}, Gini {results.states()[state].gini:.3f}"
        borne = [100 * float(value) for value in values]
        line = {"color": COLOURS[state], "dash": _DASHES[state]}
        trace = _line([*shares[::every], 100], [*borne[::every], 100], name=name, line=line)
        hover = "the %{x:.0f}% with the least discomfort bear %{y:.1f}%<extra></extra>"
        traces.append(trace.update(hovertemplate=hover, mode="lines"))
    label = "households, least discomfort first (%)"
    figure = _figure(traces, height=460, x=label, y="of all discomfort (%)")
    figure.update_xaxes(range=[0, 100])
    figure.update_yaxes(range=[0, 100])
    return figure


def _progress(results: RunResults) -> Any:
    columns = exchange_data.progress(results).columns
    figure = _stacked()
    line = {"color": COLOURS["exchanged"]}
    comfort = _line(columns["round"], columns["mean_comfort"], name="mean comfort", line=line)
    figure.add_trace(comfort.update(showlegend=False), row=1, col=1)
    if results.bound is not None:
        best, name = results.bound.mean_comfort, STATE_LABELS["bound"]
        dash = {"color": COLOURS["bound"], "dash": "dashdot"}
        level = _line([0, len(results.rounds) - 1], [best, best], name=name, line=dash)
        figure.add_trace(level.update(mode="lines"), row=1, col=1)
    bars = _bars(columns["round"], columns["exchanges"], name="exchanged")
    figure.add_trace(bars.update(showlegend=False), row=2, col=1)
    figure.update_yaxes(title_text="mean comfort", row=1, col=1)
    figure.update_yaxes(title_text="exchanges", row=2, col=1)
    figure.update_xaxes(title_text="round", dtick=_whole(len(results.rounds)), row=2, col=1)
    return figure


def _success(results: RunResults) -> Any:
    columns = exchange_data.success(results).columns
    figure = _stacked()
    for name, label, colour in (
        ("lookups", "looked up", "#A0A0A0"),
        ("matches", "matches", "#56B4E9"),
        ("proposals", "proposals", "#E69F00"),
        ("exchanges", "exchanges", "#009E73"),
    ):
        bars = _bars(columns["round"], columns[name], name=label)
        figure.add_trace(bars.update(marker={"color": colour}), row=1, col=1)
    for name, label, colour in (
        ("matches_per_lookup", "matches per lookup", "#0072B2"),
        ("exchanges_per_proposal", "exchanges per proposal", "#009E73"),
    ):
        rates = [100 * rate if isinstance(rate, float) else None for rate in columns[name]]
        line = _line(columns["round"], rates, name=label, line={"color": colour})
        figure.add_trace(line, row=2, col=1)
    figure.update_layout(barmode="group")
    figure.update_yaxes(title_text="slots", type="log", dtick=1, row=1, col=1)
    figure.update_yaxes(title_text="success (%)", range=[0, 105], row=2, col=1)
    figure.update_xaxes(title_text="round", dtick=_whole(len(results.rounds)), row=2, col=1)
    return figure


def _partners(results: RunResults) -> Any:
    from plotly import graph_objects

    groups = partners.groups_of(results)
    columns = partners.table(results, groups).columns
    number = len(groups.names)
    place = {name: at for at, name in enumerate(groups.names)}
    colours = [level_colour(at + 1, number) for at in range(number)]
    sankey = graph_objects.Sankey(
        node={
            "label": [f"{name} requested" for name in groups.names]
            + [f"{name} accepted" for name in groups.names],
            "color": colours * 2,
            "line": {"color": _EDGE, "width": 1},
        },
        link={
            "source": [place[str(name)] for name in columns["requester"]],
            "target": [number + place[str(name)] for name in columns["responder"]],
            "value": list(columns["exchanges"]),
            "color": "rgba(128, 128, 128, 0.35)",
        },
    )
    figure = graph_objects.Figure(sankey)
    figure.update_layout(height=520, margin={"l": 10, "r": 10, "t": 10, "b": 10})
    return figure


_FIGURES: Mapping[str, Callable[[RunResults], Any]] = {
    "community": _community,
    "demand": _demand,
    "convergence": _convergence,
    "levels": _levels,
    "plans": _plans,
    "gains": _gains,
    "comfort": _comfort,
    "lorenz": _lorenz,
    "progress": _progress,
    "success": _success,
    "partners": _partners,
}
"""The function that draws each figure, by name of the picture."""


def _line(
    x: Sequence[Cell],
    y: Sequence[Cell | None],
    *,
    name: str,
    text: Sequence[str] | None = None,
    unit: str = "",
    line: Mapping[str, object] | None = None,
) -> Any:
    """Return a line, with a mark at each point if it is short."""
    from plotly import graph_objects

    style = line or {"color": COLOURS.get(name, COLOURS["planned"]), "dash": _DASHES.get(name)}
    at = "%{text}" if text is not None else "%{x}"
    return graph_objects.Scatter(
        x=list(x),
        y=list(y),
        mode="lines+markers" if len(x) <= 30 else "lines",
        name=name,
        text=text,
        line=dict(style),
        hovertemplate=f"{at}, {name}: %{{y:,.4g}} {unit}".rstrip() + "<extra></extra>",
    )


def _bars(x: Sequence[Cell], y: Sequence[Cell], *, name: str) -> Any:
    from plotly import graph_objects

    return graph_objects.Bar(
        x=list(x),
        y=list(y),
        name=name,
        marker={"color": COLOURS.get(name, COLOURS["planned"])},
        hovertemplate=f"%{{x}}, {name}: %{{y:,.4g}}<extra></extra>",
    )


def _figure(traces: Sequence[Any], *, height: int, x: str = "", y: str = "") -> Any:
    from plotly import graph_objects

    figure = graph_objects.Figure(list(traces))
    _lay_out(figure, height)
    figure.update_xaxes(title_text=x)
    figure.update_yaxes(title_text=y)
    return figure


def _stacked() -> Any:
    """Return a figure with two panels that share x."""
    from plotly.subplots import make_subplots

    figure = make_subplots(2, 1, shared_xaxes=True, vertical_spacing=0.08)
    _lay_out(figure, 480)
    return figure


def _lay_out(figure: Any, height: int) -> None:
    legend = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}
    margin = {"l": 56, "r": 12, "t": 30, "b": 44}
    figure.update_layout(height=height, margin=margin, legend=legend, hovermode="closest")


def _whole(count: int) -> int | None:
    """Return 1 as the distance between labels if there are few numbers; else None, for plotly's
    choice."""
    return 1 if count <= 15 else None
