"""`coflex verify`: replay reference traces of EPOS."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("verify")(verify)


def verify(
    traces: Annotated[list[Path], typer.Argument(help="Reference traces (JSON files).")],
    data: Annotated[Path, typer.Option(help="Folder with one folder for each data set.")],
) -> None:
    """Replay reference traces of EPOS through coflex's own machines; exit with status 0 if all are
    identical."""
    from orchestrator.validation.epos_replay import verify as replay

    different = 0
    for trace in traces:
        difference = replay(trace, data)
        typer.echo(f"{trace.name}: {difference or 'identical'}")
        different += difference is not None
    if different:
        typer.echo(f"{different} of {len(traces)} differ", err=True)
        raise typer.Exit(1)
