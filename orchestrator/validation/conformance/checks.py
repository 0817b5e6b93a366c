"""The checks of a household, and their results."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

PAGE = "docs/protocol.md"


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check."""

    name: str
    passed: bool | None
    """None if the check could not be tried."""
    expected: str
    came: str
    section: str
    """The section of docs/protocol.md."""

    @property
    def lines(self) -> list[str]:
        """Lines for people: one for a passed check; otherwise also the fault and where the rule is
        written."""
        if self.passed:
            return [f"passed  {self.name}"]
        word = "not tried" if self.passed is None else "FAILED"
        return [
            f"{word}  {self.name}",
            f"        expected: {self.expected}",
            f"        came:     {self.came}",
            f"        see:      {PAGE}, {self.section}",
        ]


class StuckError(Exception):
    """A required message of the household did not come, so the current part of the test cannot
    continue."""


class CheckList:
    """The results of all checks so far. A check that was made several times passes if it passed
    every time."""

    def __init__(self) -> None:
        self._found: dict[str, Check] = {}

    @property
    def found(self) -> tuple[Check, ...]:
        """The checks, in the order in which they were first made, or first failed."""
        return tuple(self._found.values())

    @property
    def passed(self) -> bool:
        """True if something was checked and nothing failed."""
        return bool(self._found) and all(found.passed is not False for found in self.found)

    def note(self, check: Check) -> None:
        """Add a check, or replace one that was not tried or passed before."""
        before = self._found.get(check.name)
        worse = before is not None and before.passed is True and check.passed is False
        if before is None or before.passed is None or worse:
            self._found.pop(check.name, None)
            self._found[check.name] = check

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Run a part of the test; if the household gets stuck in it, continue with the next
        part."""
        try:
            yield
        except StuckError:
            return
