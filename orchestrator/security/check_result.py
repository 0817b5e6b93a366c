"""What a check has found: whether it is well, and if not, what to do."""

from typing import NamedTuple


class Finding(NamedTuple):
    """One line of `coflex doctor`."""

    what: str
    well: bool | None
    """None: could not be checked, and need not be."""
    text: str

    def __str__(self) -> str:
        sign = {True: "ok", False: "FAILS", None: "-"}[self.well]
        return f"{sign:6}{self.what:28} {self.text}"


def good(what: str, text: str) -> Finding:
    """All is well."""
    return Finding(what, True, text)


def bad(what: str, text: str) -> Finding:
    """Something is wrong; the text says what to do."""
    return Finding(what, False, text)


def unknown(what: str, text: str) -> Finding:
    """Not checked; the text says what would be needed."""
    return Finding(what, None, text)
