"""Who an endpoint is on a bus with keys: its files, and the TLS and the nkey that come of them.

Which keys there are is decided where they are made (`coflex keys`); what their holder may say and
hear is in permissions.py, and held by the server.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path

from protocol.errors import InputError

CA, CERTIFICATE, KEY, SEED = "ca.pem", "cert.pem", "key.pem", "user.nk"
"""Files of a part: whom it trusts, who it is (both PEM), its private key, its nkey's seed."""
_ANEW = "make them anew with `coflex keys --rotate`, or copy the folder of the part again"


@dataclass(frozen=True, slots=True)
class Identity:
    """What a connection needs to show who it is, and to know who answers."""

    tls: ssl.SSLContext
    """Trusts the run's own CA alone; shows the certificate of this part."""
    seed: str
    """Of the nkey with which it signs the server's challenge."""


def folder_of(keys: Path, name: str) -> Path:
    """The files of `name`: in its own folder in `keys`, or in `keys` itself where a machine was
    given no others. InputError if they are in neither."""
    for folder in (keys / name, keys):
        if (folder / SEED).is_file():
            return folder
    raise InputError(
        f"no keys of {name} here: make them with `coflex keys`, or copy the folder {name} to "
        "this machine",
        file=keys,
    )


def read_identity(keys: Path, name: str) -> Identity:
    """The identity of `name`; InputError names the file that is missing or wrong."""
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
        # A password is never asked for: nobody sits in front of a host.
        context.load_cert_chain(folder / CERTIFICATE, folder / KEY, password="")
    except (ssl.SSLError, ValueError):
        reason = f"{CERTIFICATE} and {KEY} are not a certificate and its key: {_ANEW}"
        raise InputError(reason, file=folder) from None
    seed = (folder / SEED).read_text(errors="replace").strip()
    public_key(seed, folder / SEED)
    return Identity(context, seed)


def public_key(seed: str, file: Path) -> str:
    """The public key of a user's seed, as the server knows it; InputError if it is none."""
    import nkeys  # only who has keys pays for loading it

    try:
        if seed.startswith("SU"):
            return str(nkeys.from_seed(bytearray(seed.encode())).public_key.decode())
    except (nkeys.NkeysError, ValueError):
        pass
    raise InputError(f"not the seed of a user's nkey: {_ANEW}", file=file)
