"""The table behind a figure: the numbers that are drawn, which are also its CSV file. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.results.csv_tables import csv_text

Cell = float | int | str


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of equal length, by name."""

    columns: dict[str, Sequence[Cell]]

    def csv(self) -> str:
        """Return the table as comma-separated lines."""
        return csv_text(self.columns, zip(*self.columns.values(), strict=True))
