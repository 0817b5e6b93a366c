"""The comparison as a page with figures to be explored, as pictures, and as CSV. Needs no network:
plotly's script lies beside the page.
"""

import csv
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path

from orchestrator.experiments.comparison import Compared, as_rows, conclusion
from orchestrator.experiments.comparison_figures import households_figure, measures_figure
from orchestrator.experiments.comparison_sides import ComparedConfiguration
from orchestrator.reporting.figures.interactive import SCRIPT, TAG, files_of, script, section
from orchestrator.reporting.html_page import document
from orchestrator.results.atomic_folder import publish

PAGE, TABLE = "index.html", "compare.csv"
WORDS = 2
"""So many columns of the table are words, the others numbers."""


def write_comparison(
    sides: Sequence[ComparedConfiguration], compared: Sequence[Compared], folder: Path
) -> Path:
    """Write page, figures and table into `folder`; the page's path. InputError where it cannot be
    written."""
    figures = [measures_figure(sides, compared), households_figure(sides)]
    rows = as_rows(compared)
    heads = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, heads, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    number = sum(len(side.runs) for side in sides)
    lead = f"{number} runs on {len(sides)} {'side' if len(sides) == 1 else 'sides'}"
    parts = [TAG]
    parts += [f"<p>{escape(sentence)}</p>" for sentence in conclusion(sides, compared)]
    parts += [section(own.title, own, live, own.name) for own, live in figures]
    parts += ["<h2>All measures</h2>", _table(compared)]
    files = {
        SCRIPT: script(),
        PAGE: document("coflex: runs compared", lead, parts).encode(),
        TABLE: text.getvalue().encode(),
    }
    for drawing, _ in figures:
        files |= files_of(drawing, drawing.name)
    publish(folder, files, seal=PAGE)
    return folder / PAGE


def heads_of(compared: Sequence[Compared]) -> list[str]:
    """Of the table: what its columns are."""
    heads = ["measure", "side", "runs", "mean [95 %]"]
    if any(line.apart is not None for line in compared):
        heads += ["difference [95 %]", "d"]
    return heads


def cells_of(compared: Sequence[Compared]) -> list[list[str]]:
    """A line for each measure and side; the measure is named in the first of its lines."""
    lines, before = [], ""
    for line in compared:
        cells = ["" if line.measure == before else line.measure, line.side, str(line.runs)]
        before = line.measure
        spread = line.spread
        cells.append(
            f"{line.mean:.4g}" + (f" [{spread.low:.4g}, {spread.high:.4g}]" if spread else "")
        )
        if line.apart is None:
            cells += ["", ""]
        elif line.verdict == "the same":
            cells += ["the same", ""]
        else:
            apart = line.apart
            cells.append(f"{apart.mean:+.3g} [{apart.low:+.3g}, {apart.high:+.3g}]")
            cells.append(f"{apart.effect:.2g}")
        lines.append(cells[: len(heads_of(compared))])
    return lines


def _table(compared: Sequence[Compared]) -> str:
    kinds = ["", "", *['class="number"'] * (len(heads_of(compared)) - WORDS)]

    def row(cells: Sequence[str], tag: str) -> str:
        told = zip(cells, kinds, strict=True)
        return "".join(f"<{tag} {kind}>{escape(cell)}</{tag}>" for cell, kind in told)

    body = "\n".join(f"<tr>{row(cells, 'td')}</tr>" for cells in cells_of(compared))
    head = f"<thead><tr>{row(heads_of(compared), 'th')}</tr></thead>"
    style = "<style>td.number, th.number { white-space: nowrap; }</style>"
    return (
        f'{style}\n<table style="font-size: .85rem">\n{head}\n<tbody>\n{body}\n</tbody>\n</table>'
    )
