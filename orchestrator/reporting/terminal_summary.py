"""The results of a run on a terminal, at the end of `coflex run` and by `coflex show`.

This module decides only the layout: a table that is too wide loses columns, so that no number is
cut. `wording.py` decides what is said.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from orchestrator.reporting.homes.homes_in_words import (
    GROUP_HEADS,
    MOVED_HEADS,
    NOBODY_PAYS,
    group_rows,
    moved_rows,
    who_absorbed,
)
from orchestrator.reporting.limit_wording import feeder_heads, feeder_rows
from orchestrator.reporting.narrow_tables import fitting_columns
from orchestrator.reporting.round_table import ROUND_HEADS, round_lines
from orchestrator.reporting.terminal_plot import Curve, plot
from orchestrator.reporting.wording import (
    by_equal_shift,
    drawn_target,
    exchange_facts,
    exchange_title,
    facts,
    headline,
    home_lines,
    measure_lines,
)
from orchestrator.results.measures import STATE_LABELS
from orchestrator.results.run_results import RunResults

_WIDEST = 100
"""Maximum width of the summary in characters; wider plots show no more."""
_GAP = 4
"""Characters between two plots."""
_LOG_FROM = 20.0
"""A cost that falls by more than this factor is drawn on a logarithmic scale."""
_MANY_ROUNDS = 12
"""With more rounds than this, the table leaves some out, and a plot shows all of them."""
_BESIDE = 64
"""Least width in characters for two plots next to each other, so that neither title is cut."""
_STATES_DROPPED = ("unit", STATE_LABELS["bound"], "preferred")
_ROUNDS_DROPPED = ("MB", "messages", "matched", "looked up")
"""Columns that are left out on a narrow terminal, the least important first."""
_STYLES = {"preferred": "yellow", "planned": "cyan", "exchanged": "green", "target": "magenta"}


def print_summary(results: RunResults, out: Path, console: Console | None = None) -> None:
    """Print a headline, the table of measures, the plots, and the folder with the files.

    The summary fits terminals of at least 40 columns. Without a terminal it has 80 columns and no
    colour.
    """
    console = console or Console()
    width, ascii_only = min(console.width, _WIDEST), console.options.ascii_only
    parts: list[RenderableType] = [
        Text.assemble((f"Run {results.run}", "bold"), f"  {headline(results)}"),
        _pairs(facts(results)),
        _measures(results, width, ascii_only),
        _inefficiency_plot(results, width, ascii_only),
        _demand(results, width, ascii_only),
        *_feeders(results, width),
        *_exchange(results, width, ascii_only),
        *_homes(results, width),
    ]
    for part in parts:
        console.print()
        console.print(part, width=width, highlight=False)
    if (advice := _repeatable(results)) is not None:
        console.print()
        console.print(advice, width=width, highlight=False, style="dim")
    console.print(f"\nFiles in {out}", markup=False, highlight=False, soft_wrap=True)


def _feeders(results: RunResults, width: int) -> list[RenderableType]:
    """Return what the households at each feeder take, if feeders have limits."""
    rows = feeder_rows(results)
    return (
        [Text("Feeders", style="bold"), _lines(feeder_heads(results), rows, width)] if rows else []
    )


def _homes(results: RunResults, width: int) -> list[RenderableType]:
    """Return who absorbed and who gained, if households are homes and exchanged."""
    if results.exchange is None or not results.groups:
        return []
    parts: list[RenderableType] = [Text("Who absorbed, and who gained", style="bold")]
    for heads, rows in ((GROUP_HEADS, group_rows(results)), (MOVED_HEADS, moved_rows(results))):
        if rows:
            parts.append(_lines(heads, rows, width))
    parts += [Text(text) for text in (who_absorbed(results), NOBODY_PAYS) if text]
    return parts


def _lines(heads: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Table:
    """Return a table of the columns that fit; the second column is needed least."""
    table = Table(header_style="bold", show_edge=False, pad_edge=False)
    kept = fitting_columns(heads, rows, width, least_needed=heads[1:2])
    for i in kept:
        table.add_column(heads[i], justify="right" if i else "left")
    for row in rows:
        table.add_row(*(row[i] for i in kept))
    return table


def _repeatable(results: RunResults) -> str | None:
    """Return a hint if repeating the command may give other exchanges, else None."""
    config = results.config
    if results.exchange is None or config.get("execution") != "bus":
        return None
    if config.get("exchange_order") != "concurrent":
        return None
    order = "waves" if config.get("matchmakers") == 1 else "sequential"
    return (
        "On a bus, the order of concurrent exchanges varies from run to run: add "
        f"--exchange-order {order} (slower) to get the same results each time."
    )


def _pairs(pairs: Sequence[tuple[str, str]]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for subject, text in pairs:
        table.add_row(subject, Text(text))
    return table


def _measures(results: RunResults, width: int, ascii_only: bool) -> Table:
    rows = [
        [
            line.name,
            line.unit.replace("²", "^2") if ascii_only else line.unit,
            *line.values.values(),
        ]
        for line in (*measure_lines(results), *home_lines(results))
    ]
    heads = ["", "unit", *(STATE_LABELS.get(state, state) for state in results.states())]
    kept = fitting_columns(heads, rows, width, least_needed=_STATES_DROPPED)
    table = Table(header_style="bold", show_edge=False, pad_edge=False)
    for i in kept:
        style = "dim" if heads[i] == "unit" else _STYLES.get(heads[i], "")
        table.add_column(heads[i], justify="right" if i > 1 else "left", style=style)
    for row in rows:
        table.add_row(*(row[i] for i in kept))
    return table


def _inefficiency_plot(results: RunResults, width: int, ascii_only: bool) -> Text:
    values = np.array([step.inefficiency for step in results.planning_history])
    values = values[np.isfinite(values)]
    if not values.size:
        return Text("Inefficiency is undefined in every iteration")
    low, high = float(values.min()), float(values.max())
    log = low > 0 and high / low > _LOG_FROM
    return plot(
        "Inefficiency by iteration" + (", logarithmic" if log else ""),
        [Curve(values, _STYLES["planned"])],
        width=width,
        height=8,
        limits=(low, high) if log else (min(low, 0.0) if high / 2 > low else low, high),
        log=log,
        ascii_only=ascii_only,
    )


def _demand(results: RunResults, width: int, ascii_only: bool) -> RenderableType:
    """Return two plots with the same scale, of the demand before and after stage 1.

    In one plot, the curves could not be distinguished without colour.
    """
    target = drawn_target(results)
    curves = {k: v for k, v in results.demand.columns().items() if k in ("preferred", "planned")}
    shown = [*curves.values(), *([] if target is None else [target[1]])]
    limits = min(float(c.min()) for c in shown), max(float(c.max()) for c in shown)
    beside = len(curves) if width >= _BESIDE else 1
    panels = []
    for state, values in curves.items():
        lines = [Curve(values, _STYLES[state])]
        if target is not None:
            lines.insert(0, Curve(target[1], _STYLES["target"], dotted=True))
        panels.append(
            plot(
                f"Demand by slot, kWh: {state}",
                lines,
                width=(width - _GAP * (beside - 1)) // beside,
                height=8,
                limits=limits,
                ascii_only=ascii_only,
            )
        )
    below = [] if target is None else [Text(f"dots: {target[0]}", style=_STYLES["target"])]
    return Group(Columns(panels, padding=(0, _GAP)), *below)


def _exchange(results: RunResults, width: int, ascii_only: bool) -> list[RenderableType]:
    """Return stage 2 in words and as a table of rounds, and a plot of comfort if there are many."""
    if results.exchange is None:
        return []
    title = Text(exchange_title(results), style="bold")
    words = Group(title, _pairs(exchange_facts(results)))
    if by_equal_shift(results):
        return [words]
    rows = [line.cells or ("...",) * len(ROUND_HEADS) for line in round_lines(results)]
    kept = fitting_columns(ROUND_HEADS, rows, width, least_needed=_ROUNDS_DROPPED)
    table = Table(header_style="bold", show_edge=False, pad_edge=False)
    for i in kept:
        table.add_column(ROUND_HEADS[i], justify="right")
    for row in rows:
        table.add_row(*(row[i] for i in kept))
    parts: list[RenderableType] = [words, table]
    if len(results.rounds) > _MANY_ROUNDS:
        comfort = np.array([1 - row.mean_discomfort for row in results.rounds])
        parts.append(
            plot(
                "Mean comfort by round",
                [Curve(comfort, _STYLES["exchanged"])],
                width=width,
                height=8,
                limits=(float(comfort.min()), float(comfort.max())),
                ascii_only=ascii_only,
            )
        )
    return parts
