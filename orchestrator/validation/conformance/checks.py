"""What was checked of a household, and what came of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

PAGE = "docs/protocol.md"


@dataclass(frozen=True, slots=True)
class Check:
    """One check."""

    name: str
    passed: bool | None
    """None: it could not be tried."""
    expected: str
    came: str
    section: str
    """Of docs/protocol.md."""

    @property
    def lines(self) -> list[str]:
        """For people: one line, or what was wrong and where it is said."""
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
    """The household did not say what everything after it needs."""


class CheckList:
    """All checks so far. A check that was made several times has passed if it always has."""

    def __init__(self) -> None:
        self._found: dict[str, Check] = {}

    @property
    def found(self) -> tuple[Check, ...]:
        """In the order in which the checks were first made, or first failed."""
        return tuple(self._found.values())

    @property
    def passed(self) -> bool:
        """Whether something was checked and nothing was wrong."""
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
        """A part of the tests: where the household is stuck, the next part is tried."""
        try:
            yield
        except StuckError:
            return
