"""The keyring: makes, adds, rotates and revokes the keys of a bus, which are all in one folder.

    ca.pem              the CA's certificate, which every part trusts
    ca/key.pem          the CA's private key: needed only for `coflex keys`, so store it elsewhere
    server/             the server's certificate and key
    <part>/             everything a part needs: copy this folder, and nothing else, to its machine
    nats.conf           a configuration for nats-server; change it as you like
    cluster.conf        included in nats.conf, for a cluster or leaf nodes: private
    users.conf          the users and their permissions, also included; every change rewrites it
    <leaf>/             the files of a leaf node, besides <leaf>.conf and users-<leaf>.conf
    parts.json          the public nkey of each part; written last, so the folder is then complete
    leaves.json         the public nkey of each leaf node, and its hosts

Only rotation overwrites keys, and only revocation removes them. Files are first written under
temporary names. A running server reads changes when it reloads its configuration.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from secrets import token_bytes, token_hex
from types import MappingProxyType
from typing import NamedTuple

import nkeys
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from orchestrator.security.certificates import Certified, make_ca, make_part, make_server, names_of
from orchestrator.security.key_files import (
    change,
    make_folder,
    read_certificate,
    write_certified,
    write_json,
    write_private,
    write_public,
)
from orchestrator.security.server_config import (
    CLUSTER_FILE,
    LEAF_SEED,
    SERVER,
    USERS_FILE,
    Leaf,
    cluster_config,
    leaf_config,
    leaf_config_file,
    leaf_users_file,
    server_config,
    users_config,
)
from protocol.errors import InputError
from protocol.subjects import OPERATOR, ORCHESTRATOR, check_name
from protocol.transport.identity import CA, CERTIFICATE, KEY, SEED
from protocol.transport.permissions import is_matchmaker

CA_FOLDER = "ca"
CONFIG_FILE, PARTS_FILE, LEAVES_FILE = "nats.conf", "parts.json", "leaves.json"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Names in the certificate of every server."""
_TAKEN = {SERVER, CA_FOLDER, "host", "everybody"}
_TAKEN_FILES = {CONFIG_FILE, USERS_FILE, CLUSTER_FILE}
_SERVER_NAME = re.compile(r"(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


class Edge(NamedTuple):
    """A leaf node to be made: its hosts, and its addresses in addition to its name."""

    hosts: Sequence[str]
    addresses: Sequence[str] = ()


Edges = Mapping[str, Edge]
_NO_LEAVES: Edges = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Keyring:
    """A folder of keys; new certificates are valid from `now` for `days` days.

    Methods raise InputError if something cannot be done; they then change nothing.
    """

    folder: Path
    now: datetime
    days: int = 365

    def make(
        self,
        hosts: Sequence[str],
        matchmakers: int,
        servers: Sequence[str],
        *,
        cluster: bool = False,
        leaves: Edges = _NO_LEAVES,
    ) -> None:
        """Make the keys of these hosts, of `matchmakers` matchmakers, of orchestrator and operator.

        Clients reach the server by the names or addresses in `servers`, and by loopback. For a
        `cluster`, these are the addresses of its members. `leaves` are leaf nodes, each of which is
        a server for its own hosts.
        """
        matchmaker_names = [f"matchmaker-{number + 1}" for number in range(matchmakers)]
        for name in hosts:
            _check_part(name)
            if name in (ORCHESTRATOR, OPERATOR) or is_matchmaker(name):
                raise InputError(
                    f"{name} is not a host name: it gets its keys anyway", field="--hosts"
                )
        for known in servers:
            _check_server(known)
        names = _once([*hosts, *matchmaker_names, ORCHESTRATOR, OPERATOR])
        _check_leaves(leaves, names)
        if cluster and len(servers) < 2:
            raise InputError("name every member of the cluster with --server", field="--cluster")
        if leaves and not servers:
            raise InputError(
                "give the server's address for leaf nodes with --server", field="--leaf"
            )
        ca = make_ca(self.now)
        server = self._server(ca, _also_here(servers))

        def write(new: Path) -> None:
            write_public(new / CA, ca.pem())
            write_private(make_folder(new / CA_FOLDER) / KEY, ca.key_pem())
            write_certified(make_folder(new / SERVER), server)
            users = {name: self._write_part(new, ca, name) for name in names}
            edge = bool(cluster or leaves)
            write_public(new / CONFIG_FILE, server_config(clustered=edge).encode())
            if edge:
                config = cluster_config(servers if cluster else servers[:1], token_hex(24))
                write_private(new / CLUSTER_FILE, config.encode())
            made = {
                name: self._new_leaf(new, ca, name, edge=leaves[name], servers=servers)
                for name in leaves
            }
            _write_lists(new, users, made)

        change(self.folder, write, last=PARTS_FILE)

    def add(self, names: Sequence[str], leaves: Edges = _NO_LEAVES) -> None:
        """Make keys for more parts; `leaves` names those behind leaf nodes, new or old."""
        users, known = self.users(), self.leaves()
        for name in _once(names):
            _check_part(name)
            if name in users or name in known:
                raise InputError(
                    f"{name} already has keys: replace them with --rotate", field="--add"
                )
        _check_leaves(leaves, [*users, *names])
        if leaves and not (self.folder / CLUSTER_FILE).exists():
            reason = "these keys are for a bus without leaf nodes: make new ones with --leaf"
            raise InputError(reason, field="--leaf")
        ca = self._ca()
        servers = [name for name in self._names_of(SERVER) if name not in LOOPBACK]

        def write(new: Path) -> None:
            for name in names:
                users[name] = self._write_part(new, ca, name)
            for leaf, edge in leaves.items():
                if leaf in known:
                    both = dict.fromkeys([*known[leaf].hosts, *edge.hosts])
                    known[leaf] = known[leaf]._replace(hosts=list(both))
                else:
                    known[leaf] = self._new_leaf(new, ca, leaf, edge=edge, servers=servers)
            _write_lists(new, users, known)

        change(self.folder, write, last=PARTS_FILE, replacing=_lists(known))

    def rotate(self, names: Sequence[str]) -> None:
        """Replace the keys of these parts; the name `server` means those of the servers."""
        users, leaves = self.users(), self.leaves()
        self._check_known([name for name in _once(names) if name != SERVER], [*users, *leaves])
        ca = self._ca()

        def write(new: Path) -> None:
            for name in names:
                if name == SERVER:
                    server = self._server(ca, self._names_of(SERVER))
                    write_certified(make_folder(new / SERVER), server)
                elif name in leaves:
                    key = self._write_leaf(new, ca, name, names=self._names_of(name))
                    leaves[name] = Leaf(key, leaves[name].hosts)
                else:
                    users[name] = self._write_part(new, ca, name)
            _write_lists(new, users, leaves)

        change(self.folder, write, last=PARTS_FILE, replacing=(*names, *_lists(leaves)))

    def revoke(self, names: Sequence[str]) -> None:
        """Remove these users and their keys; servers refuse them after they have reloaded."""
        users, leaves = self.users(), self.leaves()
        self._check_known(_once(names), [*users, *leaves])
        left = {name: key for name, key in users.items() if name not in names}
        kept = {
            leaf: Leaf(key, [host for host in hosts if host not in names])
            for leaf, (key, hosts) in leaves.items()
            if leaf not in names
        }
        for leaf, (_, hosts) in kept.items():
            if not hosts:
                raise InputError(f"{leaf} would have no host: revoke it too", field="--revoke")
        gone = [name for leaf in leaves if leaf in names for name in _leaf_files(leaf)]
        lists = {*_lists(leaves)} - {*gone}
        change(
            self.folder,
            lambda new: _write_lists(new, left, kept, emptied=bool(leaves)),
            last=PARTS_FILE,
            replacing=lists,
            removing=[*names, *gone],
        )

    def users(self) -> dict[str, str]:
        """Return the public nkey of each part, by name."""
        file = self.folder / PARTS_FILE
        try:
            users = json.loads(file.read_bytes())
            if isinstance(users, dict) and all(isinstance(key, str) for key in users.values()):
                return users
        except FileNotFoundError:
            raise InputError(
                "no keys here: make them with `coflex keys DIR --count N`", file=self.folder
            ) from None
        except (OSError, ValueError):
            pass
        raise InputError("cannot be read: expected a list of parts and their keys", file=file)

    def leaves(self) -> dict[str, Leaf]:
        """Return the leaf nodes, by name."""
        file = self.folder / LEAVES_FILE
        try:
            listed = json.loads(file.read_bytes())
            return {
                name: Leaf(str(key), [str(h) for h in hosts])
                for name, (key, hosts) in listed.items()
            }
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError):
            reason = "cannot be read: expected a list of leaf nodes and their hosts"
            raise InputError(reason, file=file) from None

    def expiry(self, name: str) -> datetime | None:
        """Return when the certificate of a part or of the server expires; None if there is none."""
        file = self.folder / name / CERTIFICATE
        return read_certificate(file).not_valid_after_utc if file.exists() else None

    def _names_of(self, server: str) -> list[str]:
        return names_of(read_certificate(self.folder / server / CERTIFICATE))

    def _server(self, ca: Certified, names: Sequence[str]) -> Certified:
        return make_server(ca, names, now=self.now, days=self.days)

    def _ca(self) -> Certified:
        file = self.folder / CA_FOLDER / KEY
        try:
            key = serialization.load_pem_private_key(file.read_bytes(), password=None)
        except FileNotFoundError:
            reason = "the CA's private key is missing: copy it back from where you keep it"
            raise InputError(reason, file=file) from None
        except (OSError, ValueError, TypeError) as error:
            raise InputError(f"not a readable private key: {error}", file=file) from None
        certificate = read_certificate(self.folder / CA)
        if (
            not isinstance(key, ec.EllipticCurvePrivateKey)
            or key.public_key() != certificate.public_key()
        ):
            raise InputError(f"not the private key of {CA}", file=file)
        return Certified(key, certificate)

    def _write_part(self, new: Path, ca: Certified, name: str) -> str:
        """Write the files of a part; return its public nkey."""
        folder, (seed, public) = make_folder(new / name), _new_nkey()
        write_private(folder / SEED, f"{seed}\n".encode())
        _write_certified(folder, ca, make_part(ca, name, now=self.now, days=self.days))
        return public

    def _write_leaf(self, new: Path, ca: Certified, leaf: str, *, names: Sequence[str]) -> str:
        """Write the keys of a leaf node; return its public nkey."""
        folder, (seed, public) = make_folder(new / leaf), _new_nkey()
        write_private(folder / LEAF_SEED, f"nkey: {seed}\n".encode())
        _write_certified(folder, ca, self._server(ca, names))
        return public

    def _new_leaf(
        self, new: Path, ca: Certified, leaf: str, *, edge: Edge, servers: Sequence[str]
    ) -> Leaf:
        write_public(new / leaf_config_file(leaf), leaf_config(leaf, servers).encode())
        names = _also_here([leaf, *edge.addresses])
        return Leaf(self._write_leaf(new, ca, leaf, names=names), edge.hosts)

    def _check_known(self, names: Iterable[str], known: Iterable[str]) -> None:
        for name in names:
            if name not in known:
                raise InputError(
                    f"no part {name}: there are {', '.join(sorted(known))}", file=self.folder
                )


