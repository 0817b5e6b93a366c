"""Options of `coflex generate` for meter files: their help, in a panel of their own.

Holds the options; what they mean is decided in agents/metering.
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
        help="Energy or mean power of an interval; default: what the file says, else kWh.",
        rich_help_panel=_METERS,
    ),
]
Timezone = Annotated[
    str | None,
    typer.Option(
        help="Zone of times without offset and of midnights; default: the file's own offset, "
        "else a clock that never changes.",
        rich_help_panel=_METERS,
    ),
]
Day = Annotated[
    str,
    typer.Option(help="YYYY-MM-DD, or mean: of complete days.", rich_help_panel=_METERS),
]
LayoutOption = Annotated[
    Layout,
    typer.Option(
        help="What a file is: a column (wide) or rows (long) a household, a row a day, a row "
        "a series.",
        rich_help_panel=_METERS,
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        help="A column that holds readings, all others left out; repeat for more.",
        rich_help_panel=_METERS,
    ),
]
SkipColumns = Annotated[
    list[str] | None,
    typer.Option(help="A column to leave out; repeat for more.", rich_help_panel=_METERS),
]
SkipHouseholds = Annotated[
    list[str] | None,
    typer.Option(
        help="A household to leave out, by its name; repeat for more.", rich_help_panel=_METERS
    ),
]
TimeColumn = Annotated[
    str | None, typer.Option(help="Name of the time column.", rich_help_panel=_METERS)
]
HouseholdColumn = Annotated[
    str | None,
    typer.Option(
        "--household-column",
        "--id-column",
        help="Long: names the household.",
        rich_help_panel=_METERS,
    ),
]
ValueColumn = Annotated[
    str | None, typer.Option(help="The one that holds readings.", rich_help_panel=_METERS)
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        help="COLUMN=VALUE: keep only these rows; repeat for more values.", rich_help_panel=_METERS
    ),
]
StampOption = Annotated[
    Stamp | None,
    typer.Option(
        help="A time is the start or the end of its interval; default: what the file says, "
        "else start.",
        rich_help_panel=_METERS,
    ),
]
Counter = Annotated[
    bool,
    typer.Option(
        "--counter",
        help="Readings of a counter that only rises: take differences.",
        rich_help_panel=_METERS,
    ),
]
Dates = Annotated[
    DateOrder | None,
    typer.Option(
        help="Order in dates such as 01/02/2025; default: by their numbers, else refused.",
        rich_help_panel=_METERS,
    ),
]
DecimalOption = Annotated[
    Decimal | None,
    typer.Option(
        help="Decimal sign; default: by the numbers, else refused.", rich_help_panel=_METERS
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option(help="Of a text file; default: by its bytes.", rich_help_panel=_METERS),
]
AllowNegative = Annotated[
    bool,
    typer.Option("--allow-negative", help="Homes may feed in.", rich_help_panel=_METERS),
]
MaxKw = Annotated[
    float,
    typer.Option(
        help="Mean power of a reading above which it is refused.", rich_help_panel=_METERS
    ),
]
DropIncomplete = Annotated[
    bool,
    typer.Option(
        "--drop-incomplete",
        help="Leave out households without a complete day.",
        rich_help_panel=_METERS,
    ),
]
