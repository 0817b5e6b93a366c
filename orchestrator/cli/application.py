"""All commands together, and how they end: a status, and one line for any error."""

import sys
from difflib import get_close_matches

import typer

from orchestrator.cli import (
    INTERRUPTED_STATUS,
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
from orchestrator.cli.narrow_help import NarrowHelpApp
from orchestrator.distributed.orchestrator_process import INTERRUPTED
from orchestrator.reporting.printable_text import printable
from protocol.errors import InputError, RunError

FAILED, USAGE = 1, 2

app = NarrowHelpApp(
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


def run_command() -> int:
    """Run the command line; return its exit status. Any error is one line on standard error."""
    try:
        status = app(standalone_mode=False)
    except typer.TyperException as error:
        return _complain(_usage(error), USAGE)
    except InputError as error:
        return _complain(str(error), USAGE)
    except RunError as error:
        if str(error).startswith(INTERRUPTED):
            print(printable(str(error)), file=sys.stderr)
            return INTERRUPTED_STATUS
        return _complain(str(error), FAILED)
    if status == INTERRUPTED_STATUS:
        print(INTERRUPTED, file=sys.stderr)
    return status if isinstance(status, int) else 0


def _complain(message: str, status: int) -> int:
    print(f"error: {printable(message)}", file=sys.stderr)
    return status


def _usage(error: typer.TyperException) -> str:
    """Return a mistake on the command line in the words of our own errors."""
    message = str(getattr(error, "message", error)).strip().rstrip(".")
    message = message.removeprefix("Value error, ")
    ctx, parameter = getattr(error, "ctx", None), getattr(error, "param", None)
    option = getattr(error, "option_name", None)
    if isinstance(error, typer.BadParameter) and parameter is not None:
        name = next((text for text in parameter.opts if text.startswith("--")), parameter.name)
        return f"field {name}: {_decapitalised(message) or 'is needed'}"
    if option is not None and message.startswith("No such option"):
        known = [] if ctx is None else [name for one in ctx.command.params for name in one.opts]
        near = get_close_matches(option, known, n=1)
        advice = f"did you mean {near[0]}?" if near else "see --help"
        return f"field {option}: no such option: {advice}"
    return _decapitalised(message) or "give a command: see --help"


def _decapitalised(text: str) -> str:
    return text[:1].lower() + text[1:]
