"""Claims of the paper, the criteria that decide them, and the verdicts.

A verdict depends on the 95 % interval of the mean over runs, not only on the mean. `claims` decides
which claims there are and what is measured for each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isnan
from typing import Literal

from orchestrator.replication.measurements import Point, point

Verdict = Literal["holds", "differs", "not settled"]
ROUNDING = 1e-9
"""A change smaller than this is rounding."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """A measure, its value in each run, and the range in which it lies if a claim is true."""

    what: str
    values: Sequence[float]
    low: float = -inf
    high: float = inf
    form: str = ".3f"
    """Format of the values."""

    @property
    def point(self) -> Point:
        """The mean over runs and its 95 % interval."""
        return point(0.0, self.values)

    @property
    def verdict(self) -> Verdict:
        """The verdict: "holds" if the interval is inside the range, "differs" if it is outside."""
        own = self.point
        low, high = (own.mean, own.mean) if isnan(own.low) else (own.low, own.high)
        if self.low - ROUNDING <= low and high <= self.high + ROUNDING:
            return "holds"
        return "differs" if high < self.low or low > self.high else "not settled"

    @property
    def measured(self) -> str:
        """Mean and interval as text."""
        own = self.point
        if isnan(own.mean):
            return f"{self.what}: none"
        mean = format(own.mean, self.form)
        if isnan(own.low):
            return f"{self.what}: {mean}"
        return f"{self.what}: {mean} [{own.low:{self.form}}, {own.high:{self.form}}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A statement of the paper, its place there, and the criteria that judge it."""

    where: str
    """Figure, table or section of the paper."""
    says: str
    criteria: Sequence[Criterion]
    why: str = ""
    """A reason for a possible difference in these runs."""

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of its criteria."""
        found = {criterion.verdict for criterion in self.criteria}
        if "differs" in found:
            return "differs"
        return "not settled" if "not settled" in found else "holds"

    @property
    def measured(self) -> str:
        """The measurements of all criteria as text."""
        return "; ".join(criterion.measured for criterion in self.criteria)
