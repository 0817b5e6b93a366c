"""`coflex convert`: the same households in another format."""

from pathlib import Path
from typing import Annotated, cast

import typer

from agents.plans import ScoreMeaning
from agents.population import epos_folder
from agents.population import npz_archive as archive
from agents.population.loader import load
from protocol.errors import InputError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("convert")(convert)


def convert(
    source: Annotated[Path, typer.Argument(help="EPOS folder, or .npz file.")],
    target: Annotated[Path, typer.Argument(help="A new folder, or a file ending in .npz.")],
    score: Annotated[str | None, typer.Option(help="What scores mean: preference or cost.")] = None,
) -> None:
    """Convert an EPOS folder into one compact .npz file, or the other way round."""
    if score not in (None, "preference", "cost"):
        raise InputError("expected preference or cost", field="--score")
    population = load(source, score=cast(ScoreMeaning | None, score))
    (archive if target.suffix == ".npz" else epos_folder).write(population, target)
    typer.echo(f"{len(population.households)} households -> {target}")
    if target.suffix != ".npz" and not epos_folder.keeps_ids(population):
        typer.echo("A folder numbers households h0, h1, ...: their ids are not kept.")
    targets = epos_folder.target_files(source)
    if len(targets) > 1:
        typer.echo(f"{len(targets)} targets lie in {source}: none is kept, give one with --target.")
