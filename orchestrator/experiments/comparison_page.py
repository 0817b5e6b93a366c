"""The comparison as a page with interactive figures, as pictures, and as CSV files.

This module decides the layout of the tables. The page needs no network: plotly's script is in a
file next to it.
"""

from collections.abc import Sequence
from pathlib import Path

from orchestrator.experiments.compared_configurations import ComparedConfiguration
from orchestrator.experiments.comparison import ComparedMeasure, as_rows, conclusion
from orchestrator.experiments.comparison_figures import households_chart, measures_chart
from orchestrator.reporting.figures.interactive import SCRIPT, files_of, script
from orchestrator.reporting.html_page import PlacedFigure, render
from orchestrator.reporting.number_wording import counted
from orchestrator.results.atomic_folder import publish
from orchestrator.results.csv_tables import csv_text

PAGE, TABLE = "index.html", "compare.csv"


def write_comparison(
    configurations: Sequence[ComparedConfiguration],
    compared: Sequence[ComparedMeasure],
    folder: Path,
) -> Path:
    """Write page, figures and table into `folder` and return the path of the page.

    Raises InputError if the folder cannot be written.
    """
    charts = [measures_chart(configurations, compared), households_chart(configurations)]
    figures = [PlacedFigure.of(chart, name=chart.name, title=chart.title) for chart in charts]
    rows = as_rows(compared)
    heads = list(dict.fromkeys(name for row in rows for name in row))
    runs = sum(len(own.runs) for own in configurations)
    html = render(
        "experiments/comparison.html.j2",
        title="coflex: runs compared",
        lead=f"{counted(runs, 'run')} of {counted(len(configurations), 'configuration')}",
        sentences=conclusion(configurations, compared),
        figures=figures,
        heads=heads_of(compared),
        lines=cells_of(compared),
    )
    files = {
        SCRIPT: script(),
        PAGE: html.encode(),
        TABLE: csv_text(heads, [[row.get(head) for head in heads] for row in rows]).encode(),
    }
    for figure in figures:
        files |= files_of(figure.drawing, figure.name)
    publish(folder, files, seal=PAGE)
    return folder / PAGE


def heads_of(compared: Sequence[ComparedMeasure]) -> list[str]:
    """Return the headings of the table's columns."""
    heads = ["measure", "configuration", "runs", "mean [95 %]"]
    if any(line.difference is not None for line in compared):
        heads += ["difference [95 %]", "d"]
    return heads


def cells_of(compared: Sequence[ComparedMeasure]) -> list[list[str]]:
    """Return one line per measure and configuration; only the first line of a measure names it."""
    lines, before = [], ""
    for line in compared:
        measure = "" if line.measure == before else line.measure
        before = line.measure
        cells = [measure, line.configuration, str(line.runs)]
        spread = line.interval
        cells.append(
            f"{line.mean:.4g}" + (f" [{spread.low:.4g}, {spread.high:.4g}]" if spread else "")
        )
        found = line.difference
        if found is None:
            cells += ["", ""]
        elif line.verdict == "the same":
            cells += ["the same", ""]
        else:
            cells.append(f"{found.mean:+.3g} [{found.low:+.3g}, {found.high:+.3g}]")
            cells.append(f"{found.effect:.2g}")
        lines.append(cells[: len(heads_of(compared))])
    return lines
