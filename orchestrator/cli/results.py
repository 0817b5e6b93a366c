"""`coflex show` and `coflex report`: the results of a run that is over, seen again."""

from pathlib import Path
from typing import Annotated

import typer

Results = Annotated[Path, typer.Argument(help="Folder with the results of a run.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("show")(show)
    app.command("report")(report)


def show(results: Results) -> None:
    """Print the results of a run again."""
    from orchestrator.results import read
    from orchestrator.summary import print_summary

    print_summary(read(results), results)


def report(
    results: Results,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the report (default: report, in the results).")
    ] = None,
) -> None:
    """Write the figures of a run (PNG, and CSV of what they show) and one page with all of them."""
    from orchestrator.report import write_report
    from orchestrator.results import REPORT_FOLDER, read

    folder = out or results / REPORT_FOLDER
    typer.echo(f"Report in {write_report(read(results), folder)}")
