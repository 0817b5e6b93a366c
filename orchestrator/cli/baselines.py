"""`coflex baselines`: compare a run with what a planner with full knowledge could reach."""

import time
from dataclasses import astuple, fields
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from orchestrator.cli.optional_packages import require
from orchestrator.cli.options.settings_options import with_settings
from orchestrator.results.atomic_folder import publish
from orchestrator.results.csv_tables import csv_text
from orchestrator.scenario.settings import RunSettings

FILE = "baselines.csv"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("baselines")(with_settings(baselines, "baselines"))


def baselines(
    settings: RunSettings,
    exact_seconds: Annotated[
        float,
        typer.Option(
            min=0, help="Time limit of the exact search for the best plans; 0: no search."
        ),
    ] = 10.0,
) -> None:
    """Simulate a run, and compare it with central planners, swaps and bounds for the same
    households."""
    require("the comparison", "clarabel", "pyscipopt", "scipy")
    from orchestrator.baselines.baseline_table import Baseline, compute_baselines

    lines = list(compute_baselines(settings, exact_seconds, clock=time.perf_counter))
    text = csv_text([field.name for field in fields(Baseline)], map(astuple, lines))
    publish(settings.out, {FILE: text.encode()}, seal=FILE)
    table = Table(header_style="bold", show_edge=False)
    for head in ("", "", "inefficiency", "comfort", "unfairness", "seconds"):
        table.add_column(head)
    stage = ""
    for line in lines:
        values = (line.inefficiency, line.comfort, line.unfairness)
        cells = ["-" if value is None else f"{value:.4g}" for value in values]
        heading = "" if line.stage == stage else line.stage
        table.add_row(heading, line.name, *cells, f"{line.seconds:.2g}")
        stage = line.stage
    console = Console()
    console.print(table)
    for line in lines:
        if line.bound is not None:
            proof = "proven optimal" if line.gap == 0 else f"gap {line.gap:.1%}"
            console.print(
                f"\n{line.name}: objective {line.objective:.4g}, "
                f"no selection below {line.bound:.4g} ({proof})",
                highlight=False,
                soft_wrap=True,
            )
    console.print(
        f"\nTable in {settings.out / FILE}", markup=False, highlight=False, soft_wrap=True
    )