def _check_part(name: str) -> None:
    check_name(name, "name of a part")
    if name in _TAKEN:
        raise InputError(f"{name} cannot be the name of a part: it is reserved")


def _check_leaves(leaves: Edges, names: Sequence[str]) -> None:
    for leaf, (hosts, addresses) in leaves.items():
        _check_part(leaf)
        for address in addresses:
            _check_server(address)
        if leaf in names or leaf_config_file(leaf) in _TAKEN_FILES:
            raise InputError(f"{leaf} cannot name a leaf node: it is already used", field="--leaf")
        for host in _once(hosts):
            if host not in names:
                raise InputError(f"{leaf} names host {host}, which has no keys", field="--leaf")


def _check_server(name: str) -> None:
    try:
        ip_address(name)
    except ValueError:
        if not _SERVER_NAME.fullmatch(name):
            raise InputError(
                f"{name!r} is not a name or address of a server: write it as in the URL, without "
                "scheme and port",
                field="--server",
            ) from None


def _once(names: Sequence[str]) -> Sequence[str]:
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{name} is given twice")
    return names


def _also_here(servers: Sequence[str]) -> list[str]:
    return list(dict.fromkeys([*servers, *LOOPBACK]))


def _lists(leaves: Iterable[str]) -> tuple[str, ...]:
    """Return the files that every change rewrites."""
    return (USERS_FILE, PARTS_FILE, LEAVES_FILE, *(leaf_users_file(leaf) for leaf in leaves))


