"""The application: all commands, their exit status, and one line for any error."""

import sys
from importlib import import_module
from typing import Any

import typer

from orchestrator.cli import INTERRUPTED_STATUS, version
from orchestrator.cli.narrow_help import NarrowHelpApp, NarrowHelpGroup
from orchestrator.reporting.printable_text import printable
from orchestrator.reporting.wrapped_lines import print_line
from orchestrator.scenario.meant_option import meant_command, meant_option
from protocol.checked_input import in_own_style
from protocol.errors import INTERRUPTED, InputError, RunError

FAILED, USAGE = 1, 2
MODULES = {
    "run": "run",
    "simulate": "run",
    "orchestrate": "run",
    "generate": "population",
    "convert": "population",
    "check": "homes",
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
    "paper": "studies.paper",
    "manipulate": "studies.manipulate",
    "study": "studies.study",
    "status": "status",
    "abort": "status",
}
"""Command -> the module of this package that registers it."""


class CommandGroup(NarrowHelpGroup):
    """All commands; the module of a command is imported when the command is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands, in the order of the help."""
        return list(MODULES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of this name, or None."""
        if cmd_name in MODULES and cmd_name not in self.commands:
            part = NarrowHelpApp()
            import_module(f"orchestrator.cli.{MODULES[cmd_name]}").register(part)
            self.commands.update(typer.main.get_group(part).commands)
        return self.commands.get(cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that the words name; InputError for a name that no command has."""
        name = args[0]
        if name in MODULES or name.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        raise InputError(f"no such command {name!r}: {_advice(meant_command(name, MODULES))}")


app = NarrowHelpApp(
    name="coflex",
    cls=CommandGroup,
    help="Households agree on when to use electricity, without a central planner.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
version.register(app)


def run_command() -> int:
    """Run the command line and return its exit status; print any error as one line to stderr."""
    try:
        status = app(standalone_mode=False)
    except typer.TyperException as error:
        return _complain(_usage(error), USAGE)
    except InputError as error:
        return _complain(str(error), USAGE)
    except RunError as error:
        if str(error).startswith(INTERRUPTED):
            print_line(printable(str(error)), error=True)
            return INTERRUPTED_STATUS
        return _complain(str(error), FAILED)
    if status == INTERRUPTED_STATUS:
        print(INTERRUPTED, file=sys.stderr)
    return status if isinstance(status, int) else 0


def _complain(message: str, status: int) -> int:
    print_line(f"error: {printable(message)}", error=True)
    return status


def _usage(error: typer.TyperException) -> str:
    """Return the message of a usage error in the style of our own errors."""
    message = in_own_style(str(getattr(error, "message", error)))
    ctx, parameter = getattr(error, "ctx", None), getattr(error, "param", None)
    option = getattr(error, "option_name", None)
    if isinstance(error, typer.BadParameter) and parameter is not None:
        name = next((text for text in parameter.opts if text.startswith("--")), parameter.name)
        return f"field {name}: {message or 'is required'}"
    if option is not None and message.startswith("no such option"):
        known = [] if ctx is None else [name for one in ctx.command.params for name in one.opts]
        meant = meant_option(option, known)
        return f"field {option}: no such option: {_advice(meant)}"
    return message or "give a command: see --help"


def _advice(meant: str | None) -> str:
    return f"did you mean {meant}?" if meant else "see --help"
