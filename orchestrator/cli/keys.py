"""`coflex keys`: choose the parts that may use a bus, and make their keys and certificates."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.options.idle_options import refuse_idle
from protocol.errors import InputError

if TYPE_CHECKING:
    from orchestrator.security.keyring import Edge

_MOST_PARTS, _MOST_DAYS = 10_000, 36_500
RELOAD = "Make running servers read it: nats-server --signal reload"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("keys")(keys)


def keys(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of all keys of a bus.")],
    hosts: Annotated[
        str | None, typer.Option(help="Make keys for these hosts: host-1,host-2,...")
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(
            min=1, max=_MOST_PARTS, help="Make keys for this many hosts: host-1 to host-N."
        ),
    ] = None,
    matchmakers: Annotated[
        int,
        typer.Option(min=0, max=_MOST_PARTS, help="Number of matchmakers to make keys for."),
    ] = 1,
    server: Annotated[
        list[str] | None,
        typer.Option(help="Name or address by which clients reach the server; repeatable."),
    ] = None,
    cluster: Annotated[
        bool, typer.Option("--cluster", help="These servers are the members of one cluster.")
    ] = False,
    leaf: Annotated[
        list[str] | None,
        typer.Option(
            help="A leaf node, its address and its hosts: NAME@ADDRESS=host-1,...; repeatable."
        ),
    ] = None,
    add: Annotated[
        str | None, typer.Option(help="Make keys for additional parts: NAME,...")
    ] = None,
    rotate: Annotated[
        str | None, typer.Option(help="Make new keys for parts, or for the server: NAME,...")
    ] = None,
    revoke: Annotated[
        str | None, typer.Option(help="Exclude these parts from the bus: NAME,...")
    ] = None,
    days: Annotated[
        int, typer.Option(min=1, max=_MOST_DAYS, help="Validity of certificates in days.")
    ] = 365,
) -> None:
    """Make certificates, nkeys and the server's configuration; add, rotate or revoke parts; without
    options, list them."""
    from orchestrator.security.keyring import Keyring

    actions = [option for option in (hosts, count, add, rotate, revoke) if option is not None]
    if len(actions) > 1:
        raise InputError("give only one of --hosts, --count, --add, --rotate and --revoke")
    if hosts is None and count is None:
        making = "it needs --hosts or --count, which make new keys"
        refuse_idle(ctx, ["matchmakers", "server", "cluster"], making)
    if add is None and rotate is None and hosts is None and count is None:
        refuse_idle(ctx, ["days"], "no certificate is made")
    ring, leaves = Keyring(folder, datetime.now(UTC), days), _leaves(leaf or [])
    if leaves and (rotate or revoke or not actions):
        raise InputError("use it with --hosts, --count or --add", field="--leaf")
    if hosts is not None or count is not None:
        names = _names(hosts) if hosts is not None else _numbered(count or 0)
        ring.make(names, matchmakers, server or [], cluster=cluster, leaves=leaves)
        typer.echo(f"Keys of {len(ring.users())} parts in {folder}.")
        typer.echo(f"Start the server: cd {folder} && nats-server -c nats.conf")
        for name in leaves:
            typer.echo(f"Leaf node: copy {name}/, {name}.conf and users-{name}.conf there.")
        typer.echo("Copy to each machine the folders of its parts. Keep ca/ elsewhere, offline.")
    elif add is not None:
        ring.add(_names(add), leaves)
        typer.echo(f"Added {add}. {RELOAD}, then copy the folder to its machine.")
    elif rotate is not None:
        ring.rotate(_names(rotate))
        typer.echo(
            f"New keys for {rotate}. Copy the folder to its machine. {RELOAD}; then restart the "
            "part, because the old keys no longer work."
        )
    elif revoke is not None:
        ring.revoke(_names(revoke))
        typer.echo(f"Revoked {revoke}. {RELOAD}: only then is it cut off.")
    else:
        _list(folder)


def _list(folder: Path) -> None:
    from orchestrator.security.keyring import Keyring
    from orchestrator.security.server_config import SERVER

    ring = Keyring(folder, datetime.now(UTC))
    leaves = {name: f"{key} for {', '.join(hosts)}" for name, (key, hosts) in ring.leaves().items()}
    for name, key in [*sorted((ring.users() | leaves).items()), (SERVER, "")]:
        ends = ring.expiry(name)
        until = f"until {ends:%Y-%m-%d}" if ends else "keys not in this folder"
        typer.echo(f"{name:16} {until:24} {key}".rstrip())


def _leaves(options: list[str]) -> "dict[str, Edge]":
    from orchestrator.security.keyring import Edge

    leaves: dict[str, Edge] = {}
    for option in options:
        where, equals, hosts = option.partition("=")
        name, *addresses = where.split("@")
        if not equals or name in leaves:
            reason = f"{option!r}: give each leaf node once, as NAME@ADDRESS=host-1,host-2"
            raise InputError(reason, field="--leaf")
        leaves[name] = Edge(_names(hosts), addresses)
    return leaves


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def _numbered(count: int) -> list[str]:
    return [f"host-{number + 1}" for number in range(count)]
