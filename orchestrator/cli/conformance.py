"""`coflex conformance`: test a household that other people have written."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from agents.plans import ScoreMeaning
from agents.population.epos_folder import read_agent
from orchestrator.cli.options.connection_options import MOST_SECONDS, Insecure, Nats
from orchestrator.cli.options.idle_options import refuse_idle
from orchestrator.cli.run import run_id
from orchestrator.distributed.connection import reach
from orchestrator.reporting.wrapped_lines import print_line
from orchestrator.validation.conformance.checks import Check
from orchestrator.validation.conformance.roles import AMOUNTS, BUNDLE, EQUAL, SLOT
from orchestrator.validation.conformance.run import NAME, conform
from protocol.errors import RunError
from protocol.subjects import check_name

TERMS = {"slot": SLOT, "bundle": BUNDLE, "amounts": AMOUNTS}
"""Terms of stage 2 by content."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("conformance")(conformance)


def conformance(
    ctx: typer.Context,
    household: Annotated[str, typer.Option(help="Id of the household to test.")],
    nats: Nats,
    run: Annotated[str | None, typer.Option(help="Id of the run that it joins.")] = None,
    plans: Annotated[
        Path | None,
        typer.Option(
            help="File with its plans, to check its choices: one score:value,value,... per line."
        ),
    ] = None,
    score: Annotated[
        ScoreMeaning, typer.Option(help="What the number before a plan means.")
    ] = "preference",
    exchange: Annotated[
        Literal["mutual", "equal"],
        typer.Option(help="Stage 2: exchange between pairs, or one equal shift of all."),
    ] = "mutual",
    content: Annotated[
        Literal["slot", "bundle", "amounts"],
        typer.Option(help="What changes hands in an exchange."),
    ] = "bundle",
    patience: Annotated[
        float,
        typer.Option(min=1, max=MOST_SECONDS, help="Seconds to wait for each expected message."),
    ] = 30.0,
    insecure: Insecure = False,
) -> None:
    """Test a household of your own against docs/protocol.md; coflex plays all other parts of the
    run. One test takes the household through one kind of stage 2."""
    check_name(household, "--household")
    if plans is None:
        refuse_idle(ctx, ["score"], "it needs --plans")
    if exchange == "equal":
        refuse_idle(ctx, ["content"], "nothing changes hands between pairs in an equal shift")
    known = None if plans is None else read_agent(plans, meaning=score)
    name = run_id(run)
    # We send as every other part, which no set of keys allows: a test server has no keys.
    connection = reach(nats, NAME, None, insecure=insecure)
    print(f"coflex: waiting for {household} in run {name}", file=sys.stderr)
    checks = asyncio.run(
        conform(
            connection,
            run=name,
            household=household,
            plans=known,
            patience=patience,
            exchange=EQUAL if exchange == "equal" else TERMS[content],
        )
    )
    for found in checks.found:
        for line in found.lines:
            print_line(line)
    wrong = [found for found in checks.found if found.passed is False]
    if wrong or not checks.passed:
        raise RunError(_summary(household, wrong))
    print(f"{household} passed {len(checks.found)} checks")


def _summary(household: str, wrong: list[Check]) -> str:
    return f"{household} failed {len(wrong)} checks, the first: {wrong[0].name}"
