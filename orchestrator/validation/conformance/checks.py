"""What was checked of a household, and what came of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

PAGE = "docs/protocol.md"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check."""

    check: str
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
            return [f"passed  {self.check}"]
        word = "not tried" if self.passed is None else "FAILED"
        return [
            f"{word}  {self.check}",
            f"        expected: {self.expected}",
            f"        came:     {self.came}",
            f"        see:      {PAGE}, {self.section}",
        ]


class StuckError(Exception):
    """The household did not say what everything after it needs."""


class Findings:
    """All findings so far. A check that was made several times has passed if it always has."""

    def __init__(self) -> None:
        self._found: dict[str, Finding] = {}

    @property
    def found(self) -> tuple[Finding, ...]:
        """In the order in which the checks were first made, or first failed."""
        return tuple(self._found.values())

    @property
    def passed(self) -> bool:
        """Whether something was checked and nothing was wrong."""
        return bool(self._found) and all(found.passed is not False for found in self.found)

    def note(self, finding: Finding) -> None:
        """Add a finding."""
        before = self._found.get(finding.check)
        worse = before is not None and before.passed is True and finding.passed is False
        if before is None or before.passed is None or worse:
            self._found.pop(finding.check, None)
            self._found[finding.check] = finding

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """A part of the tests: where the household is stuck, the next part is tried."""
        try:
            yield
        except StuckError:
            return
