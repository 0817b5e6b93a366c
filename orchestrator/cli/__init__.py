"""The command `coflex`: parsing and printing only. One module for each group of commands."""

import sys

import typer

from orchestrator.cli import (
    baselines,
    conformance,
    doctor,
    keys,
    paper,
    results,
    run,
    status,
    sweep,
    verify,
)
from orchestrator.cli import population as generate
from orchestrator.cli import standby as parts
from protocol.errors import InputError, RunError

app = typer.Typer(
    name="coflex",
    help="Households agree on when to use electricity, without a central planner.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
run.register(app)
generate.register(app)
results.register(app)
verify.register(app)
parts.register(app)
keys.register(app)
doctor.register(app)
conformance.register(app)
sweep.register(app)
baselines.register(app)
paper.register(app)
status.register(app)


def main() -> None:
    """Run the command line; 0 done, 1 the run failed, 2 bad input or usage."""
    try:
        app()
    except InputError as error:
        print(f"coflex: {error}", file=sys.stderr)
        sys.exit(2)
    except RunError as error:
        print(f"coflex: {error}", file=sys.stderr)
        sys.exit(1)
