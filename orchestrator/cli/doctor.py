"""`coflex doctor`: find out why the parts on a machine cannot use their bus."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.options.connection_options import Insecure, Keys, OptionalNats
from orchestrator.cli.options.idle_options import refuse_idle
from orchestrator.distributed.connection import check_urls
from orchestrator.reporting.wrapped_lines import print_line
from orchestrator.security.check_result import CheckResult, bad
from protocol.errors import InputError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(
    ctx: typer.Context,
    nats: OptionalNats = None,
    keys: Keys = None,
    name: Annotated[
        str | None, typer.Option(help="Check only this part (default: all parts in --keys).")
    ] = None,
    insecure: Insecure = False,
    monitor: Annotated[
        str | None,
        typer.Option(
            help="The server's monitoring address, such as http://host:8222, to compare clocks."
        ),
    ] = None,
) -> None:
    """Check server, clock, certificates and permissions, and print what to do; exit with status 1
    if a check fails."""
    _refuse_idle(ctx, nats, keys)
    if nats is not None:
        check_urls(nats)
    failed = 0
    for result in _checks(nats, keys, name=name, insecure=insecure, monitor=monitor):
        print_line(str(result))
        failed += result.passed is False
    if failed:
        raise typer.Exit(1)


def _refuse_idle(ctx: typer.Context, nats: str | None, keys: Path | None) -> None:
    if nats is None and keys is None:
        refuse_idle(ctx, ["name"], "only the embedded server is checked: add --nats or --keys")
    if nats is None:
        refuse_idle(ctx, ["insecure", "monitor"], "it applies to a server named with --nats")


def _checks(
    nats: str | None, keys: Path | None, *, name: str | None, insecure: bool, monitor: str | None
) -> Iterator[CheckResult]:
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
            results = list(inspect_part(keys, part, now))
            yield from results
            if all(result.passed for result in results):
                parts.append(part)
    if nats is None:
        return
    yield examine.examine_clock(monitor)
    if keys is None:
        try:
            connection = reach(nats, name or examine.RUN, None, insecure=insecure)
        except InputError as error:
            yield bad("encryption", error.reason)
            return
        yield from examine.examine_server(connection)
    for part in parts:
        connection = Connection(nats, part, keys)
        if part == parts[0]:
            results = list(examine.examine_server(connection))
            yield from results
            if not all(result.passed for result in results[:1]):
                return
        yield examine.examine_permissions(connection)
