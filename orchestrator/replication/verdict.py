"""What a claim is held against: a measure over runs, where it would have to lie, and the verdict.

A verdict rests on the 95 % interval of the mean, not on the mean alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isnan
from typing import Literal

from orchestrator.replication.measurements import Point, point

Verdict = Literal["holds", "differs", "not settled"]
ROUNDING = 1e-9
"""Below this a change is rounding."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A measure, a value for each run, and the range that a claim gives it."""

    what: str
    values: Sequence[float]
    low: float = -inf
    high: float = inf
    form: str = ".3f"
    """How a value is written."""

    @property
    def point(self) -> Point:
        """The mean over runs and its 95 % interval."""
        return point(0.0, self.values)

    @property
    def verdict(self) -> Verdict:
        """Whether the interval lies wholly inside the range, wholly outside, or neither."""
        own = self.point
        low, high = (own.mean, own.mean) if isnan(own.low) else (own.low, own.high)
        if self.low - ROUNDING <= low and high <= self.high + ROUNDING:
            return "holds"
        return "differs" if high < self.low or low > self.high else "not settled"

    @property
    def told(self) -> str:
        """Mean and interval in words."""
        own = self.point
        if isnan(own.mean):
            return f"{self.what}: none"
        mean = format(own.mean, self.form)
        if isnan(own.low):
            return f"{self.what}: {mean}"
        return f"{self.what}: {mean} [{own.low:{self.form}}, {own.high:{self.form}}]"


@dataclass(frozen=True, slots=True)
class Claim:
    """What the source says, where, and what was found."""

    where: str
    says: str
    findings: Sequence[Finding]
    why: str = ""
    """Why it may differ here."""

    @property
    def verdict(self) -> Verdict:
        """That of the finding that speaks most against it."""
        found = {finding.verdict for finding in self.findings}
        if "differs" in found:
            return "differs"
        return "not settled" if "not settled" in found else "holds"

    @property
    def measured(self) -> str:
        """All findings in words."""
        return "; ".join(finding.told for finding in self.findings)
