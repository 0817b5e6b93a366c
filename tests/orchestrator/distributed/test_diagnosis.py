"""`coflex doctor`: every fault is found and reported with advice."""

import asyncio
import json
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from typer.testing import CliRunner

from orchestrator.cli import app
from orchestrator.distributed.embedded_server import ENVIRONMENT, EmbeddedServer
from orchestrator.security.keyring import Keyring
from protocol.errors import InputError
from tests.support.keyring import keyring
from tests.support.nats import pretending
from tests.support.waiting import wait_until

pytestmark = pytest.mark.nats


@pytest.fixture
def ring(tmp_path: Path) -> Keyring:
    return keyring(tmp_path / "keys", ["host-1"])


@pytest.fixture
def server(ring: Keyring) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(file=ring.folder / "nats.conf") as started:
        yield started


def doctor(*options: object, status: int = 0) -> str:
    result = CliRunner().invoke(app, ["doctor", *map(str, options)])
    assert result.exit_code == status, (result.output, result.exception)
    assert ("FAILS" in result.output) == (status == 1)
    return result.output


def test_a_sound_setup_passes(server: EmbeddedServer, ring: Keyring) -> None:
    lines = doctor("--nats", server.url, "--keys", ring.folder).splitlines()
    for part in ring.users():
        assert any(line.startswith(f"ok    keys of {part} ") for line in lines)
        assert any(line.startswith(f"ok    permissions of {part} ") for line in lines)
    for what in (
        "server's certificate",
        "users",
        "server, as",
        "largest",
        "certificate it presents",
    ):
        assert any(line.startswith(f"ok    {what}") for line in lines), what
    alone = doctor("--nats", server.url, "--keys", ring.folder / "host-1")
    assert "permissions of host-1" in alone
    assert "operator" not in alone
    assert "host-1" not in doctor(
        *("--nats", server.url, "--keys", ring.folder, "--name", "operator")
    )


def test_the_embedded_server_is_examined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "ok    embedded server" in doctor()
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path))
    assert f"FAILS embedded server              {ENVIRONMENT} names" in doctor(status=1)


def test_a_missing_server_or_one_that_requires_keys(server: EmbeddedServer, ring: Keyring) -> None:
    printed = doctor("--nats", "nats://127.0.0.1:9", "--keys", ring.folder, status=1)
    assert "no NATS server answers" in printed
    assert "permissions" not in printed
    assert "give --keys" in doctor("--nats", server.url, status=1)
    elsewhere = doctor("--nats", "nats://server.invalid", status=1)
    assert "FAILS encryption" in elsewhere
    assert "server, as" not in elsewhere
    assert "FAILS server" in doctor("--nats", "nats://server.invalid", "--insecure", status=1)
    with EmbeddedServer() as plain:
        assert "ok    server, as doctor" in doctor("--nats", plain.url)


def test_a_revoked_part(server: EmbeddedServer, ring: Keyring) -> None:
    before = ring.folder.parent / "before"
    shutil.copytree(ring.folder / "host-1", before)
    ring.revoke(["host-1"])
    server.stop()
    server.start()
    printed = doctor("--nats", server.url, "--keys", before, status=1)
    assert "ok    keys of host-1" in printed
    assert "Authorization Violation" in printed


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (
            '"coflex.*.to.*.from.host-1"',
            '">"',
            "it may publish to coflex.doctor.to.host-1.from.somebody",
        ),
        (
            '"coflex.*.to.*.from.host-1"',
            '"coflex.*.to.*.from.host-1", "coflex.announce.>"',
            "it may publish",
        ),
        ('"coflex.*.to.*.from.host-1"', '"x"', "does not allow host-1 what it needs"),
        (
            '"coflex.*.to.host-1.>"',
            '">"',
            "it may subscribe to coflex.doctor.to.somebody-else.from",
        ),
        ('"_INBOX_host-1.>"', '"*.>"', "it may subscribe to"),
        (
            '"_INBOX_host-1.>"',
            '"_INBOX_host-1.>", "_INBOX_somebody-else.>"',
            "it may subscribe to _INBOX",
        ),
        ('"_INBOX_host-1.>"', '"x"', "does not allow host-1 what it needs"),
    ],
)
def test_permissions_that_were_changed(ring: Keyring, old: str, new: str, complaint: str) -> None:
    file = ring.folder / "users.conf"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    with EmbeddedServer(file=ring.folder / "nats.conf") as server:
        printed = doctor("--nats", server.url, "--keys", ring.folder, status=1)
    assert "FAILS users" in printed
    assert "users.conf does not match parts.json" in printed
    line = next(line for line in printed.splitlines() if "permissions of host-1" in line)
    assert line.startswith("FAILS")
    assert complaint in line
    assert "ok    permissions of operator" in printed


def days_ago(ring: Keyring, days: int, valid: int) -> Keyring:
    return Keyring(ring.folder, datetime.now(UTC) - timedelta(days=days), valid)


