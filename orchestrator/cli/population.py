"""`coflex generate`: households with plans, made up or from people's own meter data.

Parses options and prints; what is made is decided in agents/data.
"""

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from agents.data.profiles import SOURCE_SLOTS
from agents.metering.day_profile import read_meters
from agents.metering.meter_file import Columns
from agents.plans import Population
from agents.population import epos_folder
from agents.population import npz_archive as archive
from agents.population.plan_alternatives import SOURCE_SCHEME, parse_scheme
from agents.population.synthetic import from_preferred, generate
from orchestrator.cli.optional_packages import require
from protocol.errors import InputError

_HOUSEHOLDS = 200
_METERS = "Meter data (with --from)"


def register(app: typer.Typer) -> None:
    """Add the command to `coflex`."""
    app.command("generate")(_generate)


def _generate(
    out: Annotated[Path, typer.Option(help="Folder, or file ending in .npz, to write.")],
    households: Annotated[
        int | None,
        typer.Option(help=f"How many; default {_HOUSEHOLDS}, with --from all of the file."),
    ] = None,
    slots: Annotated[int, typer.Option(help="Length of every plan.")] = SOURCE_SLOTS,
    seed: Annotated[int, typer.Option(help="Same seed, same households.")] = 0,
    scheme: Annotated[
        str, typer.Option(help="Alternatives to the preferred plan, as kind:plans,...")
    ] = ",".join(map(str, SOURCE_SCHEME)),
    form: Annotated[
        Literal["auto", "epos", "npz"],
        typer.Option("--format", help="auto: npz if --out ends in .npz, else epos."),
    ] = "auto",
    source: Annotated[
        Path | None,
        typer.Option("--from", help="Meter readings, .csv or .parquet.", rich_help_panel=_METERS),
    ] = None,
    unit: Annotated[
        Literal["kWh", "kW"],
        typer.Option(help="Energy or mean power of an interval.", rich_help_panel=_METERS),
    ] = "kWh",
    timezone: Annotated[
        str,
        typer.Option(
            help="Zone of times without offset and of midnights.", rich_help_panel=_METERS
        ),
    ] = "UTC",
    day: Annotated[
        str, typer.Option(help="YYYY-MM-DD, or mean.", rich_help_panel=_METERS)
    ] = "mean",
    layout: Annotated[
        Literal["auto", "wide", "long"],
        typer.Option(help="A column a household, or a row a reading.", rich_help_panel=_METERS),
    ] = "auto",
    time_column: Annotated[
        str | None, typer.Option(help="Name of the time column.", rich_help_panel=_METERS)
    ] = None,
    household_column: Annotated[
        str | None, typer.Option(help="Long: names the household.", rich_help_panel=_METERS)
    ] = None,
    value_column: Annotated[
        str | None, typer.Option(help="Long: holds the reading.", rich_help_panel=_METERS)
    ] = None,
    allow_negative: Annotated[
        bool,
        typer.Option("--allow-negative", help="Homes may feed in.", rich_help_panel=_METERS),
    ] = False,
) -> None:
    """Make households with plans: made-up load curves, or your own meter data with --from."""
    chosen = parse_scheme(scheme)
    if source is None:
        population = generate(
            households=_HOUSEHOLDS if households is None else households,
            slots=slots,
            seed=seed,
            scheme=chosen,
        )
        origin = f"generated with seed {seed}"
    else:
        packages = ("pandas", "pyarrow") if source.suffix.lower() == ".parquet" else ("pandas",)
        require("reading meter files", *packages)
        columns = Columns(layout, time_column, household_column, value_column)
        made = read_meters(
            source,
            slots=slots,
            unit=unit,
            timezone=timezone,
            day=day,
            columns=columns,
            allow_negative=allow_negative,
        )
        number = len(made.ids) if households is None else households
        if not 1 <= number <= len(made.ids):
            raise InputError(
                f"{number} asked for, but {source} holds {len(made.ids)}", field="households"
            )
        population = from_preferred(
            made.ids[:number], made.energy[:number], source=str(source), seed=seed, scheme=chosen
        )
        origin = f"from {source}, " + (
            f"day {made.days[0]}" if day != "mean" else f"mean of {len(made.days)} days"
        )
    _write(population, out, form)
    first = next(iter(population.households.values()))
    energy = sum(plans.preferred.sum() for plans in population.households.values())
    Console().print(
        f"{len(population.households)} households, {len(first.values)} plans, "
        f"{population.slots} slots, {energy / len(population.households):.1f} kWh a household "
        f"({origin}) -> {out}",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )


def _write(population: Population, out: Path, form: str) -> None:
    if form == "npz" or (form == "auto" and out.suffix == ".npz"):
        archive.write(population, out)
        return
    epos_folder.write(population, out)
    if "h0" not in population.households:
        typer.echo("A folder numbers households h0, h1, ...: an .npz archive keeps their names.")
