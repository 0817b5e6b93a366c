"""Atomic writing: files and folders that appear complete, or not at all.

Decides that nothing is overwritten.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from protocol.errors import InputError


@contextmanager
def drafted(path: Path) -> Iterator[Path]:
    """Yield a free name beside `path`; it is renamed to `path` when the block ends without error.

    InputError if `path` exists, unless as an empty folder, or if it cannot be written. After any
    failure nothing remains.
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
