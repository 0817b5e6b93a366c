"""The figures of stage 2: gains, the spread of discomfort, and the course of the rounds.

This module decides what is drawn; `exchange_data` has the numbers and `style` the look. Each
function returns a figure. Only for results with a stage 2.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from orchestrator.reporting.figures import exchange_data as series
from orchestrator.reporting.figures.style import (
    COLOURS,
    FAINT,
    INK,
    LABELLED_BARS,
    Drawing,
    count_along,
    drawn,
    figure_of,
    legend,
    level_colour,
)
from orchestrator.reporting.number_wording import number
from orchestrator.reporting.wording import worse_off
from orchestrator.results.measures import STATE_LABELS
from orchestrator.results.run_results import RunResults

_MARKS = "osD^vP*X<>ph"
_NAMED_LEVELS = len(_MARKS)
"""Up to this many levels, each has its own mark."""
_STATE_LINES: dict[str, Any] = {"planned": "-", "exchanged": "--", "bound": "-."}
_FUNNEL = (
    ("lookups", "looked up", "#C8C8C8", 0.84),
    ("matches", "matches", "#56B4E9", 0.62),
    ("proposals", "proposals", "#E69F00", 0.40),
    ("exchanges", "exchanges", "#009E73", 0.18),
)


def exchange_drawings(results: RunResults) -> list[Drawing]:
    """Return the figures of stage 2 in the order of the page; none if there was no stage 2."""
    if results.exchange is None:
        return []
    return [
        drawn(
            name="gains",
            title="Comfort gain of every household",
            caption="Households by their gain from the exchange, the largest first. Colour and "
            f"mark show the level of the tree; level 1 is the root. {worse_off(results)}",
            table=series.gains(results),
            draw=lambda: gains(results),
        ),
        drawn(
            name="comfort",
            title="Comfort before and after by tree level",
            caption="The mean comfort of each level's households, after stage 1 and after stage 2.",
            table=series.comfort_by_level(results),
            draw=lambda: comfort_by_level(results),
        ),
        drawn(
            name="lorenz",
            title="How evenly discomfort is spread",
            caption="Lorenz curves: the share of all discomfort that the households with the "
            "least discomfort bear. On the straight line, all bear the same (Gini 0). The bound "
            "of values has the least squared deviation that reassigning the same values within "
            "each slot could reach.",
            table=series.lorenz(results),
            draw=lambda: lorenz(results),
        ),
        drawn(
            name="progress",
            title="Progress of the exchange",
            caption="The mean comfort at the end of each round, and the number of exchanges in "
            "it. In round 0, households only make their offers.",
            table=series.progress(results),
            draw=lambda: progress(results),
        ),
        drawn(
            name="success",
            title="From lookup to exchange",
            caption="Above: lookups in each round, and how many of them led to a match, "
            "a proposal and an exchange, on a logarithmic scale. Below: the share of lookups that "
            "found a partner, and of proposals that were accepted.",
            table=series.success(results),
            draw=lambda: success(results),
        ),
    ]


def gains(results: RunResults) -> Figure:
    """Draw one mark for each household, in order of gain."""
    figure, (axes,) = figure_of(4.2)
    found = series.gains_of(results)
    ranks, levels = np.arange(1, len(found) + 1), np.array([one.level for one in found])
    values = np.array([one.gain for one in found])
    size = float(np.clip(6000 / len(found), 6, 42))
    axes.axhline(0, color=INK, linewidth=0.8, zorder=1)
    deepest = int(levels.max())
    # The lower levels, which have many households, first, so that they hide no upper ones.
    for level in range(deepest, 0, -1):
        here = levels == level
        axes.scatter(
            ranks[here],
            values[here],
            s=size * (1.8 if level <= 3 else 1),
            marker=_MARKS[(level - 1) % _NAMED_LEVELS],
            color=level_colour(level, deepest),
            edgecolors=INK,
            linewidths=0.4,
            zorder=3 + (deepest - level) / deepest,
            clip_on=False,
            label=f"{level}",
        )
    axes.set_ylabel("comfort gain (kWh, decrease of RMSE)")
    count_along(axes, "household, by gain", len(found))
    if deepest <= _NAMED_LEVELS:
        handles = axes.get_legend_handles_labels()[0][::-1]
        axes.legend(
            handles=handles,
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=_NAMED_LEVELS,
            title="level of the tree",
            alignment="left",
            borderaxespad=0.2,
            columnspacing=1.2,
            handletextpad=0.2,
        )
    else:
        _level_scale(figure, axes, deepest)
    return figure


def comfort_by_level(results: RunResults) -> Figure:
    """Draw two marks for each level, and a line from the first to the second."""
    figure, (axes,) = figure_of(3.6)
    columns = series.comfort_by_level(results).columns
    levels = np.asarray(columns["level"], dtype=float)
    before = np.asarray(columns["comfort_planned"], dtype=float)
    after = np.asarray(columns["comfort_exchanged"], dtype=float)
    axes.vlines(levels, before, after, color=FAINT, linewidth=4, zorder=2)
    for values, state, mark in ((before, "planned", "o"), (after, "exchanged", "D")):
        axes.scatter(levels, values, marker=mark, s=48, color=COLOURS[state], label=state, zorder=3)
    for level, value, gain in zip(levels, after, after - before, strict=True):
        if len(levels) <= _NAMED_LEVELS:
            axes.annotate(
                f"{gain:+.3f}", (level, value), xytext=(0, 7), textcoords="offset points",
                ha="center", fontsize=9, color=INK,
            )  # fmt: skip
    counts = columns["households"]
    if len(levels) <= _NAMED_LEVELS:
        names = [f"{level:.0f}\n{n:,}" for level, n in zip(levels, counts, strict=True)]
        axes.set_xticks(levels, names)
        axes.set_xlabel("level of the tree (below: number of households)")
    else:
        count_along(axes, "level of the tree", len(levels))
    axes.set_xlim(levels[0] - 0.5, levels[-1] + 0.5)
    axes.set_ylabel("mean comfort (1 - RMSE in kWh)")
    axes.margins(y=0.2)
    legend(axes)
    return figure


def lorenz(results: RunResults) -> Figure:
    """Draw one curve for each state, and the diagonal."""
    figure, (axes,) = figure_of(4.4)
    columns = dict(series.lorenz(results).columns)
    shares = columns.pop("households_share")
    axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, label="all equal, Gini 0")
    for state, values in columns.items():
        axes.plot(
            shares,
            values,
            linestyle=_STATE_LINES[state],
            color=COLOURS[state],
            linewidth=1.2 if state == "bound" else 1.8,
            label=f"{STATE_LABELS.get(state, state)}, Gini {results.states()[state].gini:.3f}",
            zorder=3,
        )
    axes.set_aspect("equal")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.grid(axis="x")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel("households, those with the least discomfort first")
    axes.set_ylabel("of all discomfort (RMSE)")
    axes.legend(loc="center left", bbox_to_anchor=(1.03, 0.5))
    return figure


def progress(results: RunResults) -> Figure:
    """Draw mean comfort above and exchanges below, by round."""
    figure, (above, below) = figure_of(4.6, rows=2)
    columns = series.progress(results).columns
    rounds = np.asarray(columns["round"], dtype=float)
    comfort = np.asarray(columns["mean_comfort"], dtype=float)
    above.plot(rounds, comfort, color=COLOURS["exchanged"], marker="o", markersize=4, zorder=3)
    above.set_ylabel("mean comfort\n(1 - RMSE in kWh)")
    if results.bound is not None:
        best = results.bound.mean_comfort
        above.axhline(best, color=COLOURS["bound"], linestyle=_STATE_LINES["bound"])
        above.annotate(
            f"{STATE_LABELS['bound']} {number(best)}", (rounds[-1], best), xytext=(0, 3),
            textcoords="offset points", ha="right", va="bottom", color=INK, fontsize=9,
        )  # fmt: skip
    above.annotate(
        number(comfort[-1]), (rounds[-1], comfort[-1]), xytext=(0, -6),
        textcoords="offset points", ha="center", va="top", color=INK, fontsize=9,
    )  # fmt: skip
    above.margins(y=0.2)
    bars = below.bar(rounds, np.asarray(columns["exchanges"]), color=COLOURS["exchanged"])
    if len(rounds) <= _NAMED_LEVELS:
        below.bar_label(bars, [f"{n:,}" for n in columns["exchanges"]], padding=2, fontsize=9)
    below.set_ylabel("exchanges")
    below.margins(y=0.15)
    below.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    below.set_ylim(bottom=0)
    count_along(below, "round", len(rounds))
    figure.align_ylabels()
    return figure


def success(results: RunResults) -> Figure:
    """Draw nested bars of counts above and rates below, by round."""
    figure, (above, below) = figure_of(4.9, rows=2)
    columns = series.success(results).columns
    rounds = np.asarray(columns["round"], dtype=float)
    for name, label, colour, width in _FUNNEL:
        above.bar(
            rounds, np.asarray(columns[name]), width, color=colour, label=label,
            edgecolor="white", linewidth=0.3, zorder=2,
        )  # fmt: skip
    above.set_yscale("symlog", linthresh=1)
    above.set_ylim(bottom=0)
    above.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    above.set_ylabel("slots")
    legend(above)
    for name, label, mark, colour in (
        ("matches_per_lookup", "matches per lookup", "o", "#0072B2"),
        ("exchanges_per_proposal", "exchanges per proposal", "D", "#009E73"),
    ):
        known = [rate if isinstance(rate, float) else np.nan for rate in columns[name]]
        rates = 100 * np.array(known)
        below.plot(
            rounds, rates, marker=mark, markersize=5, color=colour, label=label, clip_on=False,
            zorder=3,
        )  # fmt: skip
    below.set_ylim(0, 105)
    below.set_ylabel("success (%)")
    legend(below)
    count_along(below, "round", len(rounds))
    if 0 < len(rounds) <= LABELLED_BARS:
        below.set_xticks(rounds)
        below.set_xlim(rounds[0] - 0.6, rounds[-1] + 0.6)
    figure.align_ylabels()
    return figure


def _level_scale(figure: Figure, axes: Axes, deepest: int) -> None:
    """Draw a colour scale, for trees with more levels than there are marks."""
    shades = ListedColormap([level_colour(n, deepest) for n in range(1, deepest + 1)])
    norm = BoundaryNorm(np.arange(0.5, deepest + 1), deepest)
    figure.colorbar(ScalarMappable(norm, shades), ax=axes, label="level of the tree")
