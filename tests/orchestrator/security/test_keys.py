"""`coflex keys`: what is made, who may read it, what is never overwritten."""

import json
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator.cli import app
from orchestrator.distributed.embedded_server import find_server
from orchestrator.security.certificates import make_ca, names_of
from orchestrator.security.key_files import read_certificate
from orchestrator.security.keyring import Keyring
from protocol.errors import InputError
from protocol.transport.identity import (
    CA,
    CERTIFICATE,
    KEY,
    SEED,
    public_key,
    read_identity,
)
from tests.support.keyring import contents

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
PARTS = ["host-1", "host-2", "matchmaker-1", "operator", "orchestrator"]


def test_everything_that_the_parts_and_the_server_need(ring: Keyring) -> None:
    folder = ring.folder
    assert sorted(ring.users()) == PARTS
    expected = {f"{part}/{file}" for part in PARTS for file in (CA, CERTIFICATE, KEY, SEED)}
    expected |= {"server/cert.pem", "server/key.pem", "ca.pem", "ca/key.pem"}
    assert contents(folder).keys() == expected | {"nats.conf", "users.conf", "parts.json"}
    for part in PARTS:
        seed = (folder / part / SEED).read_text().strip()
        assert public_key(seed, folder) == ring.users()[part]
        assert seed not in (folder / "users.conf").read_text()
        assert (folder / part / CA).read_bytes() == (folder / CA).read_bytes()
        assert names_of(read_certificate(folder / part / CERTIFICATE)) == [part]
        read_identity(folder, part)
    known = names_of(read_certificate(folder / "server" / CERTIFICATE))
    assert known == ["nats", "10.0.0.7", "localhost", "127.0.0.1", "::1"]


def test_nobody_else_may_read_what_is_secret(ring: Keyring) -> None:
    for path in ring.folder.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        if path.is_dir():
            assert mode == 0o700, path
        elif path.name in (KEY, SEED):
            assert mode == 0o600, path
    assert stat.S_IMODE((ring.folder / "ca").stat().st_mode) == 0o700


@pytest.mark.nats
def test_the_server_takes_the_configuration(ring: Keyring) -> None:
    command = [str(find_server()), "-c", "nats.conf", "-t"]
    subprocess.run(command, cwd=ring.folder, check=True, capture_output=True)


def test_keys_are_never_overwritten(ring: Keyring) -> None:
    before = contents(ring.folder)
    with pytest.raises(InputError, match=r"already exists: keys are never overwritten"):
        ring.make(["host-1"], 1, [])
    with pytest.raises(InputError, match="host-1 already has keys: replace them with --rotate"):
        ring.add(["host-3", "host-1"])
    assert contents(ring.folder) == before
    (ring.folder / "host-4").mkdir()
    with pytest.raises(InputError, match=r"host-4: already exists"):
        ring.add(["host-3", "host-4"])
    assert contents(ring.folder) == before


def test_what_is_in_the_way_of_new_keys_stays(tmp_path: Path) -> None:
    (tmp_path / "nats.conf").write_text("mine")
    with pytest.raises(InputError, match=r"nats.conf: already exists"):
        Keyring(tmp_path, NOW).make(["host-1"], 1, [])
    assert contents(tmp_path) == {"nats.conf": b"mine"}


def test_a_change_touches_only_whom_it_names(ring: Keyring) -> None:
    first = contents(ring.folder)
    ring.add(["host-9", "matchmaker-2"])
    added = contents(ring.folder)
    users = ring.users()
    assert sorted(users) == sorted([*PARTS, "host-9", "matchmaker-2"])
    changed = {name for name in first if added[name] != first[name]}
    assert changed == {"users.conf", "parts.json"}
    (ring.folder / "nats.conf").write_text("changed by hand")

    ring.rotate(["host-1", "server"])
    rotated = contents(ring.folder)
    changed = {name for name in added if rotated[name] != added[name]}
    assert changed == {
        *("host-1/cert.pem", "host-1/key.pem", "host-1/user.nk", "server/cert.pem"),
        *("server/key.pem", "users.conf", "parts.json", "nats.conf"),
    }
    assert (ring.folder / "nats.conf").read_text() == "changed by hand"
    assert {name for name in users if ring.users()[name] != users[name]} == {"host-1"}
    server = read_certificate(ring.folder / "server" / CERTIFICATE)
    assert names_of(server)[:2] == ["nats", "10.0.0.7"]
    server.verify_directly_issued_by(read_certificate(ring.folder / CA))

    ring.revoke(["host-2"])
    assert "host-2" not in ring.users()
    assert users["host-2"] not in (ring.folder / "users.conf").read_text()
    assert not (ring.folder / "host-2").exists()
    assert not list(ring.folder.glob(".writing-*"))
    ring.add(["host-2"])  # it may come back, with other keys
    assert ring.users()["host-2"] != users["host-2"]


