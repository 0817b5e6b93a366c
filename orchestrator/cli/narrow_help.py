"""Help on terminals too narrow for a table of options: each option, and its text below it.

Decides the layout alone; typer draws the help of wider terminals.
"""

import re
from shutil import get_terminal_size
from textwrap import fill
from typing import Any

import typer
from typer.core import TyperCommand

_NARROW = 60
"""Columns below which typer's table cuts the names of options."""


class NarrowHelpCommand(TyperCommand):
    """A command whose help is readable at any width."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help as a list if the terminal is narrow."""
        width = get_terminal_size((80, 24)).columns
        if width >= _NARROW:
            super().format_help(ctx, formatter)
            return
        usage = f"Usage: {ctx.command_path} {' '.join(self.collect_usage_pieces(ctx))}"
        parts = [fill(usage, width), fill(" ".join((self.help or "").split()), width)]
        for parameter in self.get_params(ctx):
            names, text = parameter.get_help_record(ctx) or ("", "")
            if names:
                plain = re.sub(r"\s+", " ", text)
                below = fill(plain, width, initial_indent="    ", subsequent_indent="    ")
                parts.append(f"{names}\n{below}")
        print("\n\n".join(parts))


class NarrowHelpApp(typer.Typer):
    """A command line whose commands have help that is readable at any width."""

    def command(self, *args: Any, **kwargs: Any) -> Any:
        """Register a command as typer does."""
        kwargs.setdefault("cls", NarrowHelpCommand)
        return super().command(*args, **kwargs)
