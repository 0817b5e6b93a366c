"""`coflex study`: what homes with devices gain, beside other contents and a central planner."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from agents.population.homes import holds_homes
from orchestrator.cli.optional_packages import require
from orchestrator.cli.results import UNSEEN
from orchestrator.reporting.narrow_tables import print_table
from orchestrator.results.atomic_folder import try_folder
from protocol.errors import InputError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("study")(study)


def study(
    homes: Annotated[Path, typer.Argument(help="Homes: a .json or .toml file, or a folder.")],
    out: Annotated[Path, typer.Option(help="Folder for tables, figures and the page.")] = Path(
        "study"
    ),
    swaps: Annotated[
        int, typer.Option(min=1, max=100_000, help="Single-slot swaps to ask devices about.")
    ] = 700,
    seconds: Annotated[
        float, typer.Option(min=1, max=86_400, help="Time limit of each central plan.")
    ] = 60.0,
    rounds: Annotated[
        int, typer.Option(min=1, max=1_000, help="Largest number of rounds of each exchange.")
    ] = 3,
) -> None:
    """Study homes: what their devices can follow, what each content of the exchange reaches, which
    stores it needs, and how far a planner with full knowledge would come."""
    if not homes.exists():
        raise InputError("no such file or folder", file=homes)
    if not holds_homes(homes):
        raise InputError("expected homes: a .json or .toml file, or a folder of them", file=homes)
    require("the study", "jinja2", "matplotlib", "plotly", "scipy")
    from orchestrator.experiments.homes.study import StudyDesign
    from orchestrator.experiments.homes.study import study as answered
    from orchestrator.experiments.homes.study_page import write_study

    try_folder(out)
    console = Console() if sys.stdout.isatty() else Console(width=UNSEEN)
    design = StudyDesign(dataset=homes, swaps=swaps, seconds=seconds, rounds=rounds)
    questions = answered(design, lambda title: print(f"coflex: {title}", file=sys.stderr))
    page = write_study(questions, str(homes), out)
    for question in questions:
        console.print(f"\n{question.title}\n", style="italic", highlight=False)
        rows = [[str(cell) for cell in row] for row in question.rows]
        print_table(console, question.heads, rows, texts=question.heads[:1])
    console.print(f"\nPage in {page}", markup=False, soft_wrap=True, highlight=False)
