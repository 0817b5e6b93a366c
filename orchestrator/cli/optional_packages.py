"""Checks for optional packages before a command starts, not after it has run for minutes.

Only this module knows which extra contains which package.
"""

from importlib.util import find_spec

from protocol.errors import InputError

EXTRAS = {
    "report": (
        "charset-normalizer",
        "clarabel",
        "jinja2",
        "kneed",
        "matplotlib",
        "pandas",
        "plotly",
        "pyarrow",
        "pyscipopt",
        "scipy",
        "tzdata",
    )
}
"""The packages of each extra, as in pyproject.toml."""


def require(purpose: str, *packages: str) -> None:
    """Raise InputError if one of the packages is missing; `purpose` says what needs them."""
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        extras = sorted(extra for extra, brought in EXTRAS.items() if {*missing} & {*brought})
        raise InputError(
            f"{purpose} needs {', '.join(missing)}: install the extra, "
            f"pip install 'coflex[{','.join(extras)}]'"
        )
