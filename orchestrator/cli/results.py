"""`coflex show` and `coflex report`: the results of a run that is over, seen again."""

from pathlib import Path
from typing import Annotated

import typer

Results = Annotated[Path, typer.Argument(help="Folder with the results of a run.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("show")(show)
    app.command("report")(report)
    app.command("explain")(explain)


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


def explain(
    results: Results,
    household: Annotated[str, typer.Option(help="Its id.")],
    slot: Annotated[int | None, typer.Option(min=0, help="What happened at this slot.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Tell what a household's proxy did in stage 2 and why, from its own journal."""
    import json

    from orchestrator.explained import find_account, plain, print_account

    account = find_account(results, household)
    if as_json:
        typer.echo(json.dumps(plain(account), indent=2, ensure_ascii=False))
    else:
        print_account(account, slot)
