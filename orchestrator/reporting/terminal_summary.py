"""The results of a run in a terminal: at the end of `coflex run`, and again by `coflex show`.

Decides the layout only: a table that is too wide loses columns, so that no number is cut. What is
told is decided in wording.py.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.cells import cell_len
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from orchestrator.reporting.terminal_plot import Curve, plot
from orchestrator.reporting.wording import (
    ROUND_HEADS,
    drawn_target,
    exchange_facts,
    facts,
    headline,
    measure_lines,
    of_bundles,
    round_lines,
)
from orchestrator.results.run_results import RunResults

_WIDEST = 100
"""Wider plots tell no more."""
_GAP = 4
_LOG_FROM = 20.0
"""A course that falls by more than this factor is drawn on a logarithmic scale."""
_MANY_ROUNDS = 12
"""More than the table of rounds can show."""
_BESIDE = 60
"""Columns from which on two plots stand beside each other."""
_BETWEEN = 3
"""Columns between two columns of a table."""
_STATES_DROPPED = ("unit", "bound", "preferred")
_ROUNDS_DROPPED = ("MB", "messages", "matched", "looked up")
"""Columns that a narrow terminal does not show, the least needed first."""
_STYLES = {"preferred": "yellow", "planned": "cyan", "exchanged": "green", "target": "magenta"}


def print_summary(results: RunResults, out: Path, console: Console | None = None) -> None:
    """Print what ran, the table of measures, the plots, and where the files are.

    Fits the terminal from 40 columns on, and 80 columns without one; then there is no colour.
    """
    console = console or Console()
    width, ascii_only = min(console.width, _WIDEST), console.options.ascii_only
    parts: list[RenderableType] = [
        Text.assemble((f"Run {results.run}", "bold"), f"  {headline(results)}"),
        _pairs(facts(results)),
        _measures(results, width, ascii_only),
        _course(results, width, ascii_only),
        _demand(results, width, ascii_only),
        *_exchange(results, width, ascii_only),
    ]
    for part in parts:
        console.print()
        console.print(part, width=width, highlight=False)
    if (advice := _repeatable(results)) is not None:
        console.print()
        console.print(advice, width=width, highlight=False, style="dim")
    console.print(f"\nFiles in {out}", markup=False, highlight=False, soft_wrap=True)


def _repeatable(results: RunResults) -> str | None:
    """Return what to add so that the same command gives the same exchanges; None if it does."""
    config = results.config
    if results.exchange is None or config.get("execution") != "bus":
        return None
    if config.get("exchange_order") != "concurrent":
        return None
    order = "waves" if config.get("matchmakers") == 1 else "sequential"
    return (
        "On a bus the order of concurrent exchanges varies from run to run: add "
        f"--exchange-order {order} (slower) for the same bytes each time."
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
        for line in measure_lines(results)
    ]
    heads = ["", "unit", *results.states()]
    kept = _fitting(heads, rows, width, least_needed=_STATES_DROPPED)
    table = Table(header_style="bold", show_edge=False, pad_edge=False)
    for i in kept:
        style = "dim" if heads[i] == "unit" else _STYLES.get(heads[i], "")
        table.add_column(heads[i], justify="right" if i > 1 else "left", style=style)
    for row in rows:
        table.add_row(*(row[i] for i in kept))
    return table


def _fitting(
    heads: Sequence[str], rows: Sequence[Sequence[str]], width: int, *, least_needed: Sequence[str]
) -> list[int]:
    """Return the columns that fit into `width` side by side; those named first in `least_needed`
    go first."""
    needed = [max(cell_len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    kept = list(range(len(heads)))
    for name in least_needed:
        if sum(needed[i] + _BETWEEN for i in kept) - _BETWEEN <= width:
            break
        kept = [i for i in kept if heads[i] != name]
    return kept


def _course(results: RunResults, width: int, ascii_only: bool) -> Text:
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
    """Return the demand before and after on one scale, each in a plot of its own, so that they are
    told apart without colour too."""
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
    """Return stage 2 in words, round by round, and its comfort as a curve over many rounds."""
    if results.exchange is None:
        return []
    rows = [line.cells or ("...",) * len(ROUND_HEADS) for line in round_lines(results)]
    kept = _fitting(ROUND_HEADS, rows, width, least_needed=_ROUNDS_DROPPED)
    table = Table(header_style="bold", show_edge=False, pad_edge=False)
    for i in kept:
        table.add_column(ROUND_HEADS[i], justify="right")
    for row in rows:
        table.add_row(*(row[i] for i in kept))
    title = "Exchange of bundles" if of_bundles(results) else "Slot exchange"
    parts: list[RenderableType] = [
        Group(Text(title, style="bold"), _pairs(exchange_facts(results))),
        table,
    ]
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
