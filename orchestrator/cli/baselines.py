"""`coflex baselines`: a run beside what a planner who saw everything could do."""

import csv
import io
from dataclasses import astuple, fields
from importlib.util import find_spec

import typer
from rich.console import Console
from rich.table import Table

from orchestrator.cli.options import with_settings
from orchestrator.publish import publish
from orchestrator.settings import RunSettings
from protocol.errors import InputError

FILE = "baselines.csv"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("baselines")(with_settings(baselines))


def baselines(settings: RunSettings) -> None:
    """Simulate, and compare with centralised planners, swaps and bounds on the same households."""
    for name in ("clarabel", "scipy"):
        if find_spec(name) is None:
            raise InputError(f"baselines need {name}: install the extra, coflex[report]")
    from orchestrator.experiments.yardsticks import Yardstick, yardsticks

    lines = list(yardsticks(settings))
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
    console.print(
        f"\nTable in {settings.out / FILE}", markup=False, highlight=False, soft_wrap=True
    )
