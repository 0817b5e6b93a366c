"""`coflex baselines`: a run beside what a planner who saw everything could do."""

import csv
import io
from dataclasses import astuple, fields
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from orchestrator.cli.optional_packages import require
from orchestrator.cli.settings_options import with_settings
from orchestrator.results.atomic_folder import publish
from orchestrator.scenario.settings import RunSettings

FILE = "baselines.csv"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("baselines")(with_settings(baselines))


def baselines(
    settings: RunSettings,
    exact_seconds: Annotated[
        float,
        typer.Option(min=0, help="End the search for the best selection of all; 0: no search."),
    ] = 10.0,
) -> None:
    """Simulate, and compare with centralised planners, swaps and bounds on the same households."""
    require("the comparison", "clarabel", "pyscipopt", "scipy")
    from orchestrator.baselines.baseline_table import Yardstick, yardsticks

    lines = list(yardsticks(settings, exact_seconds))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(Yardstick)])
    writer.writerows(["" if cell is None else cell for cell in astuple(line)] for line in lines)
    publish(settings.out, {FILE: text.getvalue().encode()}, seal=FILE)
    table = Table(header_style="bold", show_edge=False)
    for head in ("", "", "inefficiency", "comfort", "unfairness", "seconds"):
        table.add_column(head)
    stage = ""
    for line in lines:
        told = (line.inefficiency, line.comfort, line.unfairness)
        cells = ["-" if value is None else f"{value:.4g}" for value in told]
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
