"""Options of `coflex generate` for meter files, with their help texts, in a separate panel.

`agents/metering` decides what the options mean.
"""

from pathlib import Path
from typing import Annotated

import typer

from agents.metering.options import DateOrder, Decimal, Layout, Stamp, UnitName

_METERS = "Meter data (with --from)"

Source = Annotated[
    Path | None,
    typer.Option("--from", help="Meter readings: CSV, Parquet, XML.", rich_help_panel=_METERS),
]
Unit = Annotated[
    UnitName | None,
    typer.Option(
        help="Unit of the readings: energy or mean power (default: as in the file, else kWh).",
        rich_help_panel=_METERS,
    ),
]
Timezone = Annotated[
    str | None,
    typer.Option(
        help="Time zone of times without offset, and of midnight (default: the file's offset, "
        "else a clock without summer time).",
        rich_help_panel=_METERS,
    ),
]
Day = Annotated[
    str,
    typer.Option(
        help="The day to use, as YYYY-MM-DD, or mean for the mean of all complete days.",
        rich_help_panel=_METERS,
    ),
]
LayoutOption = Annotated[
    Layout,
    typer.Option(
        help="Arrangement of the file: one column per household (wide), rows that name their "
        "household (long), one row per day, or one row per series.",
        rich_help_panel=_METERS,
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        help="Use only this column of readings; repeatable.",
        rich_help_panel=_METERS,
    ),
]
SkipColumns = Annotated[
    list[str] | None,
    typer.Option(help="Leave out this column; repeatable.", rich_help_panel=_METERS),
]
SkipHouseholds = Annotated[
    list[str] | None,
    typer.Option(help="Leave out the household of this name; repeatable.", rich_help_panel=_METERS),
]
TimeColumn = Annotated[
    str | None, typer.Option(help="Name of the time column.", rich_help_panel=_METERS)
]
HouseholdColumn = Annotated[
    str | None,
    typer.Option(
        "--household-column",
        "--id-column",
        help="Name of the column that names the household (long files).",
        rich_help_panel=_METERS,
    ),
]
ValueColumn = Annotated[
    str | None,
    typer.Option(help="Name of the column with the readings.", rich_help_panel=_METERS),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        help="Keep only rows with this value, as COLUMN=VALUE; repeat for more values.",
        rich_help_panel=_METERS,
    ),
]
StampOption = Annotated[
    Stamp | None,
    typer.Option(
        help="Whether a time is the start or the end of its interval (default: as in the file, "
        "else start).",
        rich_help_panel=_METERS,
    ),
]
Counter = Annotated[
    bool,
    typer.Option(
        "--counter",
        help="The readings are of a meter that counts up: take their differences.",
        rich_help_panel=_METERS,
    ),
]
Dates = Annotated[
    DateOrder | None,
    typer.Option(
        help="Order of day and month in dates such as 01/02/2025 (default: inferred; refused if "
        "ambiguous).",
        rich_help_panel=_METERS,
    ),
]
DecimalOption = Annotated[
    Decimal | None,
    typer.Option(
        help="Decimal sign (default: inferred; refused if ambiguous).", rich_help_panel=_METERS
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option(
        help="Encoding of a text file (default: inferred from its bytes).", rich_help_panel=_METERS
    ),
]
AllowNegative = Annotated[
    bool,
    typer.Option(
        "--allow-negative",
        help="Accept negative readings: homes that feed in.",
        rich_help_panel=_METERS,
    ),
]
MaxKw = Annotated[
    float,
    typer.Option(help="Refuse readings with a mean power above this.", rich_help_panel=_METERS),
]
DropIncomplete = Annotated[
    bool,
    typer.Option(
        "--drop-incomplete",
        help="Leave out households without a complete day.",
        rich_help_panel=_METERS,
    ),
]
