"""The option `coflex --version`."""

from importlib.metadata import version
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the option to `coflex`."""
    app.callback()(_options)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"coflex {version('coflex')}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    pass
