"""`coflex doctor`: what keeps the parts of a machine from their bus."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.security.check_result import Finding, bad
from protocol.errors import InputError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(
    nats: Annotated[
        str | None,
        typer.Option(envvar="COFLEX_NATS", help="URL of a server (default: the embedded one)."),
    ] = None,
    keys: Annotated[
        Path | None,
        typer.Option(envvar="COFLEX_KEYS", help="Folder of all keys of a bus, or of one part."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Examine this part only (default: all in --keys).")
    ] = None,
    insecure: Annotated[
        bool,
        typer.Option(
            "--insecure", envvar="COFLEX_INSECURE", help="A server elsewhere without keys is fine."
        ),
    ] = False,
    monitor: Annotated[
        str | None,
        typer.Option(help="The server's monitoring address, http://host:8222, for the clock."),
    ] = None,
) -> None:
    """Check server, clock, certificates and permissions, and say what to do; status 1 if anything
    fails."""
    failed = 0
    for finding in _findings(nats, keys, name, insecure, monitor):
        typer.echo(str(finding))
        failed += finding.well is False
    if failed:
        raise typer.Exit(1)


def _findings(
    nats: str | None, keys: Path | None, name: str | None, insecure: bool, monitor: str | None
) -> Iterator[Finding]:
    from orchestrator.distributed import diagnosis as examine
    from orchestrator.distributed.connection import reach
    from orchestrator.security.key_inspection import inspect_part, inspect_server, parts_in
    from protocol.transport.bus import Connection

    if nats is None:
        yield from examine.examine_program()
    now, parts = datetime.now(UTC), list[str]()
    if keys is not None:
        yield from inspect_server(keys, now)
        for part in [name] if name is not None else parts_in(keys):
            findings = list(inspect_part(keys, part, now))
            yield from findings
            if all(finding.well for finding in findings):
                parts.append(part)
    if nats is None:
        return
    yield examine.examine_clock(monitor)
    if keys is None:
        try:
            connection = reach(nats, name or examine.RUN, None, insecure)
        except InputError as error:
            yield bad("encryption", error.reason)
            return
        yield from examine.examine_server(connection)
    for part in parts:
        connection = Connection(nats, part, keys)
        if part == parts[0]:
            findings = list(examine.examine_server(connection))
            yield from findings
            if not all(finding.well for finding in findings[:1]):
                return
        yield examine.examine_permissions(connection)
