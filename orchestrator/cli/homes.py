"""`coflex check`, and the homes of `coflex generate`: what homes can do, and homes to try it with.

This module parses options and prints; `agents/devices` and `agents/population` decide.
"""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from agents.devices.home_file import read_homes
from agents.devices.home_table import Homes
from agents.metering.day_profile import MeterDay
from agents.plans import Plans
from agents.population.home_generation import SLOTS, generated_homes, rotated, write_homes
from agents.population.home_statistics import Shares
from agents.population.homes import holds_homes, population_of_homes
from agents.suggestions import household_suggestion
from orchestrator.cli.optional_packages import require
from orchestrator.reporting.homes.home_description import (
    day_picture,
    device_lines,
    home_line,
    plan_lines,
    summary_row,
)
from orchestrator.reporting.narrow_tables import print_table
from orchestrator.reporting.wrapped_lines import print_line
from protocol.errors import InputError

_LISTED = 50
_WIDEST = 120
_HEADS = ("home", "kWh a day", "plans", "can move kWh", "devices")


def register(app: typer.Typer) -> None:
    """Add the command to `coflex`."""
    app.command("check")(_check)


def make_homes(
    out: Path,
    *,
    count: int,
    seed: int,
    slots: int | None,
    shares: Shares,
    meters: MeterDay | None = None,
) -> None:
    """Generate homes, with the base loads of meters if there are any, and write them to a compact
    file."""
    if count < 1:
        raise InputError("must be at least 1", field="--homes")
    if out.suffix != ".json":
        raise InputError("homes are written as one file ending in .json", field="--out")
    loads = None
    if meters is not None:
        if count > len(meters.ids):
            reason = f"{count} is not possible: the meter file has {len(meters.ids)}"
            raise InputError(reason, field="--homes")
        if (meters.energy < 0.0).any():
            reason = "a base load cannot be negative: leave out readings that feed into the grid"
            raise InputError(reason, field="--allow-negative")
        loads = dict(zip(meters.ids, rotated(list(meters.energy), _starts_at(meters)), strict=True))
        slots = meters.energy.shape[1]
    content = generated_homes(
        count, seed=seed, slots=SLOTS if slots is None else slots, shares=shares, base_loads=loads
    )
    write_homes(content, out)
    devices = sum(len(home["devices"]) for home in content["homes"])
    print_line(
        f"{count} home{'s' * (count != 1)}, {devices} devices used today, {content['slots']} slots "
        f"(generated with seed {seed}) -> {out}"
    )


def _starts_at(meters: MeterDay) -> float:
    """Return the minute of the day at which the first slot of readings starts."""
    if meters.slot_times is None:
        return 0.0
    first = meters.slot_times.first
    start = datetime.fromisoformat(first if len(first) > len("00:00:00") else f"2000-01-01T{first}")
    return start.hour * 60 + start.minute


def _check(
    homes: Annotated[Path, typer.Argument(help="Home file (.toml, .json), or a folder of them.")],
    home: Annotated[
        str | None, typer.Option(help="Show this home (default: the only one, or all in a table).")
    ] = None,
    plans: Annotated[
        int | None, typer.Option(min=1, max=1000, help="Plans to make (default: as a run would).")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the plans.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Draw the day of the home into this file (.png or .svg).")
    ] = None,
) -> None:
    """Check home files, and show what homes can do: their devices in words, and a picture of their
    day."""
    if not homes.exists():
        raise InputError("no such file or folder", file=homes)
    if not holds_homes(homes):
        raise InputError("expected a home file (.toml, .json), or a folder of them", file=homes)
    found = read_homes(homes)
    if home is not None and home not in found.homes:
        advice = household_suggestion(home, list(found.homes))
        raise InputError(f"there is no home {home!r}: {advice}", field="--home")
    if home is not None:
        found = Homes(day=found.day, homes={home: found.homes[home]})
    if out is not None:
        _check_picture(out, found)
    try:
        population = population_of_homes(found, source=str(homes), plans=plans, seed=seed)
    except InputError as error:
        raise InputError(error.reason, file=homes, field=error.field) from error
    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty(), markup=False, emoji=False)
    if len(found.homes) == 1:
        own = next(iter(population.households.values()))
        _print_home(found, own, console)
        if out is not None:
            _draw_home(found, own, out)
        return
    rows = [
        list(summary_row(own.home.home, own.home.plans).values())
        for own in list(population.households.values())[:_LISTED]
        if own.home is not None
    ]
    print_table(Console(highlight=False), _HEADS, rows, texts=("devices",), numbers=_HEADS[1:4])
    if len(found.homes) > _LISTED:
        console.print(f"... and {len(found.homes) - _LISTED} more")
    print_line(f"{len(found.homes)} homes can be followed; show one with --home {rows[0][0]}")


def _check_picture(out: Path, found: Homes) -> None:
    """Raise InputError unless one home can be drawn into the file."""
    if len(found.homes) > 1:
        raise InputError("a picture shows one home: name it with --home", field="--out")
    if out.suffix not in (".png", ".svg"):
        raise InputError("a picture is a file ending in .png or .svg", file=out, field="--out")
    if out.exists():
        raise InputError("exists already", file=out, field="--out")
    require("a picture", "matplotlib")


def _draw_home(found: Homes, own: Plans, out: Path) -> None:
    from orchestrator.reporting.figures.home_day import home_day

    assert own.home is not None
    drawing = home_day(own.home.home, own.home.plans[0], found.day)
    try:
        out.write_bytes(drawing.png if out.suffix == ".png" else drawing.svg)
    except OSError as error:
        reason = f"cannot be written: {error.strerror}"
        raise InputError(reason, file=out, field="--out") from error
    print_line(f"\nPicture in {out}")


def _print_home(found: Homes, own: Plans, console: Console) -> None:
    assert own.home is not None
    home, plans = own.home.home, own.home.plans
    print_line(home_line(home, found.day))
    rows = [list(line) for line in device_lines(home, found.day)]
    if rows:
        print_line("")
        print_table(Console(highlight=False), ("device", "what it can do"), rows, texts=("device",))
    print_line("\nAs preferred:")
    width = min(console.width if sys.stdout.isatty() else _WIDEST, _WIDEST)
    picture = day_picture(
        home, plans[0], found.day, width=width, ascii_only=console.options.ascii_only
    )
    for line in picture:
        console.print(line)
    print_line("\nWhat it can do:")
    for line in plan_lines(home, plans):
        print_line(f"- {line}")
