"""The connection of a part to the bus. No byte leaves this machine unencrypted unless that is
allowed."""

from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from protocol.errors import InputError
from protocol.transport.bus import Connection
from protocol.transport.identity import folder_of


def reach(url: str | None, name: str, keys: Path | None, *, insecure: bool) -> Connection:
    """Return the connection of the part `name` to a server that is running somewhere.

    InputError if there is no URL or the keys do not belong to this part. Also if there are no keys
    and the server is not on this machine's loopback interface, unless `insecure` allows it.
    """
    if url is None:
        raise InputError("say where the NATS server is that the parts are on", field="--nats")
    connection = Connection(url, name, keys)
    if keys is not None:
        folder_of(keys, name)
    elif not insecure and not all(map(_is_loopback, connection.urls)):
        raise InputError(
            "this server is not on the loopback interface of this machine: give --keys DIR (made "
            "by `coflex keys`), or --insecure if nobody else can reach the network",
            field="--nats",
        )
    return connection


def as_options(connection: Connection) -> tuple[str, ...]:
    """Return the connection as options of a command line."""
    if connection.keys is not None:
        return ("--nats", connection.url, "--keys", str(connection.keys))
    # Whether it may be unencrypted has been decided before.
    return ("--nats", connection.url, "--insecure")


def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url if "://" in url else f"nats://{url}").hostname or ""
    except ValueError:
        return False
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
