"""Claims of the paper, the criteria that decide them, and the verdicts.

A verdict depends on the 95 % interval of the mean over runs, not only on the mean. `claims` decides
which claims there are and what is measured for each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isnan
from typing import Literal

from orchestrator.experiments.statistics import FEWEST_SHOWN
from orchestrator.replication.measurements import Point, point

Verdict = Literal["holds", "differs", "not settled"]
ROUNDING = 1e-9
"""A change smaller than this is rounding."""
TOO_FEW_RUNS = f"a verdict needs at least {FEWEST_SHOWN} runs"


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
    def has_too_few_runs(self) -> bool:
        """True if there are values, but too few for an interval."""
        return len(self.values) < FEWEST_SHOWN and not isnan(self.values[0])

    @property
    def verdict(self) -> Verdict:
        """The verdict: "holds" if the interval is inside the range, "differs" if it is outside.

        Without an interval, because there are too few runs, nothing is settled.
        """
        own = self.point
        if self.low - ROUNDING <= own.low and own.high <= self.high + ROUNDING:
            return "holds"
        return "differs" if own.high < self.low or own.low > self.high else "not settled"

    @property
    def measured(self) -> str:
        """Mean and interval as text; the mean alone if all runs have this value."""
        own = self.point
        if isnan(own.mean):
            return f"{self.what}: none"
        mean = self._text(own.mean)
        if isnan(own.low):
            return f"{self.what}: {mean}"
        if len(set(self.values)) == 1:
            return f"{self.what}: {mean} in each run"
        return f"{self.what}: {mean} [{self._text(own.low)}, {self._text(own.high)}]"

    def _text(self, value: float) -> str:
        return format(value, self.form) if value else "0"


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
    def reason(self) -> str:
        """Why the claim does not hold, or cannot be judged; empty if it holds."""
        if any(criterion.has_too_few_runs for criterion in self.criteria):
            return TOO_FEW_RUNS
        return "" if self.verdict == "holds" else self.why

    @property
    def measured(self) -> str:
        """The measurements of all criteria as text."""
        return "; ".join(criterion.measured for criterion in self.criteria)
