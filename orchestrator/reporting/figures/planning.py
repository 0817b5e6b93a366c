"""The figures of stage 1, and the list of all figures of a run.

This module decides what is drawn; `planning_data` has the numbers and `style` the look. Each
function returns a figure.
"""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from orchestrator.reporting.figures import planning_data as series
from orchestrator.reporting.figures.community import community_drawings
from orchestrator.reporting.figures.exchange import exchange_drawings
from orchestrator.reporting.figures.partners import partner_drawings
from orchestrator.reporting.figures.style import (
    COLOURS,
    INK,
    LABELLED_BARS,
    LINES,
    Drawing,
    count_along,
    drawn,
    end_label,
    figure_of,
    legend,
    slots_along,
    with_unit,
)
from orchestrator.reporting.number_wording import number
from orchestrator.reporting.wording import drawn_target, planning_discomfort_name, with_cost
from orchestrator.results.measures import cost_unit
from orchestrator.results.run_results import RunResults

_LOG_FROM = 20.0


_IN_KWH = ("levels", "gains", "comfort", "lorenz")
"""Figures of discomfort in kWh, which say nothing about what people of homes notice."""


def drawings(results: RunResults) -> list[Drawing]:
    """Return all figures of a run, in the order of the page."""
    found = _all_drawings(results)
    return [own for own in found if results.homes is None or own.name not in _IN_KWH]


def _all_drawings(results: RunResults) -> list[Drawing]:
    share = "each bar is the share of households that selected the plan at this index"
    return [
        *community_drawings(results),
        drawn(
            name="convergence",
            title="Convergence",
            caption="The global cost after each iteration of stage 1, and the discomfort that "
            "households bear for it.",
            table=series.convergence(results),
            draw=lambda: convergence(results),
        ),
        drawn(
            name="demand",
            title="Demand before and after",
            caption="The sum over all households, if each followed its preferred plan, and as "
            "agreed." + _about_target(results),
            table=series.demand(results),
            draw=lambda: demand(results),
        ),
        drawn(
            name="levels",
            title="Discomfort by tree level",
            caption="Each box is the middle half of a level's households, the line in it the "
            "median. In the picture each dot is a household and the diamond the mean. Level 1 is "
            "the root.",
            table=series.levels(results),
            draw=lambda: levels(results),
        ),
        drawn(
            name="plans",
            title="Plan frequency",
            caption=f"How often each plan was selected in stage 1: {share} of its own list.",
            table=series.plans(results),
            draw=lambda: plans(results),
        ),
        *exchange_drawings(results),
        *partner_drawings(results),
    ]


def convergence(results: RunResults) -> Figure:
    """Draw inefficiency above and discomfort with unfairness below, by iteration."""
    columns = series.convergence(results).columns
    steps, cost = columns["iteration"], str(results.config.get("cost", ""))
    figure, (above, below) = figure_of(4.9, rows=2)
    marker = "o" if len(steps) < 3 else ""
    values = np.asarray(columns["inefficiency"], dtype=np.float64)
    above.plot(steps, values, color=COLOURS["planned"], marker=marker)
    finite = values[np.isfinite(values)]
    if finite.size and finite.min() > 0 and finite.max() / finite.min() > _LOG_FROM:
        above.set_yscale("log")
        above.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        above.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
        above.yaxis.set_minor_locator(NullLocator())
    above.set_ylabel(with_unit(with_cost(results), cost_unit(cost)))
    if np.isfinite(values[-1]):
        end_label(
            above, steps[-1], y=values[-1], text=number(values[-1]), colour=COLOURS["planned"]
        )
    name, unit = planning_discomfort_name(results)
    for column, label, style in (
        ("mean_discomfort", name, "-"),
        ("unfairness", "unfairness (standard deviation)", "--"),
    ):
        colour = COLOURS["planned" if column == "mean_discomfort" else "unfairness"]
        below.plot(
            steps, columns[column], color=colour, linestyle=style, label=label, marker=marker
        )
    below.set_ylabel(with_unit("discomfort", unit))
    below.set_ylim(bottom=0)
    count_along(below, "iteration", len(steps))
    legend(below)
    return figure


def demand(results: RunResults) -> Figure:
    """Draw preferred, planned and exchanged demand, and the target, by slot."""
    figure, (axes,) = figure_of(3.8)
    curves = {k: v for k, v in results.demand.columns().items() if k in LINES and k != "target"}
    slots = np.arange(results.slots)
    marker = "o" if len(slots) < 3 else ""
    for state, values in curves.items():
        axes.plot(
            slots, values, LINES[state], color=COLOURS[state], label=state, marker=marker, zorder=3
        )
    target = drawn_target(results)
    if target is not None:
        axes.plot(
            slots, target[1], LINES["target"], color=COLOURS["target"], label=target[0], zorder=4
        )
    axes.set_ylabel("demand (kWh per slot)")
    axes.margins(x=0.01)
    slots_along(axes, results.slots, results.slot_times)
    legend(axes)
    return figure


def levels(results: RunResults) -> Figure:
    """Draw a box and the households of each level, with the states next to each other."""
    figure, (axes,) = figure_of(3.8)
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
                boxprops={"color": INK},
                medianprops={"color": INK, "linewidth": 2},
                whiskerprops={"color": INK},
                capprops={"color": INK},
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
    axes.set_xlabel("level of the tree (below: number of households)")
    axes.set_ylabel("discomfort (kWh, RMSE)")
    axes.set_ylim(bottom=0)
    if len(states) > 1:
        legend(axes, [Patch(color=COLOURS[s.state], label=s.state) for s in states])
    return figure


def plans(results: RunResults) -> Figure:
    """Draw one bar for each index of a plan."""
    figure, (axes,) = figure_of(3.4)
    columns = series.plans(results).columns
    counts, indices = columns["households"], columns["plan"]
    bars = axes.bar(indices, [100 * float(s) for s in columns["share"]], color=COLOURS["planned"])
    if len(counts) <= LABELLED_BARS:
        axes.bar_label(bars, [f"{count:,}" for count in counts], padding=2, color=INK, fontsize=9)
    count_along(axes, "plan (index in the household's list, from 0)", len(counts))
    if len(counts) <= LABELLED_BARS:
        axes.set_xticks(list(indices))
    axes.set_ylabel("households (%)")
    axes.margins(y=0.12)
    return figure


def _about_target(results: RunResults) -> str:
    target = drawn_target(results)
    if target is None or target[0] == "target":
        return ""
    return (
        " The cost compares shapes: the target is shifted and stretched to the mean and spread of "
        "the planned demand."
    )
