"""What a person can say about a meter file. Holds the choices; decides nothing."""

from dataclasses import dataclass
from typing import Literal

UnitName = Literal["Wh", "kWh", "MWh", "W", "kW", "MW"]
Layout = Literal["auto", "wide", "long", "row-a-day", "row-a-series"]
Stamp = Literal["start", "end"]
DateOrder = Literal["dmy", "mdy"]
Decimal = Literal["point", "comma"]

LARGEST_KW = 100.0
"""Mean power of one reading above which it is taken for an error code, not for a home."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterOptions:
    """Choices for reading a meter file; None, "auto" and an empty tuple leave it to the file."""

    unit: UnitName | None = None
    timezone: str | None = None
    """Zone of times without an offset, and of midnights."""
    layout: Layout = "auto"
    columns: tuple[str, ...] = ()
    """The columns that hold readings, all others left out."""
    skip_columns: tuple[str, ...] = ()
    """Columns to leave out."""
    skip_households: tuple[str, ...] = ()
    """Households to leave out, by their names in the file."""
    only: tuple[str, ...] = ()
    """`COLUMN=VALUE`: keep only these rows."""
    time_column: str | None = None
    household_column: str | None = None
    value_column: str | None = None
    stamp: Stamp | None = None
    """Whether a time is the start or the end of its interval."""
    counter: bool = False
    """Readings are those of a counter that only rises: take differences."""
    dates: DateOrder | None = None
    """Order of day and month in dates such as 01/02/2025."""
    decimal: Decimal | None = None
    encoding: str | None = None
    allow_negative: bool = False
    max_kw: float = LARGEST_KW
