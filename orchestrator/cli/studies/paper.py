"""`coflex paper`: repeat the evaluation of the paper."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from orchestrator.cli.optional_packages import require
from orchestrator.cli.options.idle_options import refuse_idle
from orchestrator.cli.progress import counting
from orchestrator.cli.results import UNSEEN
from orchestrator.replication.study_design import FEWER, populations
from orchestrator.reporting.narrow_tables import print_table
from orchestrator.results.atomic_folder import try_folder
from protocol.errors import InputError

HEADS = ("paper", "it says", "measured", "verdict")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("paper")(paper)


def paper(
    ctx: typer.Context,
    dataset: Annotated[
        Path | None, typer.Option(help="Real households: a folder of EPOS plans, or a .npz file.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for runs, figures and the page.")] = Path(
        "paper"
    ),
    runs: Annotated[int, typer.Option(min=1, help="Runs of each kind.")] = 10,
    households: Annotated[
        int, typer.Option(min=0, help="Number of generated households to add; 0 for none.")
    ] = 1_000,
    generated_runs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Runs of each kind with generated households, which take long "
            f"(default: --runs, but at most {FEWER} if --dataset is given).",
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Runs at a time (default: number of cores).")
    ] = None,
    beyond: Annotated[
        bool,
        typer.Option(
            "--beyond",
            help="Add sweeps of what the paper leaves to future work: number of plans, "
            "flexibility, iterations, rounds, children, participants, and exchanges between "
            "iterations.",
        ),
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Only a few small runs, to try the command.")
    ] = False,
) -> None:
    """Repeat the paper's evaluation: its figures 3 to 12, Table III, and a verdict on each of its
    claims. After an interruption, the same command continues with the runs that are left."""
    require("the evaluation", "jinja2", "kneed", "matplotlib", "plotly", "scipy")
    from orchestrator.experiments.interruption import interruptible
    from orchestrator.replication.page import lead, write_page
    from orchestrator.replication.study import evaluate
    from orchestrator.replication.sweeps import evaluate_sweeps

    if dataset is None and not households:
        raise InputError("nothing to run: give --dataset, or --households for generated ones")
    if not households:
        refuse_idle(ctx, ["generated_runs"], "no households are generated with --households 0")
    try_folder(out)
    designs = populations(
        dataset, households, runs=runs, generated_runs=generated_runs, quick=quick
    )
    studies = []
    with interruptible(out / "runs"):
        for design in designs:
            with counting(design.title) as progress:
                at_once = workers or os.cpu_count() or 1
                study = evaluate(design, out / "runs", workers=at_once, progress=progress)
                studies.append(study)
        sweeps = None
        if beyond:
            with counting("sweeps") as progress:
                sweeps = evaluate_sweeps(
                    out / "runs",
                    runs,
                    quick=quick,
                    workers=workers or os.cpu_count() or 1,
                    progress=progress,
                )
    page = write_page(studies, out, sweeps)
    console = Console() if sys.stdout.isatty() else Console(width=UNSEEN)
    for study in studies:
        console.print(f"\n{study.title}\n", style="italic", highlight=False)
        claims = (*study.claims, *study.beyond)
        rows = [[claim.where, claim.says, claim.measured, claim.verdict] for claim in claims]
        print_table(console, HEADS, rows, texts=HEADS[:3])
    console.print(f"\n{lead(studies)}", highlight=False)
    console.print(f"Page in {page}", markup=False, soft_wrap=True, highlight=False)
