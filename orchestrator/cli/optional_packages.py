"""Packages that only some commands need: said before anything runs, not when it has."""

from importlib.util import find_spec

from protocol.errors import InputError


def require(what: str, *packages: str) -> None:
    """InputError if one of `packages`, which the extra `report` brings, is not installed; `what`
    needs them."""
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise InputError(f"{what} needs {', '.join(missing)}: install the extra, coflex[report]")
