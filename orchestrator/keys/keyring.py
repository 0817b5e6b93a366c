"""The folder of all keys of a bus: made, added to, rotated, revoked.

    ca.pem              whom everybody trusts
    ca/key.pem          the CA's private key: needed here only, keep it apart
    server/             the server's certificate and key
    <part>/             what a part needs, to be copied to its machine: all of it, and nothing else
    nats.conf           a configuration for nats-server, to be changed at will
    users.conf          the users and their permissions, included there; written anew by us
    parts.json          the public nkey of each part; where it is, the folder is complete

Nothing that exists is overwritten but by rotation, and by revocation removed. Files come into being
under temporary names. A running server learns of changes when it is told to reload.
"""

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from secrets import token_bytes
from shutil import rmtree
from tempfile import TemporaryDirectory

import nkeys
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from orchestrator.keys.certificates import Certified, make_ca, make_part, make_server, names_of
from orchestrator.keys.server_config import SERVER, SERVER_CONFIG, USERS_FILE, users_config
from protocol.errors import InputError
from protocol.identity import CA, CERTIFICATE, KEY, SEED, public_key
from protocol.permissions import OPERATOR, is_matchmaker
from protocol.subjects import ORCHESTRATOR, check_name

CA_FOLDER = "ca"
CONFIG_FILE, PARTS_FILE = "nats.conf", "parts.json"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Names that every server certificate has."""
_TAKEN = {SERVER, CA_FOLDER, "host", "everybody"}
_SERVER_NAME = re.compile(r"(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_USERS = (USERS_FILE, PARTS_FILE)
_UNFINISHED = ".writing-"
_PRIVATE, _PUBLIC = 0o600, 0o644


@dataclass(frozen=True, slots=True)
class Keyring:
    """A folder of keys; certificates that are made now are valid from `now` for `days` days.

    InputError says what cannot be done, and nothing is changed then.
    """

    folder: Path
    now: datetime
    days: int = 365

    def make(self, hosts: Sequence[str], matchmakers: int, servers: Sequence[str]) -> None:
        """Everything, for these hosts, so many matchmakers, orchestrator and operator; the server
        is reached by the names or addresses `servers`, and by loopback."""
        makers = [f"matchmaker-{number + 1}" for number in range(matchmakers)]
        for name in hosts:
            _check_part(name)
            if name in (ORCHESTRATOR, OPERATOR) or is_matchmaker(name):
                raise InputError(f"{name} is no host: it has keys of its own", field="--hosts")
        for known in servers:
            _check_server(known)
        names = _once([*hosts, *makers, ORCHESTRATOR, OPERATOR])
        ca = make_ca(self.now)
        server = make_server(ca, list(dict.fromkeys([*servers, *LOOPBACK])), self.now, self.days)

        def write(new: Path) -> None:
            _write(new / CA, ca.pem(), _PUBLIC)
            _folder(new / CA_FOLDER)
            _write(new / CA_FOLDER / KEY, ca.key_pem(), _PRIVATE)
            _write_certified(_folder(new / SERVER), server)
            users = {name: self._write_part(new, ca, name) for name in names}
            _write(new / CONFIG_FILE, SERVER_CONFIG.encode(), _PUBLIC)
            _write_users(new, users)

        self._change(write, replacing=())

    def add(self, names: Sequence[str]) -> None:
        """Keys for further parts."""
        users = self.users()
        for name in _once(names):
            _check_part(name)
            if name in users:
                raise InputError(
                    f"{name} has keys already: --rotate gives it new ones", field="--add"
                )
        self._renew(names, users, replacing=())

    def rotate(self, names: Sequence[str]) -> None:
        """New keys in place of the present ones; `server`: the server's, for the same names."""
        users = self.users()
        self._check_known([name for name in _once(names) if name != SERVER], users)
        self._renew(names, users, replacing=names)

    def revoke(self, names: Sequence[str]) -> None:
        """These are users no more, once the server has reloaded; their keys here are removed."""
        users = self.users()
        self._check_known(_once(names), users)
        left = {name: key for name, key in users.items() if name not in names}
        self._change(lambda new: _write_users(new, left), replacing=_USERS, removing=names)

    def users(self) -> dict[str, str]:
        """The public nkey of each part, by name."""
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
        raise InputError("not readable: it is the list of parts and their public keys", file=file)

    def expiry(self, name: str) -> datetime | None:
        """When the certificate of a part, or of the server, ends; None: it is not here."""
        file = self.folder / name / CERTIFICATE
        return read_certificate(file).not_valid_after_utc if file.exists() else None

    def _renew(self, names: Sequence[str], users: dict[str, str], replacing: Sequence[str]) -> None:
        ca = self._ca()

        def write(new: Path) -> None:
            for name in names:
                if name == SERVER:
                    known = names_of(read_certificate(self.folder / SERVER / CERTIFICATE))
                    server = make_server(ca, known, self.now, self.days)
                    _write_certified(_folder(new / SERVER), server)
                else:
                    users[name] = self._write_part(new, ca, name)
            _write_users(new, users)

        self._change(write, replacing=(*replacing, *_USERS))

    def _ca(self) -> Certified:
        file = self.folder / CA_FOLDER / KEY
        try:
            key = serialization.load_pem_private_key(file.read_bytes(), password=None)
        except FileNotFoundError:
            reason = "the CA's private key is not here: bring it back from where it is kept"
            raise InputError(reason, file=file) from None
        except (OSError, ValueError, TypeError) as error:
            raise InputError(f"not a private key that can be read: {error}", file=file) from None
        certificate = read_certificate(self.folder / CA)
        if (
            not isinstance(key, ec.EllipticCurvePrivateKey)
            or key.public_key() != certificate.public_key()
        ):
            raise InputError(f"not the private key of {CA}", file=file)
        return Certified(key, certificate)

    def _write_part(self, new: Path, ca: Certified, name: str) -> str:
        """The files of a part; its public nkey."""
        folder = _folder(new / name)
        seed = nkeys.encode_seed(token_bytes(32), nkeys.PREFIX_BYTE_USER)
        _write(folder / SEED, seed + b"\n", _PRIVATE)
        _write_certified(folder, make_part(ca, name, self.now, self.days))
        _write(folder / CA, ca.pem(), _PUBLIC)
        return public_key(seed.decode(), folder / SEED)

    def _check_known(self, names: Iterable[str], users: Iterable[str]) -> None:
        for name in names:
            if name not in users:
                raise InputError(
                    f"no part {name}: there are {', '.join(sorted(users))}", file=self.folder
                )

    def _change(
        self,
        write: Callable[[Path], None],
        *,
        replacing: Iterable[str],
        removing: Iterable[str] = (),
    ) -> None:
        """Put what `write` writes into its place; only what is named may be there before."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for leftover in self.folder.glob(f"{_UNFINISHED}*"):
                rmtree(leftover)
            with TemporaryDirectory(prefix=_UNFINISHED, dir=self.folder) as name:
                new, old = _folder(Path(name) / "new"), _folder(Path(name) / "old")
                write(new)
                # Folders come first, and the list of parts last.
                entries = sorted(new.iterdir(), key=lambda e: (e.is_file(), e.name == PARTS_FILE))
                for entry in entries:
                    place = self.folder / entry.name
                    if place.exists() and entry.name not in replacing:
                        raise InputError("exists already: keys are never overwritten", file=place)
                for entry in entries:
                    place = self.folder / entry.name
                    if place.is_dir():
                        place.replace(old / entry.name)
                    entry.replace(place)
                for gone in removing:
                    if (self.folder / gone).exists():
                        (self.folder / gone).replace(old / gone)
        except OSError as error:
            reason = f"cannot be written ({error.strerror or error})"
            raise InputError(reason, file=error.filename or self.folder) from error


def read_certificate(file: Path) -> x509.Certificate:
    """The certificate in a file; InputError if there is none."""
    try:
        return x509.load_pem_x509_certificate(file.read_bytes())
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=file) from None
    except ValueError:
        raise InputError("not a certificate", file=file) from None


def _check_part(name: str) -> None:
    check_name(name, "name of a part")
    if name in _TAKEN:
        raise InputError(f"{name} cannot be the name of a part: it has a meaning of its own")


def _check_server(name: str) -> None:
    try:
        ip_address(name)
    except ValueError:
        if not _SERVER_NAME.fullmatch(name):
            raise InputError(
                f"{name!r} is no name or address of a server: write it as in the URL, without "
                "scheme and port",
                field="--server",
            ) from None


def _once(names: Sequence[str]) -> Sequence[str]:
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{name} is named twice")
    return names


def _write_users(folder: Path, users: Mapping[str, str]) -> None:
    _write(folder / USERS_FILE, users_config(users).encode(), _PUBLIC)
    listed = json.dumps(dict(sorted(users.items())), indent=1)
    _write(folder / PARTS_FILE, f"{listed}\n".encode(), _PUBLIC)


def _write_certified(folder: Path, made: Certified) -> None:
    _write(folder / KEY, made.key_pem(), _PRIVATE)
    _write(folder / CERTIFICATE, made.pem(), _PUBLIC)


def _folder(path: Path) -> Path:
    path.mkdir(mode=0o700)
    return path


def _write(path: Path, content: bytes, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
