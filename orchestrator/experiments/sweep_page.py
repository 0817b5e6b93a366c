"""The page of a sweep: its measures over the option that varies most, and the table of all
combinations.

It reads summary.csv alone. `sweep_table` decides what a sweep records, and
`reporting.figures.chart` how charts look.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestrator.experiments.sweep_table import SUMMARISED, SUMMARY
from orchestrator.reporting.figures.chart import Chart, Panel, Series
from orchestrator.reporting.figures.interactive import SCRIPT, files_of, script
from orchestrator.reporting.html_page import PlacedFigure, render
from orchestrator.reporting.number_wording import counted
from orchestrator.results.atomic_folder import publish
from protocol.errors import InputError

PAGE = "index.html"
_RUNS = "runs"
_PANELS = (
    ("mean comfort (1: as preferred)", "mean_comfort", ("planned", "exchanged")),
    ("inefficiency of the global plan", "inefficiency", ("planned",)),
    ("unfairness (kWh)", "unfairness", ("planned", "exchanged")),
)
"""Label, measure and states of each panel."""
_MOST_LINES = 4
"""Combinations of the other options that are still told apart as lines; more are rows instead."""

Line = Mapping[str, str]
"""A line of summary.csv: one combination."""


def write_sweep_page(sweep: Path, folder: Path) -> Path:
    """Write the page of a finished sweep, with its figure, into `folder`; return its path.

    Raises InputError if the sweep is not finished, or if the folder cannot be written.
    """
    lines = _read(sweep / SUMMARY)
    names = list(lines[0])
    varied = names[: names.index(_RUNS)]
    measures = [name for name in SUMMARISED if name in names]
    chart = _chart(lines, varied)
    runs = sum(int(line[_RUNS]) for line in lines)
    html = render(
        "experiments/sweep.html.j2",
        title="coflex: a sweep",
        lead=f"{counted(runs, 'run')} of {counted(len(lines), 'combination')} of options",
        sentences=[_varied_sentence(lines, varied)],
        figures=[PlacedFigure.of(chart, name=chart.name, title=chart.title)],
        heads=[name.replace("_", " ") for name in [*varied, _RUNS, *measures]],
        lines=[
            [*(_option(line[name]) for name in varied), line[_RUNS]]
            + [_cell(line, name) for name in measures]
            for line in lines
        ],
        words=max(1, len(varied)),
    )
    files = {SCRIPT: script(), PAGE: html.encode(), **files_of(chart.picture(), chart.name)}
    publish(folder, files, seal=PAGE)
    return folder / PAGE


def _read(file: Path) -> list[Line]:
    try:
        lines: list[Line] = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))
    except FileNotFoundError:
        reason = "no such file: the sweep is not finished; the same command continues it"
        raise InputError(reason, file=file) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", file=file) from error
    if not lines or _RUNS not in lines[0] or None in lines[0].values():
        raise InputError("not the summary of a sweep", file=file)
    return lines


def _varied_sentence(lines: Sequence[Line], varied: Sequence[str]) -> str:
    if not varied:
        return "No option varied: all runs differ by their seeds only."
    parts = [f"{name} {', '.join(_values(lines, name))}" for name in varied]
    return f"What varied: {'; '.join(parts)}."


def _values(lines: Sequence[Line], name: str) -> list[str]:
    return list(dict.fromkeys(_option(line[name]) for line in lines))


def _chart(lines: Sequence[Line], varied: Sequence[str]) -> Chart:
    """Return the measures over the option with the most values if they are numbers, else with one
    row per combination."""
    numeric = [name for name in varied if all(_is_number(line[name]) for line in lines)]
    across = max(numeric, key=lambda name: len(_values(lines, name)), default=None)
    others = [name for name in varied if name != across]
    names = list(dict.fromkeys(_named(line, others) for line in lines))
    if across is None or len(names) > _MOST_LINES:
        return _chart_of_rows(lines, varied)
    panels = []
    for label, measure, states in _PANELS:
        series = []
        for number, name in enumerate(names):
            own = [line for line in lines if _named(line, others) == name]
            own.sort(key=lambda line: float(line[across]))
            for state in states:
                points = [line for line in own if _is_number(line.get(f"{state}_{measure}", ""))]
                if not points:
                    continue
                series.append(
                    Series(
                        name=f"{state}, {name}" if name else state,
                        x=[float(line[across]) for line in points],
                        y=[float(line[f"{state}_{measure}"]) for line in points],
                        mark="joined",
                        low=_ends(points, f"{state}_{measure}", "low"),
                        high=_ends(points, f"{state}_{measure}", "high"),
                        ink=2 * number + (state == "exchanged"),
                    )
                )
        if series:
            panels.append(Panel(title="", x_label=across, y_label=label, series=series))
    return _charted(panels, f"Measures over {across}", height=2.8)


def _chart_of_rows(lines: Sequence[Line], varied: Sequence[str]) -> Chart:
    rows = [_named(line, varied) or "all runs" for line in lines]
    panels = []
    for label, measure, states in _PANELS:
        series = []
        for number, state in enumerate(states):
            column = f"{state}_{measure}"
            places = [i for i, line in enumerate(lines) if _is_number(line.get(column, ""))]
            if not places:
                continue
            points = [lines[i] for i in places]
            series.append(
                Series(
                    name=state,
                    x=[float(line[column]) for line in points],
                    y=[i + 0.24 * (number - (len(states) - 1) / 2) for i in places],
                    mark="dots",
                    low=_ends(points, column, "low"),
                    high=_ends(points, column, "high"),
                    ink=2 * number,
                )
            )
        if series:
            panels.append(Panel(title="", x_label=label, y_label="", series=series, rows=rows))
    return _charted(panels, "Measures by combination", height=0.85 + 0.25 * len(rows))


def _charted(panels: Sequence[Panel], title: str, *, height: float) -> Chart:
    return Chart(
        name="sweep",
        title=title,
        caption="Means over the runs of each combination. Lines are 95 % intervals, if there are "
        "three runs or more.",
        panels=panels,
        height=height,
        legend="above",
    )


def _ends(points: Sequence[Line], column: str, end: str) -> list[float]:
    """Return the lower or upper ends of the intervals; the mean where there is no interval."""
    return [float(line.get(f"{column}_{end}") or line[column]) for line in points]


def _named(line: Line, options: Sequence[str]) -> str:
    return ", ".join(f"{name} {_option(line[name])}" for name in options)


def _option(text: str) -> str:
    """Return an option's value as text; pandas may have written a whole number as a float."""
    return text.removesuffix(".0") or "none"


def _cell(line: Line, name: str) -> str:
    if not _is_number(line[name]):
        return "-"
    low, high = line.get(f"{name}_low"), line.get(f"{name}_high")
    spread = f" [{float(low):.4g}, {float(high):.4g}]" if low and high else ""
    return f"{float(line[name]):.4g}{spread}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
