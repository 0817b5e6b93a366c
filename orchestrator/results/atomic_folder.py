"""Files that appear in a folder together, or not at all. What they contain is decided elsewhere."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from shutil import copytree, rmtree

from agents.population.atomic_write import scratch_folder
from protocol.errors import InputError


def publish(
    folder: Path,
    files: Mapping[str, bytes],
    *,
    seal: str,
    stale: Iterable[str] = (),
    folders: Mapping[str, Path] | None = None,
) -> None:
    """Write `files` (name: content) and copies of `folders` (name: where it is) into `folder`,
    remove what matches the patterns `stale`, and leave everything else in it alone.

    The file `seal` tells readers that the rest is there and belongs together: it is removed first
    and comes back last. All is on disk under temporary names before anything old goes, so a full
    disk leaves the old files as they were. Raises InputError where the folder cannot be written.
    """
    try:
        with scratch_folder(folder) as written:
            for name, content in files.items():
                _write(written / name, content)
            for name, source in (folders or {}).items():
                copytree(source, written / name)
            (folder / seal).unlink(missing_ok=True)
            for pattern in stale:
                for old in folder.glob(pattern):
                    rmtree(old) if old.is_dir() else old.unlink()
            for name in folders or ():
                (written / name).replace(folder / name)
            for name in sorted(files, key=lambda name: name == seal):
                (written / name).replace(folder / name)
    except OSError as error:
        reason = f"cannot be written ({error.strerror or error}): choose another folder"
        raise InputError(reason, file=error.filename or folder) from error


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
