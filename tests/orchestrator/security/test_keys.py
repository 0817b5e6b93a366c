"""`coflex keys`: what is made, who may read it, what is never overwritten, who may do what."""

import json
import re
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from typer.testing import CliRunner

from orchestrator.cli import app
from orchestrator.distributed.connection import reach
from orchestrator.distributed.embedded_server import find_server
from orchestrator.security.certificates import make_ca, make_part, make_server, names_of
from orchestrator.security.key_files import read_certificate
from orchestrator.security.keyring import Edge, Keyring
from protocol.errors import InputError
from protocol.transport.identity import (
    CA,
    CERTIFICATE,
    KEY,
    SEED,
    folder_of,
    public_key,
    read_identity,
)
from protocol.transport.permissions import permissions

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
PARTS = ["host-1", "host-2", "matchmaker-1", "operator", "orchestrator"]


@pytest.fixture
def ring(tmp_path: Path) -> Keyring:
    made = Keyring(tmp_path / "keys", datetime.now(UTC))
    made.make(["host-1", "host-2"], 1, ["nats", "10.0.0.7"])
    return made


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


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


def test_certificates_are_what_strict_clients_want() -> None:
    ca = make_ca(NOW)
    basic = ca.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, True, 0)
    usage = ca.certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert (usage.critical, usage.value.key_cert_sign) == (True, True)
    serials = {ca.certificate.serial_number}
    for made in (
        make_part(ca, "host-1", now=NOW, days=30),
        make_server(ca, ["a.example"], now=NOW, days=30),
    ):
        certificate = made.certificate
        certificate.verify_directly_issued_by(ca.certificate)
        own = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        assert (own.critical, own.value.ca) == (True, False)
        assert not certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
        assert certificate.not_valid_before_utc < NOW
        assert certificate.not_valid_after_utc == NOW + timedelta(days=30)
        assert isinstance(made.key.curve, ec.SECP256R1)
        serials.add(certificate.serial_number)
    assert len(serials) == 3
    part = make_part(ca, "host-1", now=NOW, days=30).certificate
    uses = part.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert x509.oid.ExtendedKeyUsageOID.SERVER_AUTH not in uses  # it must not pose as the server


def test_a_part_may_do_what_its_name_says_and_nothing_else() -> None:
    host = permissions("host-1")
    assert host.publish == ("coflex.*.to.*.from.host-1",)
    assert host.subscribe == ("coflex.*.to.host-1.>", "coflex.announce.>", "_INBOX_host-1.>")
    assert not host.answer
    assert permissions("orchestrator").publish == (
        "coflex.*.to.*.from.orchestrator",
        "coflex.announce.from.orchestrator",
    )
    maker = permissions("matchmaker-2")
    assert "$SRV.>" in maker.subscribe
    assert maker.answer
    assert permissions("operator").publish == (
        "coflex.*.to.*.from.operator",
        "coflex.announce.from.operator",
        "$SRV.>",
    )
    for name in ("matchmaker", "matchmaker-x", "matchmaker-1-x", "xmatchmaker-1", "operator-2"):
        assert permissions(name).publish == (f"coflex.*.to.*.from.{name}",)
        assert not permissions(name).answer


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


def test_a_part_finds_its_folder_alone_on_its_machine(ring: Keyring, tmp_path: Path) -> None:
    assert folder_of(ring.folder, "host-1") == ring.folder / "host-1"
    alone = tmp_path / "etc"
    (ring.folder / "host-1").rename(alone)
    assert folder_of(alone, "host-1") == alone
    read_identity(alone, "host-1")
    with pytest.raises(InputError, match="no keys of host-1 here"):
        folder_of(ring.folder, "host-1")


@pytest.mark.parametrize(
    ("file", "content", "complaint"),
    [
        (CA, None, r"ca.pem: cannot be read"),
        (CA, b"no", r"ca.pem: not a certificate"),
        (CERTIFICATE, b"no", "are not a certificate and its key"),
        (KEY, make_ca(NOW).key_pem(), "are not a certificate and its key"),
        (KEY, None, r"key.pem: cannot be read"),
        (SEED, b"no", r"user.nk: not the seed"),
        (SEED, b"SUAAAAAAAAAAAAAA", r"user.nk: not the seed"),
        (SEED, b"SU" + b"!" * 56, r"user.nk: not the seed"),
    ],
)
def test_wrong_files_of_a_part_are_said(
    ring: Keyring, file: str, content: bytes | None, complaint: str
) -> None:
    place = ring.folder / "host-1" / file
    place.unlink()
    if content is not None:
        place.write_bytes(content)
    with pytest.raises(InputError, match=complaint):
        read_identity(ring.folder, "host-1")


@pytest.mark.parametrize(
    "url",
    [
        "nats://127.0.0.1:4222",
        "localhost:4222",
        "localhost:1, 127.0.0.1:2",
        "nats://u:p@127.3.2.1",
        "tls://[::1]:4222",
    ],
)
def test_on_the_own_machine_keys_are_not_asked_for(url: str) -> None:
    assert reach(url, "host-1", None, insecure=False).keys is None


@pytest.mark.parametrize(
    "url",
    [
        *("nats://10.0.0.7:4222", "nats:4222", "tls://example.org", "nats://127.0.0.1@example.org"),
        *("nats://localhost.example.org", "nats://[::2]:4222", "nats://[", ""),
        *("localhost,nats:4222", "localhost,"),
    ],
)
def test_elsewhere_keys_are_asked_for(ring: Keyring, url: str) -> None:
    with pytest.raises(InputError, match=r"--nats: .*give --keys DIR .* or --insecure"):
        reach(url, "host-1", None, insecure=False)
    assert reach(url, "host-1", None, insecure=True).url == url
    assert reach(url, "host-1", ring.folder, insecure=False).keys == ring.folder
    with pytest.raises(InputError, match="no keys of host-3 here"):
        reach(url, "host-3", ring.folder, insecure=False)
    with pytest.raises(InputError, match="give the URL of the NATS server"):
        reach(None, "host-1", ring.folder, insecure=False)


@pytest.mark.parametrize("command", [["host", "host-1"], ["matchmaker"]])
def test_the_parts_take_this_from_the_environment(command: list[str], tmp_path: Path) -> None:
    def refusal(**environment: str) -> str:
        result = CliRunner().invoke(app, command, env=environment)
        assert isinstance(result.exception, InputError), result.output
        return str(result.exception)

    assert "give --keys" in refusal(COFLEX_NATS="nats://example.org")
    assert "no keys of" in refusal(COFLEX_NATS="nats://example.org", COFLEX_KEYS=str(tmp_path))


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"COFLEX_NATS": "nats://example.org"}, "give --keys"),
        ({"COFLEX_KEYS": "nowhere"}, "the embedded server needs no keys"),
        ({"COFLEX_NATS": "nats://example.org", "COFLEX_KEYS": "nowhere"}, "no keys of host-1"),
    ],
)
def test_so_does_a_run(environment: dict[str, str], complaint: str) -> None:
    demo = ["run", "--demo", "--households", "4", "--slots", "36", "--isolation", "task"]
    result = CliRunner().invoke(app, demo, env=environment)
    assert isinstance(result.exception, InputError), result.output
    assert complaint in str(result.exception)


# -- clusters and leaf nodes -----------------------------------------------------------------------


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
        (["bus"], False, {"street": Edge(hosts, ["a b"])}, "not a name or address of a server"),
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
