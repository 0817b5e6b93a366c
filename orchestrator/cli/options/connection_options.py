"""The options of every command that connects to a bus: its URL, keys and encryption."""

from pathlib import Path
from typing import Annotated

import typer

MOST_SECONDS = 1e8
"""Most seconds that an option takes: more are surely a typing error."""
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
        envvar="COFLEX_KEYS", help="Folder of keys for the server, made by `coflex keys`."
    ),
]
Insecure = Annotated[
    bool,
    typer.Option(
        "--insecure",
        envvar="COFLEX_INSECURE",
        help="Allow a server on another machine without keys.",
    ),
]
