"""`coflex show`, `report`, `explain` and `compare`: read the results of finished runs."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.optional_packages import require

UNSEEN = 120
"""Width of a table that is not printed to a terminal, in characters."""
_LEAST_COMPARED = ("d", "runs")
Results = Annotated[Path, typer.Argument(help="Folder with the results of a run.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("show")(show)
    app.command("report")(report)
    app.command("explain")(explain)
    app.command("compare")(compare)


def show(
    results: Results,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON: run.json and the rows of all households.")
    ] = False,
) -> None:
    """Print the results of a run again."""
    from dataclasses import asdict

    from orchestrator.reporting.printable_text import json_text
    from orchestrator.reporting.terminal_summary import print_summary
    from orchestrator.results.result_files import read, record_of

    found = read(results)
    if as_json:
        rows = [
            {name: value for name, value in asdict(row).items() if value is not None}
            for row in found.rows
        ]
        typer.echo(json_text({**record_of(found), "rows": rows}))
    else:
        print_summary(found, results)


def report(
    results: Annotated[Path, typer.Argument(help="Folder with the results of a run or a sweep.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the report (default: report, in the results).")
    ] = None,
) -> None:
    """Write the figures of a run or a sweep (PNG, and CSV of their data) and one page with all of
    them."""
    require("the report", "jinja2", "matplotlib", "plotly")
    from orchestrator.experiments.sweep_page import write_sweep_page
    from orchestrator.reporting.report import write_report
    from orchestrator.results.result_files import REPORT_FOLDER, is_of_a_sweep, read

    folder = out or results / REPORT_FOLDER
    page = (
        write_sweep_page(results, folder)
        if is_of_a_sweep(results)
        else write_report(read(results), folder, results)
    )
    typer.echo(f"Report in {page}")


def explain(
    results: Results,
    household: Annotated[str, typer.Option(help="Id or name of the household.")],
    slot: Annotated[
        int | None, typer.Option(min=0, help="Explain only what happened at this slot.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Explain what a household's proxy did in stage 2 and why, from its own journal."""
    from orchestrator.coordination.placement import host_of
    from orchestrator.reporting.household_explanation import (
        explained,
        find_entries,
        name_of,
        plain,
        print_explanation,
        slot_times,
    )
    from orchestrator.reporting.printable_text import json_text

    explanation = explained(find_entries(results, household, host_of))
    if as_json:
        typer.echo(json_text(plain(explanation, slot)))
    else:
        name = name_of(results, explanation.household)
        print_explanation(explanation, slot, times=slot_times(results), name=name)


def compare(
    results: Annotated[
        list[Path],
        typer.Argument(
            help="Folders of runs or sweeps; runs that differ only by seed count as one "
            "configuration."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for page, figures and table.")] = Path(
        "comparison"
    ),
) -> None:
    """Compare runs or sweeps: their measures with intervals, and the differences between runs with
    the same seed."""
    require("a comparison", "jinja2", "matplotlib", "pandas", "plotly", "pyarrow", "scipy")
    from rich.console import Console

    from orchestrator.experiments.compared_configurations import read_configurations
    from orchestrator.experiments.comparison import compare as compared_with
    from orchestrator.experiments.comparison import conclusion
    from orchestrator.experiments.comparison_page import cells_of, heads_of, write_comparison
    from orchestrator.reporting.narrow_tables import print_table

    configurations = read_configurations(results)
    compared = compared_with(configurations)
    page = write_comparison(configurations, compared, out)
    # Wide enough that no number is split when the output is not a terminal.
    console = Console() if sys.stdout.isatty() else Console(width=UNSEEN)
    heads, rows = heads_of(compared), cells_of(compared)
    print_table(console, heads, rows, texts=heads[:2], least_needed=_LEAST_COMPARED)
    for sentence in conclusion(configurations, compared):
        console.print(f"\n{sentence}", markup=False, highlight=False)
    console.print(f"\nComparison in {page}", markup=False, highlight=False, soft_wrap=True)
