"""Files that appear in a folder together, or not at all. What they contain is decided elsewhere."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from shutil import copytree, rmtree
from tempfile import TemporaryDirectory

from protocol.errors import InputError

_UNFINISHED = ".writing-"


def publish(
    folder: Path,
    files: Mapping[str, bytes],
    *,
    seal: str,
    stale: Iterable[str] = (),
    folders: Mapping[str, Path] | None = None,
) -> None:
    """Write `files` (name: content) and copies of `folders` (name: where it is) into `folder`;
    files of others in it are left alone.

    `seal` is the one whose presence says that the rest is there and belongs together: it goes
    first and comes last. Everything is on disk under temporary names before anything old goes, so
    a full disk leaves the old files as they were. Files matching the patterns `stale` are removed.
    InputError where the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob(f"{_UNFINISHED}*"):
            rmtree(leftover, ignore_errors=True)
        with TemporaryDirectory(prefix=_UNFINISHED, dir=folder) as written:
            for name, content in files.items():
                _write(Path(written) / name, content)
            for name, source in (folders or {}).items():
                copytree(source, Path(written) / name)
            (folder / seal).unlink(missing_ok=True)
            for pattern in stale:
                for old in folder.glob(pattern):
                    rmtree(old) if old.is_dir() else old.unlink()
            for name in folders or ():
                (Path(written) / name).replace(folder / name)
            for name in sorted(files, key=lambda name: name == seal):
                (Path(written) / name).replace(folder / name)
    except OSError as error:
        reason = f"cannot be written ({error.strerror or error}): choose another folder"
        raise InputError(reason, file=error.filename or folder) from error


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
