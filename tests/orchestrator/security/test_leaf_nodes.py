"""`coflex keys` for clusters and leaf nodes."""

import json
import re
import stat
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator.cli import app
from orchestrator.distributed.embedded_server import find_server
from orchestrator.security.certificates import names_of
from orchestrator.security.key_files import read_certificate
from orchestrator.security.keyring import Edge, Keyring
from protocol.errors import InputError
from protocol.transport.identity import (
    CERTIFICATE,
)
from tests.support.keyring import contents

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def edged(folder: Path) -> Keyring:
    made = Keyring(folder, NOW)
    edges = {"street": Edge(["host-2", "host-3"], ["10.0.0.9"]), "building": Edge(["host-1"])}
    servers = ["bus-1", "bus-2", "2001:db8::1"]
    made.make(["host-1", "host-2", "host-3"], 1, servers, cluster=True, leaves=edges)
    return made


def test_members_know_one_another_by_a_secret(tmp_path: Path) -> None:
    file = edged(tmp_path).folder / "cluster.conf"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    secrets = re.findall(r"nats-route://route:([0-9a-f]{48})@(\S+):6222", file.read_text())
    assert [where for _, where in secrets] == ["bus-1", "bus-2", "[2001:db8::1]"]
    assert f"password: {secrets[0][0]}" in file.read_text()
    assert len({secret for secret, _ in secrets}) == 1
    assert "include cluster.conf" in (file.parent / "nats.conf").read_text()


def test_a_leaf_node_has_its_hosts_alone(tmp_path: Path) -> None:
    ring = edged(tmp_path)
    key = ring.leaves()["street"].key
    (line,) = (line for line in (tmp_path / "users.conf").read_text().splitlines() if key in line)
    user = json.loads(line)
    assert user["allowed_connection_types"] == ["LEAFNODE"]
    assert user["permissions"]["publish"] == [f"coflex.*.to.*.from.host-{n}" for n in (2, 3)]
    assert f"{ring.users()['host-3']}" in (tmp_path / "users-street.conf").read_text()
    assert f"{ring.users()['host-1']}" not in (tmp_path / "users-street.conf").read_text()
    known = names_of(read_certificate(tmp_path / "street" / CERTIFICATE))
    assert known == ["street", "10.0.0.9", "localhost", "127.0.0.1", "::1"]
    for config in ("nats.conf", "street.conf", "building.conf"):
        subprocess.run([find_server(), "-t", "-c", config], cwd=tmp_path, check=True)


def test_changes_reach_leaf_nodes(tmp_path: Path) -> None:
    ring = edged(tmp_path)
    first = contents(tmp_path)
    ring.rotate(["host-3"])
    second = contents(tmp_path)
    assert first["users-street.conf"] != second["users-street.conf"]
    assert first["users-building.conf"] == second["users-building.conf"]
    assert first["street/cert.pem"] == second["street/cert.pem"]
    ring.rotate(["street"])
    third = contents(tmp_path)
    assert third["users.conf"] != second["users.conf"]
    assert third["street/nkey.conf"] != second["street/nkey.conf"]
    assert third["street.conf"] == second["street.conf"]
    assert names_of(read_certificate(tmp_path / "street" / CERTIFICATE))[:2] == [
        "street",
        "10.0.0.9",
    ]
    ring.add(["host-4", "host-5"], {"street": Edge(["host-4"]), "tower": Edge(["host-5"])})
    assert ring.leaves()["street"].hosts == ["host-2", "host-3", "host-4"]
    assert '"tls://bus-2:7422"' in (tmp_path / "tower.conf").read_text()
    ring.revoke(["host-4", "building", "host-5", "tower"])
    assert {leaf: hosts for leaf, (_, hosts) in ring.leaves().items()} == {
        "street": ["host-2", "host-3"]
    }
    left = contents(tmp_path).keys()
    assert not {name for name in left if "building" in name or "tower" in name}
    with pytest.raises(InputError, match="street would have no host: revoke it too"):
        ring.revoke(["host-2", "host-3"])
    ring.revoke(["host-2", "host-3", "street"])
    assert ring.leaves() == {}


def test_wrong_wishes_for_the_edge_are_said(tmp_path: Path, ring: Keyring) -> None:
    new = Keyring(tmp_path / "new", NOW)
    hosts = ["host-1"]
    for servers, cluster, leaves, complaint in (
        (["bus"], True, {}, "--cluster: name every member"),
        ([], False, {"street": Edge(hosts)}, "--leaf: give the server's address"),
        (["bus"], False, {"street": Edge(["host-9"])}, "names host host-9, which has no keys"),
        (["bus"], False, {"host-1": Edge(hosts)}, "is already used"),
        (["bus"], False, {"nats": Edge(hosts)}, "is already used"),
        (["bus"], False, {"street": Edge(hosts, ["a b"])}, "is not a name or address of a server"),
    ):
        with pytest.raises(InputError, match=complaint):
            new.make(hosts, 1, servers, cluster=cluster, leaves=leaves)
    assert not new.folder.exists()
    with pytest.raises(InputError, match="for a bus without leaf nodes"):
        ring.add(["host-8"], {"street": Edge(["host-8"])})


def test_the_command_makes_a_cluster_with_leaf_nodes(tmp_path: Path) -> None:
    folder = str(tmp_path / "keys")
    servers = ["--server", "bus-1", "--server", "bus-2", "--cluster"]
    leaf = ["--leaf", "street@edge.example=host-1,host-2"]
    made = CliRunner().invoke(app, ["keys", folder, "--count", "2", *servers, *leaf])
    assert "copy street/, street.conf and users-street.conf" in made.output
    listed = CliRunner().invoke(app, ["keys", folder]).output
    assert re.search(r"street +until .* for host-1, host-2", listed)
    for wrong in (["--leaf", "street"], [*leaf, *leaf]):
        result = CliRunner().invoke(app, ["keys", folder, "--add", "host-3", *wrong])
        assert "give each leaf node once, as NAME@ADDRESS=" in str(result.exception)
    result = CliRunner().invoke(app, ["keys", folder, "--rotate", "host-1", *leaf])
    assert "use it with --hosts, --count or --add" in str(result.exception)
