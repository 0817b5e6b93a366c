"""Atomic writing: files and folders that appear complete, or not at all.

`drafted` never overwrites. `scratch_folder` holds files that will replace others; callers decide
which, and in which order.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory

from protocol.errors import InputError


@contextmanager
def drafted(path: Path) -> Iterator[Path]:
    """Yield an unused name next to `path`, which is renamed to `path` if the block succeeds.

    Raises InputError if `path` exists and is not an empty folder, or if it cannot be written.
    """
    place = path.absolute()
    draft = place.with_name(f".{place.name}-{token_hex(4)}")
    try:
        if place.is_symlink() or place.is_file() or (place.exists() and any(place.iterdir())):
            raise InputError("exists already: name a new one", file=path)
        place.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        draft.rename(place)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", file=path) from error
    finally:
        if draft.is_dir():
            shutil.rmtree(draft)
        elif draft.exists():
            draft.unlink()


@contextmanager
def scratch_folder(folder: Path, prefix: str = ".writing-") -> Iterator[Path]:
    """Create `folder` and a temporary folder inside it, from which files can be moved at once.

    Temporary folders of killed processes, with the same prefix, are removed first. The new one is
    removed when the block ends. Raises OSError if the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob(f"{prefix}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    with TemporaryDirectory(
        prefix=prefix, dir=folder.absolute(), ignore_cleanup_errors=True
    ) as name:
        yield Path(name)
