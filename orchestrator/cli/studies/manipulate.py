"""`coflex manipulate`: what a household would gain if it lied in stage 2, and what others would
pay."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from orchestrator.cli.optional_packages import require
from orchestrator.cli.progress import counting
from orchestrator.cli.results import UNSEEN
from orchestrator.manipulation.lies import CASES, Rule
from orchestrator.reporting.narrow_tables import print_table
from orchestrator.results.atomic_folder import publish, try_folder
from orchestrator.results.csv_tables import csv_text
from orchestrator.scenario.settings import settings_from
from protocol.errors import InputError

if TYPE_CHECKING:
    from orchestrator.manipulation.summary import CaseSummary

MOST_LIES = 1_000_000
SUMMARY, LIES, TRIALS = "manipulation.json", "lies.csv", "trials.csv"
HEADS = (
    *("rule", "comfort", "lies tried", "pay", "best lie on average", "gain %", "others, kWh"),
    "in hindsight %",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("manipulate")(manipulate)


def manipulate(
    dataset: Annotated[
        Path | None, typer.Option(help="Folder of EPOS plan files, or a .npz file.")
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Generate households.")] = False,
    households: Annotated[
        int | None, typer.Option(min=2, help="Take the first N households (generated: default 30).")
    ] = None,
    slots: Annotated[
        int | None, typer.Option(min=1, help="Slots of generated households (default 144).")
    ] = None,
    iterations: Annotated[int, typer.Option(min=1, help="Iterations of stage 1.")] = 50,
    beta: Annotated[float, typer.Option(min=0, max=1, help="Weight of own discomfort.")] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first replication.")] = 0,
    rule: Annotated[
        Rule | None, typer.Option(help="Try lies under this rule only (default: all).")
    ] = None,
    content: Annotated[
        Literal["slot", "bundle", "amounts"] | None,
        typer.Option(help="Try lies about this content only (default: all)."),
    ] = None,
    sample: Annotated[int, typer.Option(min=1, help="Households that lie, one at a time.")] = 10,
    random_lies: Annotated[
        int,
        typer.Option(
            "--random", min=0, max=MOST_LIES, help="Wishes at random that each of them tries."
        ),
    ] = 5,
    replications: Annotated[int, typer.Option(min=1, help="Runs, each with its own seed.")] = 1,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes (default: number of cores).")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for tables and figure.")] = Path("manipulation"),
) -> None:
    """Let a sample of households lie in stage 2, one at a time and in many ways, and say what they
    gain by it and what it costs the others."""
    require("the comparison", "matplotlib", "scipy")
    from orchestrator.manipulation.summary import (
        LIE_COLUMNS,
        TRIAL_COLUMNS,
        case_record,
        lie_row,
        price_of_truth,
        summarise,
        trial_row,
    )
    from orchestrator.manipulation.trials import run_trials

    cases = [
        case for case in CASES if rule in (None, case.rule) and content in (None, case.content)
    ]
    if not cases:
        known = "; ".join(case.name for case in CASES)
        raise InputError(f"{rule} does not exchange {content}: try {known}", field="--rule")
    if slots is not None and dataset is not None:
        raise InputError("has no effect: the data set sets the number of slots", field="--slots")
    options = {
        "dataset": dataset,
        "demo": demo or None,
        "households": 30 if households is None and demo else households,
        "slots": slots,
        "iterations": iterations,
        "beta": beta,
        "seed": seed,
    }
    settings = settings_from(options)
    try_folder(out)
    with counting("households") as show:
        tried = run_trials(
            settings,
            cases,
            sample=sample,
            replications=replications,
            random_lies=random_lies,
            workers=workers,
            finished=show,
        )
    summaries, lies = summarise(tried)
    figure = price_of_truth(summaries).picture()
    record = {
        "options": {name: value if value is None else str(value) for name, value in options.items()}
        | {"sample": sample, "random": random_lies, "replications": replications},
        "cases": [case_record(case) for case in summaries],
    }
    trials = [trial for each in tried for trial in each.trials]
    publish(
        out,
        {
            LIES: csv_text(LIE_COLUMNS, map(lie_row, lies)).encode(),
            TRIALS: csv_text(TRIAL_COLUMNS, map(trial_row, trials)).encode(),
            SUMMARY: (json.dumps(record, indent=2) + "\n").encode(),
            f"{figure.name}.svg": figure.svg,
            f"{figure.name}.png": figure.png,
            f"{figure.name}.csv": figure.table.csv().encode(),
        },
        seal=SUMMARY,
    )
    # Wide enough that no number is split when the output is not a terminal.
    console = Console() if sys.stdout.isatty() else Console(width=UNSEEN)
    print_table(console, HEADS, [_cells(case) for case in summaries], texts=("rule", HEADS[4]))
    console.print(f"\nFiles in {out}", markup=False, highlight=False, soft_wrap=True)


def _cells(case: "CaseSummary") -> list[str]:
    best = case.best
    half = best.gain_share_interval
    gain = f"{100 * best.gain_share:.2g}" + (
        "" if half is None else f" [{100 * half.low:.2g}, {100 * half.high:.2g}]"
    )
    return [
        case.case.name,
        f"{case.comfort:.4f}",
        f"{case.tried:,}",
        f"{case.profitable:,}",
        best.lie,
        gain,
        f"{best.cost_kwh:.2g}",
        f"{100 * case.hindsight_share:.2g}",
    ]
