"""Checks of everything that a part needs to use its bus: server, clock, certificates, permissions.

The checks change nothing. They send messages only from a part to itself, in a run called `doctor`.
"""

import asyncio
import json
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit

from orchestrator.distributed.embedded_server import EmbeddedServer, find_server
from orchestrator.security.check_result import CheckResult, bad, good, unknown
from orchestrator.security.key_inspection import SOON
from protocol.codec import FRAME_MAX
from protocol.errors import ForbiddenError, InputError, RunError
from protocol.subjects import ANNOUNCEMENTS, ORCHESTRATOR, direct, inbox, replies
from protocol.transport.bus import Connection
from protocol.transport.identity import read_identity
from protocol.transport.nats_bus import NatsBus
from protocol.transport.permissions import permissions

RUN = "doctor"
PORT = 4222
"""Port of a server if its URL names none."""
SOMEBODY = "somebody-else"
OLDEST = (2, 10, 4)
"""First version of nats-server that can start a connection with TLS."""
LEAST_PAYLOAD = 2 * FRAME_MAX
MOST_SKEW = 60.0
"""Largest tolerated difference of clocks, seconds. Only certificates depend on the clock, and they
are backdated by some minutes."""
_TOO_MUCH = "give the server users.conf as `coflex keys` wrote it, or this part can deceive others"
_TOO_LITTLE = "give the server users.conf as `coflex keys` wrote it"
PATIENCE, MONITOR_SECONDS = 5.0, 5.0
"""Seconds to wait for a connection, and for an answer from the monitoring address."""


def examine_program() -> Iterator[CheckResult]:
    """Check that the program of the embedded server exists and works."""
    what = "embedded server"
    try:
        program = find_server()
        shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        with EmbeddedServer() as server:
            found = asyncio.run(_server(Connection(server.url, RUN)))
    except (RunError, OSError, subprocess.CalledProcessError) as error:
        yield bad(what, str(error))
        return
    yield good(what, f"{shown.stdout.strip()}, {program}")
    yield from found


def examine_server(connection: Connection) -> Iterator[CheckResult]:
    """Check each server of a connection: that it accepts us, its version and its limits."""
    for server in connection.each():
        found = asyncio.run(_server(server))
        yield from found
        if connection.keys is not None and found[0].passed:
            yield _served_certificate(server, connection.keys)


def examine_clock(monitor: str | None) -> CheckResult:
    """Compare this machine's clock with the server's, if there is a monitoring address."""
    if monitor is None:
        return unknown("clock", "not compared: give the server's monitoring address (--monitor)")
    try:
        before = time.time()
        with urllib.request.urlopen(f"{monitor.rstrip('/')}/varz", timeout=MONITOR_SECONDS) as page:
            now = datetime.fromisoformat(json.load(page)["now"]).timestamp()
    except (URLError, OSError, ValueError, KeyError, TypeError) as error:
        return bad("clock", f"{monitor} is not the monitoring address of a nats-server ({error})")
    skew = (before + time.time()) / 2 - now
    text = f"{abs(skew):.1f} s {'ahead of' if skew > 0 else 'behind'} the server's"
    if abs(skew) > MOST_SKEW:
        return bad("clock", f"{text}: set it (NTP), because certificates depend on it")
    return good("clock", text)


def examine_permissions(connection: Connection) -> CheckResult:
    """Check that a part with keys may do everything that it needs, and nothing else."""
    return asyncio.run(_permissions(connection))


async def _server(connection: Connection) -> list[CheckResult]:
    try:
        async with await NatsBus.connect(connection, PATIENCE) as bus:
            version, limit = bus.server_version, bus.max_payload
    except InputError as error:
        return [bad("server", error.reason)]
    what = f"server, as {connection.name}"
    found = []
    own, oldest = (".".join(map(str, numbers)) for numbers in (version, OLDEST))
    if version < OLDEST:
        found.append(bad(what, f"nats-server {own} is too old: install {oldest} or later"))
    else:
        found.append(good(what, f"nats-server {own}"))
    if limit < LEAST_PAYLOAD:
        advice = f"set max_payload in its configuration to {LEAST_PAYLOAD} or more"
        found.append(bad("largest message", f"{limit:,} bytes: {advice}"))
    else:
        found.append(good("largest message", f"{limit:,} bytes"))
    return found


def _served_certificate(connection: Connection, keys: Path) -> CheckResult:
    """Check the expiry of the certificate that the server presents.

    It may be older than the one on disk, until the server reloads.
    """
    what, address = "certificate it presents", urlsplit(connection.url)
    name, port = address.hostname or "", address.port or PORT
    context = read_identity(keys, connection.name).tls
    try:
        with (
            socket.create_connection((name, port), timeout=PATIENCE) as plain,
            context.wrap_socket(plain, server_hostname=name) as secured,
        ):
            shown = secured.getpeercert() or {}
    except OSError as error:
        return bad(what, str(error))
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC)
    if ends - datetime.now(UTC) < SOON:
        advice = "coflex keys DIR --rotate server, copy it there, and reload"
        return bad(what, f"ends on {ends:%Y-%m-%d}: {advice}")
    return good(what, f"valid until {ends:%Y-%m-%d}")


async def _permissions(connection: Connection) -> CheckResult:
    name = connection.name
    what, own = f"permissions of {name}", permissions(name)
    try:
        for subject in own.subscribe:
            if reason := await _refusal(connection, subscribe=subject):
                return bad(what, f"{reason}: {_TOO_LITTLE}")
        if reason := await _refusal(connection, publish=direct(RUN, name, name)):
            return bad(what, f"{reason}: {_TOO_LITTLE}")
        for subject in (inbox(RUN, SOMEBODY), f"{replies(SOMEBODY)}.>", ">"):
            if not await _refusal(connection, subscribe=subject):
                return bad(what, f"it may subscribe to {subject}: {_TOO_MUCH}")
        forged = [direct(RUN, name, SOMEBODY), f"{replies(SOMEBODY)}.x"]
        for subject in forged if name == ORCHESTRATOR else [*forged, ANNOUNCEMENTS]:
            if not await _refusal(connection, publish=subject):
                return bad(what, f"it may publish to {subject}: {_TOO_MUCH}")
    except (InputError, RunError) as error:
        return bad(what, str(error))
    return good(what, "everything it needs, and no more")


async def _refusal(connection: Connection, subscribe: str = "", publish: str = "") -> str:
    """Return why the server refuses this subscription or message; empty if it allows it."""
    failures: list[Exception] = []
    subject = subscribe or inbox(RUN, connection.name)
    async with await NatsBus.connect(connection, PATIENCE) as bus:
        try:
            await bus.subscribe(subject, lambda subject, data: None, failures.append)
            if publish:
                await bus.publish(publish, b"")
                await bus.flush()
        except ForbiddenError as error:
            return str(error)
    for failure in failures:
        if not isinstance(failure, ForbiddenError):
            raise failure
        return str(failure)
    return ""
