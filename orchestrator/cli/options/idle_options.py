"""Refusal of options that have no effect beside others, in commands that start no run.

The options of runs have a table of their own, `scenario/option_effects.py`.
"""

from collections.abc import Iterable

import typer

from protocol.errors import InputError


def refuse_idle(ctx: typer.Context, names: Iterable[str], reason: str) -> None:
    """Raise InputError, with this reason, if one of these options is on the command line.

    The environment of a machine holds for all commands, so an option in it may have no effect.
    """
    for name in names:
        source = ctx.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            option = "--" + name.replace("_", "-")
            raise InputError(f"has no effect: {reason}", field=option)
