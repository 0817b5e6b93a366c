"""Checked input: files that people write, turned into values or into one clear InputError.

The fields are defined where they are read; this module only decides how a mistake is reported.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from protocol.errors import InputError

_PARSING = re.compile(r", unable to parse string as an? \w+$")
"""What pydantic adds to a message that has said it already."""


def read_toml(file: Path, *, field: str | None = None) -> dict[str, Any]:
    """Read a TOML file. InputError names the file, and `field` if it does not exist."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputError("no such file", file=file, field=field) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"not a TOML file: {error}", file=file) from error


def first_mistake(error: ValidationError) -> tuple[str, str, str]:
    """Return the first mistake pydantic found: its dotted field, its message and its kind."""
    first = error.errors()[0]
    return ".".join(str(part) for part in first["loc"]), first["msg"], first["type"]


def in_own_style(message: str) -> str:
    """Return a message of pydantic or typer in the style of our own: no capital, no "Input"."""
    plain = message.strip().rstrip(".").removeprefix("Value error, ")
    plain = plain[:1].lower() + plain[1:]
    return _PARSING.sub("", plain.replace("input should be", "must be"))


def invalid(
    error: ValidationError, *, file: Path, line: int | None = None, prefix: str = ""
) -> InputError:
    """Return the InputError for the first mistake pydantic found in a file; `prefix` precedes its
    message."""
    field, message, _ = first_mistake(error)
    return InputError(f"{prefix}{in_own_style(message)}", file=file, line=line, field=field or None)