def test_keys_that_were_moved_away_are_not_needed_for_a_change(ring: Keyring) -> None:
    """Only the CA's is, and not to revoke: that must be possible at once."""
    (ring.folder / "host-1").rename(ring.folder.parent / "given-away")
    (ring.folder / "ca").rename(ring.folder.parent / "offline")
    ring.revoke(["host-1"])
    for change in (ring.add, ring.rotate):
        with pytest.raises(InputError, match=r"ca/key.pem: the CA's private key is missing"):
            change(["host-2"] if change == ring.rotate else ["host-3"])
    assert sorted(ring.users()) == PARTS[1:]


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (b"nothing", "not a readable private key"),
        (make_ca(NOW).key_pem(), "not the private key of ca.pem"),
    ],
)
def test_a_wrong_key_of_the_ca_is_said(ring: Keyring, damage: bytes, complaint: str) -> None:
    (ring.folder / "ca" / KEY).write_bytes(damage)
    with pytest.raises(InputError, match=complaint):
        ring.add(["host-3"])


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"host-1": 1}', b"\xff"])
def test_a_damaged_list_of_parts_is_said(ring: Keyring, content: bytes) -> None:
    (ring.folder / "parts.json").write_bytes(content)
    with pytest.raises(InputError, match=r"parts.json: cannot be read"):
        ring.revoke(["host-1"])


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--hosts", "host-1,host-1"], "host-1 is given twice"),
        (["--hosts", "host-1,a b"], "'a b' is not a name"),
        (["--hosts", ""], "'' is not a name"),
        (["--hosts", "server"], "server cannot be the name of a part"),
        (["--hosts", "ca"], "ca cannot be the name of a part"),
        (["--hosts", "operator"], "operator is not a host name"),
        (["--hosts", "matchmaker-1"], "matchmaker-1 is not a host name"),
        (["--count", "2", "--server", "nats://x:4222"], "is not a name or address of a server"),
        (["--count", "2", "--server", "ä"], "is not a name or address of a server"),
        (["--count", "2", "--hosts", "host-1"], "give only one of --hosts"),
        (["--add", "host-1"], "no keys here: make them"),
        (["--revoke", "host-1", "--rotate", "host-1"], "give only one of --hosts"),
        ([], "no keys here: make them"),
    ],
)
def test_wrong_wishes_are_said_and_leave_nothing(
    tmp_path: Path, options: list[str], complaint: str
) -> None:
    result = CliRunner().invoke(app, ["keys", str(tmp_path / "keys"), *options])
    assert isinstance(result.exception, InputError)
    assert complaint in str(result.exception)
    assert contents(tmp_path) == {}


def test_parts_that_are_not_there_cannot_change(ring: Keyring) -> None:
    before = contents(ring.folder)
    for change in (ring.rotate, ring.revoke):
        with pytest.raises(InputError, match="no part host-7: there are host-1, host-2"):
            change(["host-1", "host-7"])
    with pytest.raises(InputError, match="no part server"):
        ring.revoke(["server"])  # its certificate is replaced, not revoked
    assert contents(ring.folder) == before


def test_the_command_makes_changes_and_lists(tmp_path: Path) -> None:
    folder = tmp_path / "keys"

    def keys(*options: str) -> str:
        result = CliRunner().invoke(app, ["keys", str(folder), *options])
        assert result.exit_code == 0, result.exception
        return result.output

    assert "nats-server -c nats.conf" in keys("--count", "3", "--server", "nats", "--days", "90")
    assert "--signal reload" in keys("--revoke", "host-2")
    assert "restart the part" in keys("--rotate", "host-1")
    keys("--add", "host-4,host-5")
    (folder / "host-4").rename(tmp_path / "given-away")
    lines = keys().splitlines()
    users = json.loads((folder / "parts.json").read_text())
    assert [line.split()[0] for line in lines] == [*sorted(users), "server"]
    assert any(line.startswith("host-4") and "not in this folder" in line for line in lines)
    until = f"until {datetime.now(UTC) + timedelta(days=365):%Y-%m-%d}"
    assert any(until in line and users["host-1"] in line for line in lines)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        Keyring(tmp_path / "file" / "keys", NOW).make(["host-1"], 1, [])
