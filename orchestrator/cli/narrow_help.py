"""Help on terminals too narrow for a table of options: each option, and its text below it.

Decides the layout alone; typer draws the help of wider terminals.
"""

import re
from collections.abc import Callable
from inspect import getdoc
from shutil import get_terminal_size
from textwrap import fill
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

_NARROW = 60
"""Columns below which typer's table cuts the names of options."""


class NarrowHelpCommand(TyperCommand):
    """A command whose help is readable at any width."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help as a list if the terminal is narrow."""
        if (width := _narrow_width()) is None:
            super().format_help(ctx, formatter)
        else:
            print("\n\n".join([*_usage_of(self, ctx, width), *_options_of(self, ctx, width)]))


class NarrowHelpGroup(TyperGroup):
    """A group of commands whose help is readable at any width."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help as a list if the terminal is narrow."""
        if (width := _narrow_width()) is None:
            super().format_help(ctx, formatter)
            return
        parts = [*_usage_of(self, ctx, width), *_options_of(self, ctx, width)]
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            parts.append(f"{name}\n{_indented(command.help if command else '', width)}")
        print("\n\n".join(parts))


class NarrowHelpApp(typer.Typer):
    """A command line whose commands have help that is readable at any width."""

    def command(self, *args: Any, **kwargs: Any) -> Any:
        """Register a command as typer does, with its docstring as one line of help."""
        kwargs.setdefault("cls", NarrowHelpCommand)
        add = super().command

        def register(function: Callable[..., Any]) -> Any:
            kwargs.setdefault("help", " ".join((getdoc(function) or "").split()))
            return add(*args, **kwargs)(function)

        return register


def _narrow_width() -> int | None:
    """Return the width of the terminal if typer's tables would be cut there, else None."""
    width = get_terminal_size((80, 24)).columns
    return width if width < _NARROW else None


def _usage_of(command: Any, ctx: Any, width: int) -> list[str]:
    usage = f"Usage: {ctx.command_path} {' '.join(command.collect_usage_pieces(ctx))}"
    return [fill(usage, width), fill(" ".join((command.help or "").split()), width)]


def _options_of(command: Any, ctx: Any, width: int) -> list[str]:
    records = [parameter.get_help_record(ctx) for parameter in command.get_params(ctx)]
    return [f"{names}\n{_indented(text, width)}" for names, text in filter(None, records)]


def _indented(text: str | None, width: int) -> str:
    plain = re.sub(r"\s+", " ", text or "")
    return fill(plain, width, initial_indent="    ", subsequent_indent="    ")
