"""The figure of exchange partners: requesters on the left, responders on the right, and bands as
wide as the number of exchanges between them.

Only for traced runs. Many households are grouped by level of the tree, so that the figure stays
legible.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from orchestrator.reporting.figures.data_table import Cell, Table
from orchestrator.reporting.figures.style import INK, Drawing, drawn, figure_of, level_colour
from orchestrator.results.run_results import RunResults

GROUPS_AT_MOST = 12
_GAP = 0.035
"""Distance between two groups, enough for a label, as a share of the height."""
_NODE = 0.025
"""Width of a bar, as a share of the width of the figure."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of households in the order of the tree, by name, and the group of each household."""

    names: tuple[str, ...]
    of: dict[str, int]
    what: str


def partner_drawings(results: RunResults) -> list[Drawing]:
    """Return the figure if the run was traced and has exchanges, else nothing."""
    if not results.exchanges:
        return []
    groups = groups_of(results)
    return [
        drawn(
            name="partners",
            title="Exchange partners",
            caption=f"Requesters on the left and responders on the right, by {groups.what}. The "
            "width of a band is the number of exchanges. The data also has the gains of both "
            "sides (decrease of the squared deviation, kWh²).",
            table=table(results, groups),
            draw=lambda: partners(results, groups),
        )
    ]


def groups_of(results: RunResults) -> Groups:
    """Return one group per household if few took part, else one per level of the tree or range of
    levels."""
    exchanges = results.exchanges or ()
    involved = {row.requester for row in exchanges} | {row.responder for row in exchanges}
    rows = [row for row in results.rows if row.household in involved]
    if len(rows) <= GROUPS_AT_MOST:
        names = tuple(row.household for row in rows)
        return Groups(names, {name: place for place, name in enumerate(names)}, "household")
    levels = sorted({row.level for row in rows})
    parts = np.array_split(levels, min(len(levels), GROUPS_AT_MOST))
    names = tuple(
        f"level {part[0]}" if len(part) == 1 else f"levels {part[0]} to {part[-1]}"
        for part in parts
    )
    place = {int(level): number for number, part in enumerate(parts) for level in part}
    return Groups(names, {row.household: place[row.level] for row in rows}, "level of the tree")


def table(results: RunResults, groups: Groups) -> Table:
    """Return the number of exchanges between each pair of groups with any, and the gains of both
    sides, kWh²."""
    counts = _counts(results, groups)
    gains: dict[tuple[int, int], tuple[float, float]] = {}
    for row in results.exchanges or ():
        pair = groups.of[row.requester], groups.of[row.responder]
        asked, agreed = gains.get(pair, (0.0, 0.0))
        gains[pair] = asked + row.requester_gain, agreed + row.responder_gain
    pairs = sorted(counts)
    columns: dict[str, Sequence[Cell]] = {
        "requester": [groups.names[asked] for asked, _ in pairs],
        "responder": [groups.names[agreed] for _, agreed in pairs],
        "exchanges": [counts[pair] for pair in pairs],
        "requester_gain": [gains[pair][0] for pair in pairs],
        "responder_gain": [gains[pair][1] for pair in pairs],
    }
    return Table(columns)


def partners(results: RunResults, groups: Groups) -> Figure:
    """Draw the bands between the groups, which are in the same order on both sides."""
    figure, (axes,) = figure_of(4.8)
    counts = _counts(results, groups)
    total, number = sum(counts.values()), len(groups.names)
    asked = [sum(n for (one, _), n in counts.items() if one == place) for place in range(number)]
    agreed = [sum(n for (_, one), n in counts.items() if one == place) for place in range(number)]
    scale = (1 - _GAP * (number - 1)) / total
    left, right = _tops(asked, scale), _tops(agreed, scale)
    colours = [level_colour(place + 1, number) for place in range(number)]
    for place, name in enumerate(groups.names):
        for x, tops, sums, side in (
            (0.0, left, asked, "right"),
            (1 - _NODE, right, agreed, "left"),
        ):
            height = sums[place] * scale
            axes.add_patch(
                Rectangle((x, tops[place] - height), _NODE, height, color=colours[place], zorder=3)
            )
            axes.text(
                -0.01 if side == "right" else 1.01,
                tops[place] - height / 2,
                f"{name}  ({sums[place]:,})",
                ha=side,
                va="center",
                fontsize=9,
                color=INK,
            )
    for (one, other), count in sorted(counts.items()):
        height = count * scale
        _band(axes, left[one], end=right[other], height=height, colour=colours[one])
        left[one] -= height
        right[other] -= height
    axes.set_xlim(-0.28, 1.28)
    axes.set_ylim(-0.02, 1.07)
    axes.set_axis_off()
    for x, side, text in ((-0.01, "right", "requested"), (1.01, "left", "accepted")):
        axes.text(x, 1.03, text, ha=side, va="bottom", color=INK, fontweight="bold")
    return figure


def _counts(results: RunResults, groups: Groups) -> Counter[tuple[int, int]]:
    return Counter(
        (groups.of[row.requester], groups.of[row.responder]) for row in results.exchanges or ()
    )


def _tops(sums: Sequence[int], scale: float) -> list[float]:
    """Return the upper end of each group's bar."""
    tops, top = [], 1.0
    for amount in sums:
        tops.append(top)
        top -= amount * scale + _GAP
    return tops


def _band(axes: Axes, start: float, end: float, height: float, colour: str) -> None:
    """Draw a band from a left bar to a right one; its upper edge runs from `start` to `end`."""
    near, far = _NODE, 1 - _NODE
    middle = 0.5
    points = [
        *((near, start), (middle, start), (middle, end), (far, end)),
        *((far, end - height), (middle, end - height), (middle, start - height)),
        *((near, start - height), (near, start)),
    ]
    curve = [Path.CURVE4] * 3
    codes = [Path.MOVETO, *curve, Path.LINETO, *curve, Path.CLOSEPOLY]
    axes.add_patch(PathPatch(Path(points, codes), facecolor=colour, alpha=0.55, linewidth=0))
