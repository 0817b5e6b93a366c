"""`coflex generate` and `coflex convert`: make households with plans, and change their format.

This module parses options and prints; `agents/population` and `agents/metering` make the plans.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, cast

import typer
from rich.console import Console

from agents.metering.day_profile import MeterDay, read_meters
from agents.metering.options import LARGEST_KW, MeterOptions
from agents.plans import Population, ScoreMeaning
from agents.population import epos_folder
from agents.population import npz_archive as archive
from agents.population.home_statistics import shares_of
from agents.population.loader import load
from agents.population.plan_alternatives import SOURCE_SLOTS, Scheme, parse_scheme
from agents.population.synthetic import from_preferred, generate
from orchestrator.cli.homes import make_homes
from orchestrator.cli.optional_packages import require
from orchestrator.cli.options import meter_options
from orchestrator.reporting.narrow_tables import print_table
from orchestrator.reporting.wrapped_lines import print_line
from protocol.errors import InputError

_HOUSEHOLDS = 200
_LISTED = 50
_HEADS = ("household", "name", "kWh a day", "days")
_RENAMED = "In a folder, households are named h0, h1, ...; its coflex.toml keeps their old names."


def register(app: typer.Typer) -> None:
    """Add the commands to `coflex`."""
    app.command("generate")(_generate)
    app.command("convert")(_convert)


def _generate(
    out: Annotated[Path, typer.Option(help="Folder, or file ending in .npz, to write.")],
    homes: Annotated[
        int | None,
        typer.Option(
            help="Make this many homes with devices instead, as one .json file; with --from, the "
            "readings are their base loads."
        ),
    ] = None,
    share: Annotated[
        list[str] | None,
        typer.Option(
            help="With --homes: the share of homes that own a device, such as car=0.5; repeat it "
            "for others (docs/homes.md)."
        ),
    ] = None,
    households: Annotated[
        int | None,
        typer.Option(
            help=f"Number of households (default {_HOUSEHOLDS}; with --from, all in the file)."
        ),
    ] = None,
    slots: Annotated[
        int | None,
        typer.Option(
            help=f"Slots per plan (default {SOURCE_SLOTS}; with --from, as in the readings)."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed; the same seed gives the same households.")] = 0,
    scheme: Annotated[
        str | None,
        typer.Option(
            help="Alternatives to the preferred plan, as kind:plans,...; '' for none (default: "
            "shuffle:3,swap-15:3,swap-30:3 for 144 slots, and as many swaps per slot for other "
            "numbers)."
        ),
    ] = None,
    form: Annotated[
        Literal["auto", "epos", "npz"],
        typer.Option("--format", help="Format; auto means npz if --out ends in .npz, else epos."),
    ] = "auto",
    source: meter_options.Source = None,
    unit: meter_options.Unit = None,
    timezone: meter_options.Timezone = None,
    day: meter_options.Day = "mean",
    layout: meter_options.LayoutOption = "auto",
    columns: meter_options.Columns = None,
    skip_columns: meter_options.SkipColumns = None,
    skip_households: meter_options.SkipHouseholds = None,
    time_column: meter_options.TimeColumn = None,
    household_column: meter_options.HouseholdColumn = None,
    value_column: meter_options.ValueColumn = None,
    only: meter_options.Only = None,
    stamp: meter_options.StampOption = None,
    counter: meter_options.Counter = False,
    dates: meter_options.Dates = None,
    decimal: meter_options.DecimalOption = None,
    encoding: meter_options.Encoding = None,
    allow_negative: meter_options.AllowNegative = False,
    max_kw: meter_options.MaxKw = LARGEST_KW,
    drop_incomplete: meter_options.DropIncomplete = False,
) -> None:
    """Make households with plans, from synthetic load curves or, with --from, your own meter
    data; with --homes, make homes with devices."""
    _refuse_beside_homes(
        homes, {"--share": share, "--households": households, "--scheme": scheme}, form
    )
    chosen = None if scheme is None else parse_scheme(scheme)
    options = MeterOptions(
        unit=unit,
        timezone=timezone,
        layout=layout,
        columns=tuple(columns or ()),
        skip_columns=tuple(skip_columns or ()),
        skip_households=tuple(skip_households or ()),
        only=tuple(only or ()),
        time_column=time_column,
        household_column=household_column,
        value_column=value_column,
        stamp=stamp,
        counter=counter,
        dates=dates,
        decimal=decimal,
        encoding=encoding,
        allow_negative=allow_negative,
        max_kw=max_kw,
    )
    if source is None:
        _refuse_without_meters(options, day, drop_incomplete)
        if homes is not None:
            make_homes(out, count=homes, seed=seed, slots=slots, shares=shares_of(share or ()))
            return
        population = generate(
            households=_HOUSEHOLDS if households is None else households,
            slots=SOURCE_SLOTS if slots is None else slots,
            seed=seed,
            scheme=chosen,
        )
        _write(population, out, form)
        _print_summary(population, f"generated with seed {seed}", out)
        return
    packages = ("pandas", "pyarrow") if source.suffix.lower() == ".parquet" else ("pandas",)
    require("reading meter files", *packages)
    made = read_meters(
        source, slots=slots, day=day, options=options, drop_incomplete=drop_incomplete
    )
    if homes is not None:
        make_homes(
            out, count=homes, seed=seed, slots=slots, shares=shares_of(share or ()), meters=made
        )
        return
    population = _with_plans(made, households, source=source, seed=seed, scheme=chosen)
    _write(population, out, form)
    which = (
        f"day {made.days[0]}"
        if day != "mean"
        else f"mean of {len(made.days)} day{'s' * (len(made.days) != 1)}"
    )
    _print_households(made, population)
    _print_summary(population, f"from {source}, {which}", out)


def _refuse_without_meters(options: MeterOptions, day: str, drop_incomplete: bool) -> None:
    """Refuse options for meter files if there is no meter file."""
    given = [
        name
        for name in MeterOptions.__dataclass_fields__
        if getattr(options, name) != getattr(MeterOptions(), name)
    ]
    given += ["day"] if day != "mean" else []
    given += ["drop-incomplete"] if drop_incomplete else []
    if given:
        raise InputError(
            "has no effect without --from, which names a meter file",
            field=f"--{given[0].replace('_', '-')}",
        )


def _refuse_beside_homes(homes: int | None, given: Mapping[str, object], form: str) -> None:
    """Refuse options that have no effect with --homes, and --share without it."""
    if homes is None:
        if given["--share"] is not None:
            raise InputError("has no effect without --homes", field="--share")
        return
    for name, value in given.items():
        if name != "--share" and value is not None:
            raise InputError("has no effect with --homes", field=name)
    if form != "auto":
        raise InputError("homes are written as one .json file", field="--format")


def _with_plans(
    made: MeterDay, households: int | None, source: Path, seed: int, scheme: Scheme | None
) -> Population:
    number = len(made.ids) if households is None else households
    if not 1 <= number <= len(made.ids):
        raise InputError(
            f"{number} is not possible: {source} has {len(made.ids)}", field="--households"
        )
    return from_preferred(
        made.ids[:number],
        made.energy[:number],
        source=str(source),
        seed=seed,
        scheme=scheme,
        slot_times=made.slot_times,
        names=dict(zip(made.ids, made.names, strict=True)),
    )


def _print_households(made: MeterDay, population: Population) -> None:
    """Print the assumptions that were made, and each household with its energy."""
    console = _console()
    for note in made.notes:
        console.print(f"- {note}")
    rows = []
    shown = list(population.households.items())[:_LISTED]
    for (household, plans), days in zip(shown, made.days_each, strict=False):
        name = population.names.get(household, household)
        energy = f"{plans.preferred.sum():,.3f}"
        rows.append([household, name, energy, str(days)])
    print_table(Console(highlight=False), _HEADS, rows, texts=("name",), numbers=_HEADS[2:])
    if len(population.households) > _LISTED:
        console.print(f"... and {len(population.households) - _LISTED} more")


def _print_summary(population: Population, origin: str, out: Path) -> None:
    first = next(iter(population.households.values()))
    energy = sum(plans.preferred.sum() for plans in population.households.values())
    count = len(population.households)
    _console().print(
        f"{count} household{'s' * (count != 1)}, {len(first.values)} plan"
        f"{'s' * (len(first.values) != 1)}, {population.slots} slots, "
        f"{energy / count:.1f} kWh a household ({origin}) -> {out}"
    )


def _console() -> Console:
    # Lines are wrapped between words on a terminal, and not at all in a file.
    whole = not sys.stdout.isatty()
    return Console(highlight=False, soft_wrap=whole, markup=False, emoji=False)


def _write(population: Population, out: Path, form: str) -> None:
    if form == "npz" or (form == "auto" and out.suffix == ".npz"):
        archive.write(population, out)
        return
    epos_folder.write(population, out)
    if not epos_folder.keeps_ids(population):
        print_line(_RENAMED)


def _convert(
    source: Annotated[Path, typer.Argument(help="EPOS folder, or .npz file.")],
    target: Annotated[Path, typer.Argument(help="A new folder, or a file ending in .npz.")],
    score: Annotated[
        str | None,
        typer.Option(help="What the number before a plan means: preference or cost."),
    ] = None,
) -> None:
    """Convert an EPOS folder into one compact .npz file, or the reverse."""
    if score not in (None, "preference", "cost"):
        raise InputError("expected preference or cost", field="--score")
    population = load(source, score=cast(ScoreMeaning | None, score))
    (archive if target.suffix == ".npz" else epos_folder).write(population, target)
    typer.echo(f"{len(population.households)} households -> {target}")
    if population.has_homes:
        print_line(f"These are plans without their devices, which only {source} has.")
    if target.suffix != ".npz" and not epos_folder.keeps_ids(population):
        print_line(_RENAMED)
    targets = epos_folder.target_files(source)
    if len(targets) > 1:
        print_line(
            f"{source} has {len(targets)} targets, so none is converted: name one with --target."
        )
