"""`coflex baselines`: compare a run with what a planner with full knowledge could reach."""

import sys
import time
from collections.abc import Iterator
from dataclasses import astuple, fields
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from orchestrator.cli.optional_packages import require
from orchestrator.cli.options.connection_options import MOST_SECONDS
from orchestrator.cli.options.settings_options import with_settings
from orchestrator.cli.results import UNSEEN
from orchestrator.reporting.narrow_tables import print_table
from orchestrator.results.atomic_folder import publish, try_folder
from orchestrator.results.csv_tables import csv_text
from orchestrator.scenario.settings import RunSettings

if TYPE_CHECKING:
    from orchestrator.baselines.baseline_table import Baseline

FILE = "baselines.csv"
HEADS = (
    "stage", "planner", "inefficiency", "comfort", "unfairness", "worse off", "own kWh", "seconds",
)  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("baselines")(with_settings(baselines, "baselines"))


def baselines(
    settings: RunSettings,
    exact_seconds: Annotated[
        float,
        typer.Option(
            min=0,
            max=MOST_SECONDS,
            help="Time limit of the exact search for the best plans; 0: no search.",
        ),
    ] = 10.0,
) -> None:
    """Simulate a run, and compare it with central planners, swaps and bounds for the same
    households."""
    require("the comparison", "clarabel", "pyscipopt", "scipy")
    from orchestrator.baselines.baseline_table import Baseline, compute_baselines

    try_folder(settings.out)
    lines = list(compute_baselines(settings, exact_seconds, clock=time.perf_counter))
    text = csv_text([field.name for field in fields(Baseline)], map(astuple, lines))
    publish(settings.out, {FILE: text.encode()}, seal=FILE)
    rows = []
    stage = ""
    for line in lines:
        values = (line.inefficiency, line.comfort, line.unfairness)
        cells = ["-" if value is None else f"{value:.4g}" for value in values]
        worse, drift = line.households_worse, line.max_energy_drift
        cells += ["" if worse is None else str(worse), "" if drift is None else f"{drift:.3f}"]
        heading = "" if line.stage == stage else line.stage
        rows.append([heading, line.name, *cells, f"{line.seconds:.2g}"])
        stage = line.stage
    # Wide enough that no number is split when the output is not a terminal.
    console = Console() if sys.stdout.isatty() else Console(width=UNSEEN)
    print_table(console, HEADS, rows, texts=HEADS[1:2])
    for line in lines:
        for note in _notes(line):
            console.print(f"\n{note}", highlight=False, soft_wrap=not sys.stdout.isatty())
    console.print(
        f"\nTable in {settings.out / FILE}", markup=False, highlight=False, soft_wrap=True
    )


def _notes(line: "Baseline") -> Iterator[str]:
    """Yield what the table does not say about a line: its proof, and what it would clip."""
    if line.bound is not None and line.objective is not None:
        if line.stage == "planning":
            proof = "proven optimal" if line.gap == 0 else f"gap {line.gap:.1%}"
            reached = f"{line.name}: objective {line.objective:.4g}"
            yield f"{reached}, no selection below {line.bound:.4g} ({proof})"
        elif line.gap:
            yield (
                f"{line.name}: summed squared deviation {line.objective:.4g} kWh^2; a relaxation "
                f"shows that none is below {line.bound:.4g} (gap {line.gap:.2%})"
            )
    if line.clipped_slots:
        yield (
            f"{line.name}: negative consumption where none is preferred in "
            f"{line.clipped_slots:,} household-slots, {line.clipped_kwh:.4g} kWh in all"
        )