@pytest.mark.parametrize(
    ("days", "valid", "complaint"),
    [
        (10, 5, r"expired on"),
        (10, 20, r"expires on"),
        (-1, 20, "set this machine"),
    ],
)
def test_expired_and_future_certificates(
    ring: Keyring, days: int, valid: int, complaint: str
) -> None:
    days_ago(ring, days, valid).rotate(["host-1"])
    printed = doctor("--keys", ring.folder, status=1).splitlines()
    failing = [line for line in printed if line.startswith("FAILS")]
    assert len(failing) == 1
    assert complaint in failing[0]
    assert ("--rotate host-1" in failing[0]) == (days > 0)
    days_ago(ring, days, valid).rotate(["server"])
    assert "FAILS server's certificate" in doctor("--keys", ring.folder, status=1)


def test_wrong_files(ring: Keyring, tmp_path: Path) -> None:
    def failing(*options: object) -> str:
        printed = doctor("--keys", *options, status=1).splitlines()
        return "\n".join(line for line in printed if line.startswith("FAILS"))

    key = ring.folder / "host-1" / "key.pem"
    key.chmod(0o644)
    assert f"other users can access key.pem: chmod 600 {key}" in failing(ring.folder)
    key.chmod(0o600)
    assert "the certificate is for host-1" in failing(ring.folder / "host-1", "--name", "host-2")
    assert "no keys of host-7 here" in failing(ring.folder, "--name", "host-7")
    other = keyring(tmp_path / "other", ["host-1"])
    shutil.copy(other.folder / "ca.pem", ring.folder / "host-1" / "ca.pem")
    assert "not from the CA in ca.pem" in failing(ring.folder)
    shutil.copy(other.folder / "host-1" / "user.nk", ring.folder / "host-1" / "user.nk")
    assert "host-1: keys differ from those in parts.json" in failing(ring.folder)
    (ring.folder / "parts.json").write_text("{")
    assert "parts.json: cannot be read" in failing(ring.folder)
    key.unlink()
    assert "key.pem: cannot be read" in failing(ring.folder)
    result = CliRunner().invoke(app, ["doctor", "--keys", str(tmp_path)])
    assert isinstance(result.exception, InputError)


@pytest.mark.parametrize(
    ("version", "limit", "complaint"),
    [("2.9.10", 1 << 20, "2.9.10 is too old: install 2.10.4"), ("2.11.0", 1000, "set max_payload")],
)
async def test_a_server_that_is_too_old_or_too_small(
    version: str, limit: int, complaint: str
) -> None:
    def answer(line: bytes) -> bytes:
        return b"PONG\r\n" if line.startswith(b"PING") else b""

    async with pretending(answer, version, limit) as url:
        printed = await asyncio.to_thread(doctor, "--nats", url, status=1)
    assert complaint in printed


@contextmanager
def monitor(content: bytes) -> Iterator[str]:
    """Serve answers like those of the monitoring address of a server; return its URL."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/varz" else 404)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as http:
        serving = Thread(target=http.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{http.server_port}"
        finally:
            http.shutdown()
            serving.join()


@pytest.mark.parametrize(
    ("ahead", "sign", "text"),
    [
        (0, "ok", "the server's"),
        (3600, "FAILS", "behind the server's: set it (NTP)"),
        (-3600, "FAILS", "ahead of the server's: set it (NTP)"),
    ],
)
def test_the_clock(ahead: int, sign: str, text: str) -> None:
    now = datetime.now(UTC) + timedelta(seconds=ahead)
    with EmbeddedServer() as server, monitor(json.dumps({"now": now.isoformat()}).encode()) as url:
        printed = doctor(
            *("--nats", server.url, "--monitor", url), status=1 if sign == "FAILS" else 0
        )
    line = next(line for line in printed.splitlines() if " clock " in line)
    assert line.startswith(sign)
    assert text in line


@pytest.mark.parametrize("content", [b"{}", b"nothing", b"[]", b'{"now": 3}'])
def test_a_url_that_is_not_a_monitoring_address(content: bytes) -> None:
    with EmbeddedServer() as server:
        with monitor(content) as url:
            assert "is not the monitoring address" in doctor(
                *("--nats", server.url, "--monitor", url), status=1
            )
        for nowhere in ("http://127.0.0.1:9", "nonsense"):
            assert "is not the monitoring address" in doctor(
                *("--nats", server.url, "--monitor", nowhere), status=1
            )


def test_a_real_servers_clock() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with EmbeddedServer(configuration=f"http: {address}") as server:
        assert "ok    clock" in doctor("--nats", server.url, "--monitor", f"http://{address}")


def test_an_old_certificate_that_the_server_still_presents(ring: Keyring) -> None:
    """The certificate is rotated in the folder, but the server has not reloaded."""
    days_ago(ring, 10, 20).rotate(["server"])
    with EmbeddedServer(file=ring.folder / "nats.conf") as server:
        ring.rotate(["server"])
        printed = doctor("--nats", server.url, "--keys", ring.folder, status=1)
        assert "ok    server's certificate" in printed
        assert "FAILS certificate it presents" in printed
        server.reload()
        wait_until(lambda: _is_well(server, ring), "the reload")


def _is_well(server: EmbeddedServer, ring: Keyring) -> bool:
    options = ["doctor", "--nats", server.url, "--keys", str(ring.folder), "--name", "host-1"]
    return CliRunner().invoke(app, options).exit_code == 0
