"""The command `coflex`: parsing and printing only.

One module for each group of commands, and one for each group of options that several commands have.
A command ends with status 0 when it is done, 1 if the run failed, 2 for bad input or usage.
"""

import sys

import typer

from orchestrator.cli import (
    baselines,
    conformance,
    doctor,
    keys,
    paper,
    population,
    results,
    run,
    standby,
    status,
    sweep,
    verify,
    version,
)
from protocol.errors import InputError, RunError

app = typer.Typer(
    name="coflex",
    help="Households agree on when to use electricity, without a central planner.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
version.register(app)
run.register(app)
population.register(app)
results.register(app)
verify.register(app)
standby.register(app)
keys.register(app)
doctor.register(app)
conformance.register(app)
sweep.register(app)
baselines.register(app)
paper.register(app)
status.register(app)


def main() -> None:
    """Run the command line; exit with status 1 if a run fails, 2 for bad input or usage."""
    try:
        app()
    except InputError as error:
        print(f"coflex: {error}", file=sys.stderr)
        sys.exit(2)
    except RunError as error:
        print(f"coflex: {error}", file=sys.stderr)
        sys.exit(1)
