"""The table of rounds, for both the terminal and the page."""

from dataclasses import dataclass

from orchestrator.results.run_results import Round, RunResults

_FIRST, _LAST = 8, 2
"""Number of rounds at the start and at the end that are shown if there are many."""


@dataclass(frozen=True, slots=True)
class RoundLine:
    """A line of the table of rounds; its cells are None if it stands for rounds left out."""

    cells: tuple[str, ...] | None


ROUND_HEADS = ("round", "looked up", "matched", "exchanged", "comfort", "messages", "MB")


def round_lines(results: RunResults) -> list[RoundLine]:
    """Return the rounds as cells under ROUND_HEADS; if there are many, only the first and last."""
    lines = [RoundLine(_cells(row)) for row in results.rounds]
    if len(lines) <= _FIRST + _LAST + 1:
        return lines
    return [*lines[:_FIRST], RoundLine(None), *lines[-_LAST:]]


def _cells(row: Round) -> tuple[str, ...]:
    return (
        str(row.round),
        f"{row.lookups:,}",
        f"{row.matches:,}",
        f"{row.accepted:,}",
        f"{1 - row.mean_discomfort:.4f}",
        f"{row.messages + row.answers:,}",
        f"{row.bytes / 1e6:,.2f}",
    )
