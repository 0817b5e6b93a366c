"""Writing of files into a folder, all together or not at all; callers decide their contents."""

import errno
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from shutil import Error as CopyError
from shutil import copytree, disk_usage, rmtree

from agents.population.atomic_write import scratch_folder
from agents.population.size_limits import as_size
from protocol.errors import InputError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_TRIAL = b"coflex\n"
_ERRNO = re.compile(r"\[Errno (\d+)\]")


def publish(
    folder: Path,
    files: Mapping[str, bytes],
    *,
    seal: str,
    stale: Iterable[str] = (),
    folders: Mapping[str, Path] | None = None,
) -> None:
    """Write `files` (content by name) and copies of `folders` (source by name) into `folder`, and
    remove everything that matches the patterns `stale`. Everything else in it stays.

    The file `seal` tells readers that the others are complete and belong together, so it is removed
    first and written last. All new files are on disk under temporary names before any old one is
    removed, so a full disk leaves the old files unchanged. Raises InputError if the folder cannot
    be written.
    """
    sources = dict(folders or {})
    try:
        with scratch_folder(folder) as written:
            for name, content in files.items():
                _write(written / name, content)
            for name, source in sources.items():
                copytree(source, written / name)
            (folder / seal).unlink(missing_ok=True)
            for pattern in stale:
                for old in folder.glob(pattern):
                    rmtree(old) if old.is_dir() else old.unlink()
            for name in sources:
                (written / name).replace(folder / name)
            for name in sorted(files, key=lambda name: name == seal):
                (written / name).replace(folder / name)
    except OSError as error:
        size = sum(map(len, files.values())) + sum(map(_size_of, sources.values()))
        raise _cannot_write(folder, error, size) from error


def try_folder(folder: Path) -> None:
    """Check that files can be written into `folder`, before hours of computation.

    Writes a trial file, and removes it again together with all folders made for it. Raises
    InputError if that is impossible.
    """
    place = folder.absolute()
    made = [parent for parent in (place, *place.parents) if not parent.exists()]
    try:
        with scratch_folder(folder) as written:
            _write(written / "trial", _TRIAL)
    except OSError as error:
        raise _cannot_write(folder, error, len(_TRIAL)) from error
    finally:
        for parent in made:
            if parent.is_dir():
                parent.rmdir()


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _cannot_write(folder: Path, error: OSError, size: int) -> InputError:
    """Return an error that names the folder and, if it is full, the disk on which `size` bytes did
    not fit."""
    if isinstance(error, CopyError):
        error = _first_of(error)
    reason = error.strerror or str(error)
    if error.errno in _FULL:
        reason += f"; {_lack_of_room(folder, size)}"
    return InputError(f"cannot be written ({reason}): choose another folder", file=folder)


def _lack_of_room(folder: Path, size: int) -> str:
    """Say what `size` bytes lack on the disk of `folder`, which has what was written there removed
    by now; more than bytes can be used up (files, a quota)."""
    place = folder.absolute()
    while not place.is_mount() and place != place.parent:
        place = place.parent
    free = disk_usage(place).free
    if size <= free:
        return f"the disk at {place} is full"
    return f"{as_size(size)} are needed, and the disk at {place} has {as_size(free)} free"


def _size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _first_of(error: CopyError) -> OSError:
    """Return the first of the errors in copying a folder, which are kept as text only."""
    (_, _, said), *_ = error.args[0]
    found = _ERRNO.match(said)
    return OSError(int(found[1]), os.strerror(int(found[1]))) if found else OSError(said)
