"""The connection of a part to the bus. Nothing leaves this machine unencrypted unless `--insecure`
allows it."""

from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from protocol.errors import InputError
from protocol.transport.bus import Connection
from protocol.transport.identity import folder_of

_SCHEMES = ("nats", "tls", "ws", "wss")


def reach(url: str | None, name: str, keys: Path | None, *, insecure: bool) -> Connection:
    """Return the connection of the part `name` to a running server.

    Raises InputError if there is no URL, or if the keys do not belong to this part. Without keys,
    the server must be on this machine's loopback interface unless `insecure` is set.
    """
    if url is None:
        raise InputError("give the URL of the NATS server that the parts use", field="--nats")
    check_urls(url)
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


def check_urls(urls: str) -> None:
    """Raise InputError unless these are URLs of NATS servers, separated by commas; each may omit
    its scheme and port."""
    for url in Connection(urls, "").urls:
        try:
            parts = urlsplit(url if "://" in url else f"nats://{url}")
            known = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
        except ValueError:  # a port that is no number, or too large
            known = False
        if not known:
            reason = f"{url!r} is not the URL of a NATS server: write nats://host:port"
            raise InputError(reason, field="--nats")


def as_options(connection: Connection) -> tuple[str, ...]:
    """Return the connection as options of a command line."""
    if connection.keys is not None:
        return ("--nats", connection.url, "--keys", str(connection.keys))
    # `reach` has already decided whether the connection may be unencrypted.
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
