"""The options of every command that connects to a bus: its URL, keys and encryption."""

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.options.idle_options import refuse_idle
from orchestrator.scenario.option_effects import ENCRYPTED

MOST_SECONDS = 1e8
"""Most seconds that an option takes: more are surely a typing error."""


def _refuse_beside_keys(ctx: typer.Context, insecure: bool) -> bool:
    if ctx.params.get("keys") is not None:
        refuse_idle(ctx, ["insecure"], ENCRYPTED)
    return insecure


Nats = Annotated[
    str,
    typer.Option(
        envvar="COFLEX_NATS", help="URL of the NATS server, or comma-separated URLs of a cluster."
    ),
]
OptionalNats = Annotated[
    str | None,
    typer.Option(envvar="COFLEX_NATS", help="URL of a NATS server (default: the embedded one)."),
]
Keys = Annotated[
    Path | None,
    typer.Option(
        envvar="COFLEX_KEYS",
        help="Folder of keys for the server, made by `coflex keys`.",
        is_eager=True,  # so that --insecure can be checked against it
    ),
]
Insecure = Annotated[
    bool,
    typer.Option(
        "--insecure",
        envvar="COFLEX_INSECURE",
        help="Allow a server on another machine without keys.",
        callback=_refuse_beside_keys,
    ),
]
