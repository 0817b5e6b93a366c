"""The data behind the figures of stage 2. Pure; draws nothing.

Only for results with a stage 2. `planning_data` has the data for stage 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orchestrator.reporting.figures.data_table import Cell, Table
from orchestrator.results.measures import lorenz as lorenz_curve
from orchestrator.results.run_results import HouseholdRow, RunResults
from protocol.vectors import Array


@dataclass(frozen=True, slots=True)
class Gain:
    """One household's comfort (1 - discomfort in kWh) before and after the exchange."""

    household: str
    level: int
    planned: float
    exchanged: float

    @property
    def gain(self) -> float:
        """The decrease of its discomfort, kWh."""
        return self.exchanged - self.planned


def gains_of(results: RunResults) -> list[Gain]:
    """Return all households, the largest gain first, then by position."""
    found = [
        Gain(
            household=row.household,
            level=row.level,
            planned=1 - row.discomfort_planned,
            exchanged=1 - row.discomfort_exchanged,
        )
        for row in results.rows
        if row.discomfort_exchanged is not None
    ]
    return sorted(found, key=lambda one: -one.gain)


def gains(results: RunResults) -> Table:
    """Return the households by comfort gain."""
    found = gains_of(results)
    return Table(
        {
            "rank": list(range(1, len(found) + 1)),
            "household": [one.household for one in found],
            "level": [one.level for one in found],
            "comfort_planned": [one.planned for one in found],
            "comfort_exchanged": [one.exchanged for one in found],
            "comfort_gain": [one.gain for one in found],
        }
    )


def comfort_by_level(results: RunResults) -> Table:
    """Return the mean comforts of each level of the tree, and the least and greatest gain."""
    found = gains_of(results)
    levels = sorted({one.level for one in found})
    grouped = [[one for one in found if one.level == level] for level in levels]
    return Table(
        {
            "level": levels,
            "households": [len(group) for group in grouped],
            "comfort_planned": [_mean([one.planned for one in group]) for group in grouped],
            "comfort_exchanged": [_mean([one.exchanged for one in group]) for group in grouped],
            "least_gain": [min(one.gain for one in group) for group in grouped],
            "greatest_gain": [max(one.gain for one in group) for group in grouped],
        }
    )


def lorenz(results: RunResults) -> Table:
    """Return Lorenz curves: the share of all discomfort that a share of the households bears.

    Households with the least discomfort come first.
    """
    count = len(results.rows)
    columns: dict[str, Sequence[Cell]] = {
        "households_share": [place / count for place in range(count + 1)]
    }
    for state, name in (
        ("planned", "discomfort_planned"),
        ("exchanged", "discomfort_exchanged"),
        ("bound", "discomfort_bound_of_values"),
    ):
        values = _column(results.rows, name)
        if len(values) == count:
            columns[state] = lorenz_curve(values).tolist()
    return Table(columns)


def success(results: RunResults) -> Table:
    """Return the steps from lookups to exchanges, for each round.

    Round 0, which has no lookups, is left out. A rate is empty if its denominator is 0.
    """
    asking = results.rounds[1:]
    return Table(
        {
            "round": [row.round for row in asking],
            "lookups": [row.lookups for row in asking],
            "matches": [row.matches for row in asking],
            "proposals": [row.proposals for row in asking],
            "exchanges": [row.accepted for row in asking],
            "matches_per_lookup": [_rate(row.matches, row.lookups) for row in asking],
            "exchanges_per_proposal": [_rate(row.accepted, row.proposals) for row in asking],
        }
    )


def progress(results: RunResults) -> Table:
    """Return comfort, exchanges and traffic of each round."""
    rounds = results.rounds
    return Table(
        {
            "round": [row.round for row in rounds],
            "mean_comfort": [1 - row.mean_discomfort for row in rounds],
            "pooled_discomfort": [row.pooled_discomfort for row in rounds],
            "exchanges": [row.accepted for row in rounds],
            "messages": [row.messages + row.answers for row in rounds],
            "bytes": [row.bytes for row in rounds],
        }
    )


def _column(rows: Sequence[HouseholdRow], name: str) -> Array:
    return np.array([v for row in rows if (v := getattr(row, name)) is not None], dtype=float)


def _rate(part: int, whole: int) -> Cell:
    return part / whole if whole else ""


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))
