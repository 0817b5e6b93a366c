"""`coflex sweep`: every combination of lists of options, run in parallel, in one table."""

import inspect
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from orchestrator.experiments.table import TOLD
from orchestrator.extras import require
from orchestrator.settings import RunSettings
from protocol.errors import RunError

_NOT_SWEPT = {"out", "run", "nats", "keys", "insecure", "external", "deadline", "trace"}
"""Options that change nothing in the outcome of a run."""


HEADS = {
    "planned_mean_comfort": "comfort planned",
    "exchanged_mean_comfort": "exchanged",
    "planned_inefficiency": "inefficiency",
    "planned_unfairness": "unfairness planned",
    "exchanged_unfairness": "exchanged",
}
"""Of the measures in the summary those that are printed."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sweep")(_command())


def sweep(
    file: Path | None,
    out: Path,
    workers: int | None,
    on: Literal["simulation", "bus"],
    replications: int | None,
    options: dict[str, str | None],
) -> None:
    """Run the grid, or what is left of it, and write its table."""
    from orchestrator.experiments.cells import run_cells
    from orchestrator.experiments.grid import read_grid
    from orchestrator.experiments.table import summary_of, write_tables

    require("a sweep", "pandas", "pyarrow", "scipy")
    grid = read_grid(file, options, replications)
    cells = grid.cells()
    if workers is None:
        workers = 1 if on == "bus" else os.cpu_count() or 1
    try:
        with _progress(len(cells)) as finished:
            rows = run_cells(cells, out, workers=workers, where=on, finished=finished)
    except KeyboardInterrupt:
        raise RunError("interrupted; the same command goes on with what is left") from None
    write_tables(out, rows, grid.varied)
    _print(summary_of(rows, grid.varied), out)


def _command() -> Callable[..., None]:
    """`sweep` as a command with one option for each setting, every one of them a list."""

    def call(
        file: Path | None,
        out: Path,
        workers: int | None,
        on: Literal["simulation", "bus"],
        replications: int | None,
        **options: str | None,
    ) -> None:
        sweep(file, out, workers, on, replications, options)

    own: list[tuple[str, Any, Any]] = [
        (
            "file",
            Annotated[Path | None, typer.Argument(help="TOML file of options and lists.")],
            None,
        ),
        ("out", Annotated[Path, typer.Option(help="Folder for the table.")], Path("sweep")),
        (
            "workers",
            Annotated[int | None, typer.Option(min=1, help="Runs at a time (default: cores).")],
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
                int | None, typer.Option(min=1, help="Runs of each combination, own seeds each.")
            ],
            None,
        ),
    ]
    for name, field in RunSettings.model_fields.items():
        if name in _NOT_SWEPT:
            continue
        switch = "true, false or both: " if field.annotation is bool else ""
        option = typer.Option("--" + name.replace("_", "-"), help=f"{switch}{field.description}")
        own.append((name, Annotated[str | None, option], None))
    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, kind, default in own
    ]
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {p.name: p.annotation for p in parameters}
    call.__name__ = "sweep"
    call.__doc__ = (
        "Run every combination of lists of options (--beta 0,0.5 --households 100,200), in "
        "parallel; interrupted, the same command goes on with what is left."
    )
    return call


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    columns = (
        TextColumn("runs"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bars:
        task = bars.add_task("runs", total=total)

        def finished(count: int) -> None:
            bars.update(task, completed=count)

        yield finished


def _print(summary: Any, out: Path) -> None:
    """The main measures of each combination: mean, and half the width of its interval."""
    told = {name: head for name, head in HEADS.items() if name in summary}
    named = [name for name in summary if not any(str(name).startswith(t) for t in TOLD)]
    table = Table(header_style="bold", show_edge=False)
    for head in [str(name).replace("_", " ") for name in named] + list(told.values()):
        table.add_column(head)
    for _, line in summary.iterrows():
        cells = [str(line[name]) for name in named]
        for name in told:
            low = line.get(f"{name}_low", line[name])
            half = (line.get(f"{name}_high", line[name]) - low) / 2
            cells.append(f"{line[name]:.4g}" + (f" ±{half:.2g}" if half > 0 else ""))
        table.add_row(*cells)
    console = Console()
    console.print(table)
    console.print(f"\nFiles in {out}", markup=False, highlight=False, soft_wrap=True)