def _leaf_files(leaf: str) -> tuple[str, str]:
    return leaf_config_file(leaf), leaf_users_file(leaf)


def _write_lists(
    folder: Path, users: Mapping[str, str], leaves: Mapping[str, Leaf], *, emptied: bool = False
) -> None:
    """Write the users of the servers and of each leaf node.

    `emptied` says that there may be no leaf nodes left, so that their list is rewritten anyway.
    """
    write_public(folder / USERS_FILE, users_config(users, leaves).encode())
    for leaf, (_, hosts) in leaves.items():
        own = users_config({host: users[host] for host in hosts})
        write_public(folder / leaf_users_file(leaf), own.encode())
    if leaves or emptied:
        write_json(folder / LEAVES_FILE, leaves)
    write_json(folder / PARTS_FILE, users)


def _new_nkey() -> tuple[str, str]:
    """Return the seed and the public key of a new user."""
    seed = nkeys.encode_seed(token_bytes(32), nkeys.PREFIX_BYTE_USER)
    return seed.decode(), nkeys.from_seed(bytearray(seed)).public_key.decode()


def _write_certified(folder: Path, ca: Certified, made: Certified) -> None:
    """Write a part's key and certificate, and the CA's certificate."""
    write_certified(folder, made)
    write_public(folder / CA, ca.pem())
