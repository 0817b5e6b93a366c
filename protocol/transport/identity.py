"""The identity of an endpoint on a bus with keys: its files, and the TLS context and nkey made from
them.

Keys are made by `coflex keys`. What their holder may publish and subscribe is decided in
permissions.py and enforced by the server.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path

from protocol.errors import InputError

CA, CERTIFICATE, KEY, SEED = "ca.pem", "cert.pem", "key.pem", "user.nk"
"""Files of a part: the certificate of the CA it trusts, its own certificate, its private key (all
PEM), and the seed of its nkey."""
_ANEW = "make them anew with `coflex keys --rotate`, or copy the folder of the part again"


@dataclass(frozen=True, slots=True)
class Identity:
    """The proof of an endpoint's identity, and its means to check the server's."""

    tls: ssl.SSLContext
    """TLS context that trusts the CA of this bus only, and presents the certificate of the part."""
    seed: str
    """Seed of the nkey that signs the server's challenge."""


def folder_of(keys: Path, name: str) -> Path:
    """Return the folder with the files of `name`: its own folder inside `keys`, or `keys` itself on
    a machine that has the files of one part only.

    Raises InputError if the files are in neither.
    """
    for folder in (keys / name, keys):
        if (folder / SEED).is_file():
            return folder
    raise InputError(
        f"no keys of {name} here: make them with `coflex keys`, or copy the folder {name} to "
        "this machine",
        file=keys,
    )


def read_identity(keys: Path, name: str) -> Identity:
    """Read the identity of `name`. InputError names the file that is missing or wrong."""
    folder = folder_of(keys, name)
    for file in (CA, CERTIFICATE, KEY, SEED):
        try:
            (folder / file).read_bytes()
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", file=folder / file) from None
    try:
        context = ssl.create_default_context(cafile=folder / CA)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
    except ssl.SSLError:
        raise InputError(f"not a certificate: {_ANEW}", file=folder / CA) from None
    try:
        # Never ask for a password: nobody sits in front of a host.
        context.load_cert_chain(folder / CERTIFICATE, folder / KEY, password="")
    except (ssl.SSLError, ValueError):
        reason = f"{CERTIFICATE} and {KEY} are not a certificate and its key: {_ANEW}"
        raise InputError(reason, file=folder) from None
    seed = (folder / SEED).read_text(errors="replace").strip()
    public_key(seed, folder / SEED)
    return Identity(context, seed)


def public_key(seed: str, file: Path) -> str:
    """Return the public key of a user's seed, as the server knows it. Raises InputError if it is
    not a seed."""
    import nkeys  # loaded only where keys are used

    try:
        if seed.startswith("SU"):
            return str(nkeys.from_seed(bytearray(seed.encode())).public_key.decode())
    except (nkeys.NkeysError, ValueError):
        pass
    raise InputError(f"not the seed of a user's nkey: {_ANEW}", file=file)
