"""All commands together, and how they end: a status, and one line for any error."""

import sys
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from orchestrator.cli import INTERRUPTED_STATUS, version
from orchestrator.reporting.printable_text import printable
from protocol.errors import INTERRUPTED, InputError, RunError

FAILED, USAGE = 1, 2
MODULES = {
    "run": "run",
    "simulate": "run",
    "orchestrate": "run",
    "generate": "population",
    "convert": "population",
    "show": "results",
    "report": "results",
    "explain": "results",
    "compare": "results",
    "verify": "verify",
    "matchmaker": "standby",
    "host": "standby",
    "keys": "keys",
    "doctor": "doctor",
    "conformance": "conformance",
    "sweep": "sweep",
    "baselines": "baselines",
    "paper": "paper",
    "status": "status",
    "abort": "status",
}
"""Command -> the module of this package that registers it."""


class CommandGroup(TyperGroup):
    """All commands; the module of a command is imported when the command is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands, in the order of the help."""
        return list(MODULES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of this name, or None."""
        if cmd_name in self.commands:
            return self.commands[cmd_name]
        # Of a name that nobody knows the nearest one is sought among all.
        modules = {MODULES[cmd_name]} if cmd_name in MODULES else set(MODULES.values())
        for module in modules:
            part = typer.Typer()
            import_module(f"orchestrator.cli.{module}").register(part)
            self.commands.update(typer.main.get_group(part).commands)
        return self.commands.get(cmd_name)


app = typer.Typer(
    name="coflex",
    cls=CommandGroup,
    help="Households agree on when to use electricity, without a central planner.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
version.register(app)


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
        begin_alike = [name for name in known if name.startswith(option)]
        near = begin_alike or get_close_matches(option, known, n=1)
        advice = f"did you mean {near[0]}?" if near else "see --help"
        return f"field {option}: no such option: {advice}"
    return _decapitalised(message) or "give a command: see --help"


def _decapitalised(text: str) -> str:
    return text[:1].lower() + text[1:]
