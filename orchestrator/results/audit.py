"""The audit of a run: what its result says about itself, and how that is reported.

Decides what follows from an audit: a run that is not conserved has failed. What is compared is
decided in audit_checks.py and trace_checks.py.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from protocol.errors import RunError

CheckName = Literal["plans", "sums", "own energy", "counts", "exchanges"]
"""The name of a comparison.

plans: of stage 1 with the plans that the orchestrator knows. sums: of all schedules by slot, before
and after each exchange. own energy: of each household, and of all together. counts: of exchanges,
by households and by the root. exchanges: both sides of each, and what each household held.
"""

LISTED_MAX = 50
"""Largest number of discrepancies that a result lists."""
_SAID_MAX = 3
"""Largest number of discrepancies in an error message."""
_NAMED_MAX = 8
"""Largest number of slots or households that a text names."""


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """Two reports of one run that cannot both be true."""

    check: CheckName
    text: str
    """What differs, in one clause for people."""
    slots: tuple[int, ...] = ()
    """The slots at which it differs, as far as known."""
    households: tuple[str, ...] = ()
    """The households between which it differs, as far as known."""
    kwh: float | None = None
    """The largest difference at one slot, kWh, if it is one of energy."""


@dataclass(frozen=True, slots=True)
class Audit:
    """The result of comparing everything that the parts of a run have reported."""

    conserved: bool
    """True if nothing differs by more than rounding can explain."""
    checks: tuple[CheckName, ...]
    """The comparisons that could be made."""
    rounding_kwh: float
    """The most by which rounding can change a sum of all schedules at a slot, kWh; 0 if all values
    are on the dyadic grid, on which sums are exact."""
    unknown: tuple[str, ...] = ()
    """The households whose plans the orchestrator does not know, since other people run them."""
    found: int = 0
    """Number of discrepancies."""
    discrepancies: tuple[Discrepancy, ...] = ()
    """The first LISTED_MAX of them."""


def audit_words(audit: Audit) -> str:
    """Return the result of an audit in one line."""
    if audit.conserved:
        but = f"; plans unknown of {listed(audit.unknown)}" if audit.unknown else ""
        return f"conserved ({', '.join(audit.checks)}{but})"
    said = [each.text for each in audit.discrepancies[:_SAID_MAX]]
    more = audit.found - len(said)
    return "not conserved: " + "; ".join(said) + (f"; and {more} more" if more else "")


def require_conserved(audit: Audit | None, place: str = "") -> None:
    """Raise RunError if an audit has found a discrepancy. `place` says where the results are."""
    if audit is None or audit.conserved:
        return
    raise RunError(
        f"audit: {audit_words(audit)}. Do not use these results{place}; "
        "coflex explain shows what each household exchanged"
    )


def listed(names: Iterable[object]) -> str:
    """Return the first names, and the number of others."""
    known = [str(name) for name in names]
    more = len(known) - _NAMED_MAX
    return ", ".join(known[:_NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
