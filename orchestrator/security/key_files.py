"""Files of keys: never overwritten, and if private, readable only by their owner.

`keyring.py` decides their contents.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from cryptography import x509

from agents.population.atomic_write import scratch_folder
from orchestrator.security.certificates import Certified
from protocol.errors import InputError
from protocol.transport.identity import CERTIFICATE, KEY

_PRIVATE, _PUBLIC = 0o600, 0o644


def change(
    folder: Path,
    write: Callable[[Path], None],
    *,
    last: str,
    replacing: Iterable[str] = (),
    removing: Iterable[str] = (),
) -> None:
    """Call `write` with a temporary folder, and move the files it has written into `folder`.

    The file named `last` is moved last. Only files named in `replacing` may exist already; those
    named in `removing` are removed. Raises InputError if this is impossible; nothing is changed
    then.
    """
    try:
        with scratch_folder(folder) as scratch:
            new, old = make_folder(scratch / "new"), make_folder(scratch / "old")
            write(new)
            # Folders are moved before files.
            entries = sorted(new.iterdir(), key=lambda e: (e.is_file(), e.name == last))
            for entry in entries:
                place = folder / entry.name
                if place.exists() and entry.name not in replacing:
                    raise InputError("already exists: keys are never overwritten", file=place)
            for entry in entries:
                place = folder / entry.name
                if place.is_dir():
                    place.replace(old / entry.name)
                entry.replace(place)
            for gone in removing:
                if (folder / gone).exists():
                    (folder / gone).replace(old / gone)
    except OSError as error:
        reason = f"cannot be written ({error.strerror or error})"
        raise InputError(reason, file=error.filename or folder) from error


def read_certificate(file: Path) -> x509.Certificate:
    """Read the certificate in a file; raises InputError if there is none."""
    try:
        return x509.load_pem_x509_certificate(file.read_bytes())
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=file) from None
    except ValueError:
        raise InputError("not a certificate", file=file) from None


def write_certified(folder: Path, certified: Certified) -> None:
    """Write a private key and its certificate."""
    write_private(folder / KEY, certified.key_pem())
    write_public(folder / CERTIFICATE, certified.pem())


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object with sorted keys, which others may read."""
    write_public(path, f"{json.dumps(dict(sorted(content.items())), indent=1)}\n".encode())


def make_folder(path: Path) -> Path:
    """Make a new folder that only its owner may use."""
    path.mkdir(mode=0o700)
    return path


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that only its owner may read."""
    _write(path, content, _PRIVATE)


def write_public(path: Path, content: bytes) -> None:
    """Write a new file that others may read."""
    _write(path, content, _PUBLIC)


def _write(path: Path, content: bytes, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
