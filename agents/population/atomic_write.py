"""Atomic writing: files and folders that appear complete, or not at all.

`drafted` never overwrites. `scratch_folder` is where files wait that will replace others; which
they replace, and in which order, is decided by its callers.
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
    """Yield a free name beside `path`; it is renamed to `path` when the block ends without error.

    Raises InputError if `path` exists, unless as an empty folder, or cannot be written.
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
    """Create `folder` and a temporary folder in it, on the same disk, so that files can be moved
    from there into place at once.

    Whatever a killed process left there under this prefix is removed first; the temporary folder
    goes when the block ends. Raises OSError if the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob(f"{prefix}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    with TemporaryDirectory(
        prefix=prefix, dir=folder.absolute(), ignore_cleanup_errors=True
    ) as name:
        yield Path(name)
