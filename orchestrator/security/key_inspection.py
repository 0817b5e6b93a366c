"""Checks of the keys in a folder: certificate chains, names, dates and file permissions."""

import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from orchestrator.security.certificates import names_of
from orchestrator.security.check_result import CheckResult, bad, good
from orchestrator.security.key_files import read_certificate
from orchestrator.security.keyring import PARTS_FILE, Keyring
from orchestrator.security.server_config import SERVER, USERS_FILE, users_config
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

SOON = timedelta(days=30)
"""A certificate that expires sooner should be replaced now."""


def parts_in(keys: Path) -> list[str]:
    """Return the parts whose keys are in a folder.

    Each part has its own folder inside. On the machine of a single part, its files may be directly
    in `keys`, and the certificate has its name. Raises InputError if there are no keys.
    """
    if (keys / SEED).is_file():
        return names_of(read_certificate(keys / CERTIFICATE))[:1]
    found = sorted(seed.parent.name for seed in keys.glob(f"*/{SEED}"))
    if not found:
        raise InputError("no keys of any part here: make them with `coflex keys`", file=keys)
    return found


def inspect_part(keys: Path, name: str, now: datetime) -> Iterator[CheckResult]:
    """Check the files of one part."""
    what = f"keys of {name}"
    try:
        folder = folder_of(keys, name)
        read_identity(keys, name)
        certificate = read_certificate(folder / CERTIFICATE)
        known = names_of(certificate)
        ca = read_certificate(folder / CA)
    except InputError as error:
        yield bad(what, str(error))
        return
    if known != [name]:
        yield bad(what, f"the certificate is for {', '.join(known)}: copy the folder {name} here")
        return
    for file in (KEY, SEED):
        if stat.S_IMODE((folder / file).stat().st_mode) & stat.S_IRWXO:
            yield bad(what, f"other users can access {file}: chmod 600 {folder / file}")
    renew = f"coflex keys DIR --rotate {name}"
    yield _certified(what, certificate, ca, now=now, renew=renew)


def inspect_server(keys: Path, now: datetime) -> Iterator[CheckResult]:
    """Check the server's files and the list of users, if this is the folder of all keys."""
    if not (keys / PARTS_FILE).exists():
        return
    try:
        ring = Keyring(keys, now)
        users, leaves = ring.users(), ring.leaves()
        certificate = read_certificate(keys / SERVER / CERTIFICATE)
        ca = read_certificate(keys / CA)
        written = (keys / USERS_FILE).read_text()
        seeds = {n: (keys / n / SEED) for n in users if (keys / n / SEED).is_file()}
        own = {n: public_key(file.read_text().strip(), file) for n, file in seeds.items()}
    except (InputError, OSError) as error:
        yield bad("server's files", str(error))
        return
    renew = "coflex keys DIR --rotate server"
    yield _certified("server's certificate", certificate, ca, now=now, renew=renew)
    changed = [name for name, key in own.items() if users[name] != key]
    if changed:
        reason = f"{', '.join(changed)}: keys differ from those in {PARTS_FILE}: rotate them"
        yield bad("users", reason)
    elif written != users_config(users, leaves):
        reason = f"{USERS_FILE} does not match {PARTS_FILE}: any --rotate rewrites it"
        yield bad("users", reason)
    else:
        yield good("users", f"{len(users)} parts")


def _certified(
    what: str, certificate: x509.Certificate, ca: x509.Certificate, *, now: datetime, renew: str
) -> CheckResult:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    try:
        certificate.verify_directly_issued_by(ca)
    except (ValueError, TypeError, InvalidSignature):
        return bad(what, f"the certificate is not from the CA in {CA}: {renew}")
    if now < begins:
        return bad(what, f"not valid until {begins:%Y-%m-%d %H:%M}: set this machine's clock")
    if now > ca.not_valid_after_utc:
        return bad(what, "the CA's certificate has expired: make keys in a new folder")
    if now > ends:
        return bad(what, f"expired on {ends:%Y-%m-%d}: {renew}")
    if now > ends - SOON:
        return bad(what, f"expires on {ends:%Y-%m-%d}: {renew}")
    return good(what, f"valid until {ends:%Y-%m-%d}")
