"""`coflex sweep`: run every combination of lists of options in parallel, and make one table."""

import inspect
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console

from orchestrator.cli.optional_packages import require
from orchestrator.cli.options.settings_options import shaped
from orchestrator.cli.progress import counting
from orchestrator.cli.results import UNSEEN
from orchestrator.experiments.sweep_grid import NONE, NOT_SWEPT, ONE_VALUE, read_grid
from orchestrator.experiments.sweep_table import SUMMARISED
from orchestrator.reporting.narrow_tables import print_table
from orchestrator.scenario.settings import RunSettings

HEADS = {
    "planned_mean_comfort": "comfort planned",
    "exchanged_mean_comfort": "comfort exchanged",
    "planned_inefficiency": "inefficiency",
    "planned_unfairness": "unfairness planned",
    "exchanged_unfairness": "unfairness exchanged",
}
"""The measures of the summary that are printed, with their headings."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sweep")(_command())


def sweep(
    file: Path | None,
    out: Path,
    *,
    workers: int | None,
    on: Literal["simulation", "bus"],
    replications: int | None,
    options: dict[str, object],
) -> None:
    """Run every combination of lists of options in parallel (--beta 0,0.5 --households 100,200).
    After an interruption, the same command continues with the runs that are left."""
    from orchestrator.experiments.interruption import interruptible
    from orchestrator.experiments.sweep_runs import run_cells
    from orchestrator.experiments.sweep_table import settle_place, summary_of, write_tables

    require("a sweep", "pandas", "pyarrow", "scipy")
    grid = read_grid(file, options, replications)
    cells = grid.cells()
    if workers is None:
        workers = 1 if on == "bus" else os.cpu_count() or 1
    settle_place(out, on)
    with interruptible(out), counting("runs", threads=on != "bus") as show:
        rows = run_cells(
            cells,
            out,
            workers=workers,
            where=on,
            finished=lambda count: show(count, len(cells)),
        )
    rows = [{"replication": row["replication"], "on": on, **row} for row in rows]
    write_tables(out, rows, grid.varied)
    _print(summary_of(rows, grid.varied), out)


def _command() -> Callable[..., None]:
    """Return `sweep` as a command with one option per setting; each option takes a list."""

    def call(
        file: Path | None,
        out: Path,
        workers: int | None,
        on: Literal["simulation", "bus"],
        replications: int | None,
        **options: object,
    ) -> None:
        sweep(
            file,
            out,
            workers=workers,
            on=on,
            replications=replications,
            options=options,
        )

    own: list[tuple[str, Any, Any]] = [
        (
            "file",
            Annotated[Path | None, typer.Argument(help="TOML file of options and lists.")],
            None,
        ),
        ("out", Annotated[Path, typer.Option(help="Folder for the table.")], Path("sweep")),
        (
            "workers",
            Annotated[
                int | None, typer.Option(min=1, help="Runs at a time (default: number of cores).")
            ],
            None,
        ),
        (
            "on",
            Annotated[Literal["simulation", "bus"], typer.Option(help="Where the runs happen.")],
            "simulation",
        ),
        (
            "replications",
            Annotated[
                int | None,
                typer.Option(min=1, help="Runs of each combination, each with its own seed."),
            ],
            None,
        ),
    ]
    taken = {name for name, _, _ in own}
    for name, field in RunSettings.model_fields.items():
        if name in taken:
            continue
        flag = "--" + name.replace("_", "-")
        if name in NOT_SWEPT:  # accepted here, so that the error explains why it cannot vary
            kind: Any = field.annotation
            own.append((name, Annotated[kind | None, typer.Option(flag, hidden=True)], None))
            continue
        text = f"{field.description}" + (" One value." if name in ONE_VALUE else "")
        switch = "true, false or both: " if field.annotation is bool else ""
        own.append((name, Annotated[str | None, typer.Option(flag, help=switch + text)], None))
    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, kind, default in own
    ]
    return shaped(call, parameters, sweep)


def _print(summary: Any, out: Path) -> None:
    """Print the main measures of each combination: mean and half the width of its interval."""
    shown = {name: head for name, head in HEADS.items() if name in summary}
    named = [name for name in summary if not any(str(name).startswith(t) for t in SUMMARISED)]
    heads = [str(name).replace("_", " ") for name in named] + list(shown.values())
    rows = [
        [_option(line[name]) for name in named] + [_cell(line, name) for name in shown]
        for _, line in summary.iterrows()
    ]
    # Wide enough that no number is split when the output is not a terminal.
    console = Console() if sys.stdout.isatty() else Console(width=UNSEEN)
    print_table(console, heads, rows)
    console.print(f"\nFiles in {out}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"A page of them: coflex report {out}", markup=False, highlight=False)


def _option(value: Any) -> str:
    """Return the value of an option as text; pandas may hold a whole number as a float."""
    if value != value:
        return NONE
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _cell(line: Any, name: str) -> str:
    if math.isnan(line[name]):  # for example, if nobody exchanged
        return "-"
    low = line.get(f"{name}_low", math.nan)
    half = (line.get(f"{name}_high", math.nan) - low) / 2
    return f"{line[name]:.4g}" + (f" ±{half:.2g}" if half > 0 else "")
