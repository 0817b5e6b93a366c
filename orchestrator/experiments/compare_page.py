"""The comparison of runs as a page with figures, and as CSV."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from orchestrator.experiments.compare import MEASURES, Compared, Side, as_rows, conclusion
from orchestrator.publish import publish
from orchestrator.report.page import document, section, table_of
from orchestrator.report.series import Table
from orchestrator.report.style import COLOURS, Drawing, drawn, figure_of

PAGE, TABLE = "index.html", "compare.csv"
_INKS = [COLOURS[name] for name in ("planned", "exchanged", "unfairness", "preferred", "bound")]
_LINES = ("-", "--", ":", "-.")
_SHOWN = (("planned", "inefficiency"), ("exchanged", "mean_comfort"), ("exchanged", "unfairness"))


def write_comparison(sides: Sequence[Side], compared: Sequence[Compared], folder: Path) -> Path:
    """Write page, figures and table into `folder`; the page's path. InputError where it cannot be
    written."""
    drawings = [_bars(sides, compared), _households(sides)]
    rows = as_rows(compared)
    heads = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, heads, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    lead = f"{sum(len(side.runs) for side in sides)} runs on {len(sides)} sides"
    parts = [f"<p>{conclusion(sides)}</p>", lines_as_html(sides, compared)]
    parts += [section(drawing) for drawing in drawings]
    files = {
        PAGE: document("coflex: runs compared", lead, parts).encode(),
        TABLE: text.getvalue().encode(),
    }
    for drawing in drawings:
        files[f"{drawing.name}.png"] = drawing.png
        files[f"{drawing.name}.csv"] = drawing.table.csv().encode()
    publish(folder, files, seal=PAGE)
    return folder / PAGE


def cells_of(compared: Sequence[Compared], sides: Sequence[Side]) -> list[list[str]]:
    """A line a measure: its name, and for each side what is told of it."""
    lines = []
    for name in MEASURES.values():
        own = {line.side: line for line in compared if line.measure == name}
        if own:
            lines.append([name, *(_cell(own.get(side.name)) for side in sides)])
    return lines


def lines_as_html(sides: Sequence[Side], compared: Sequence[Compared]) -> str:
    """The table of the page."""
    return table_of(["", *(side.name for side in sides)], cells_of(compared, sides))


def _cell(line: Compared | None) -> str:
    if line is None:
        return "-"
    text = f"{line.mean:.4g}"
    if line.spread is not None:
        text += f" [{line.spread.low:.4g}, {line.spread.high:.4g}]"
    if line.apart is None:
        return text
    if not (line.apart.mean or line.apart.low or line.apart.high):
        return f"{text}; the same"
    apart = f"{line.apart.mean:+.3g} [{line.apart.low:+.3g}, {line.apart.high:+.3g}]"
    return f"{text}; {apart}, d {line.apart.effect:.2g}"


def _bars(sides: Sequence[Side], compared: Sequence[Compared]) -> Drawing:
    def draw() -> Figure:
        figure, axes = figure_of(1.4 + 1.9 * len(_SHOWN), len(_SHOWN))
        for place, key in zip(axes, _SHOWN, strict=True):
            for number, side in enumerate(sides):
                own = [c for c in compared if (c.measure, c.side) == (MEASURES[key], side.name)]
                for line in own:
                    error = None
                    if line.spread is not None:
                        below, above = line.mean - line.spread.low, line.spread.high - line.mean
                        error = [[max(below, 0.0)], [max(above, 0.0)]]
                    place.bar(number, line.mean, 0.6, yerr=error, color=_ink(number), capsize=4)
            place.set_ylabel(MEASURES[key].replace(", ", ",\n").replace(" (", "\n("))
        axes[-1].set_xticks(range(len(sides)), [_wrapped(side.name) for side in sides])
        return figure

    caption = "Means over the runs of each side; the lines are 95 % intervals, where there are any."
    table = Table(
        {
            "measure": [line.measure for line in compared],
            "side": [line.side for line in compared],
            "mean": [line.mean for line in compared],
        }
    )
    return drawn("measures", "Measures side by side", caption, table, draw)


def _households(sides: Sequence[Side]) -> Drawing:
    curves = {side.name: _comfort(side) for side in sides}

    def draw() -> Figure:
        figure, (axes,) = figure_of(3.2 + 0.25 * len(curves))
        for number, (name, comfort) in enumerate(curves.items()):
            share = 100 * (np.arange(len(comfort)) + 0.5) / len(comfort)
            line = _LINES[number % len(_LINES)]
            axes.plot(share, comfort, line, color=_ink(number), label=name)
        axes.set_xlabel("share of households, least comfort first (%)")
        axes.set_ylabel("comfort")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)
        return figure

    places = [(name, place) for name in curves for place in range(len(curves[name]))]
    caption = "Comfort at the end of all households of a side's runs, sorted."
    table = Table(
        {
            "side": [name for name, _ in places],
            "place": [place for _, place in places],
            "comfort": [float(curves[name][place]) for name, place in places],
        }
    )
    return drawn("households", "Comfort of the households", caption, table, draw)


def _comfort(side: Side) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Of all households of all runs, rising."""
    ends = [
        1
        - (row.discomfort_planned if row.discomfort_exchanged is None else row.discomfort_exchanged)
        for run in side.runs
        for row in run.rows
    ]
    return np.sort(np.array(ends, float))


def _ink(number: int) -> str:
    return _INKS[number % len(_INKS)]


def _wrapped(name: str) -> str:
    return name.replace(", ", "\n")
