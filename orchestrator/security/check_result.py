"""The result of a check by `coflex doctor`: passed or not, and if not, what to do."""

from typing import NamedTuple


class CheckResult(NamedTuple):
    """One line of `coflex doctor`."""

    what: str
    passed: bool | None
    """None if it was not checked."""
    text: str

    def __str__(self) -> str:
        sign = {True: "ok", False: "FAILS", None: "-"}[self.passed]
        return f"{sign:6}{self.what:28} {self.text}"


def good(what: str, text: str) -> CheckResult:
    """Return the result of a check that passed."""
    return CheckResult(what, True, text)


def bad(what: str, text: str) -> CheckResult:
    """Return the result of a check that failed; `text` says what to do."""
    return CheckResult(what, False, text)


def unknown(what: str, text: str) -> CheckResult:
    """Return the result of a check that was not made; `text` says what it would need."""
    return CheckResult(what, None, text)
