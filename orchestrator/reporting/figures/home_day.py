"""The picture of a home's day: what each device takes or gives over the hours, and their sum.

This module decides how it is drawn; `home_description` has the same day for terminals.
"""

import numpy as np
from matplotlib.figure import Figure

from agents.devices.day import Day
from agents.devices.home import Home, Schedules
from agents.plans import SlotTimes
from orchestrator.reporting.figures.community import KIND_COLOURS
from orchestrator.reporting.figures.data_table import Table
from orchestrator.reporting.figures.style import (
    INK,
    Drawing,
    drawn,
    figure_of,
    slots_along,
)
from orchestrator.results.device_kinds import BASE, SOLAR, kind_of
from protocol.vectors import Array

_ROW_INCHES = 0.8


def home_day(home: Home, schedules: Schedules, day: Day) -> Drawing:
    """Return the picture of a home's day, with a row for each device and one for the sum."""
    rows: list[tuple[str, Array, str]] = [(BASE, home.base_kwh, KIND_COLOURS[BASE])]
    if home.solar_kwh.any():
        rows.append((SOLAR, -home.solar_kwh, KIND_COLOURS[SOLAR]))
    rows += [
        (device.name, schedules[device.name], KIND_COLOURS[kind_of(device)])
        for device in home.devices
    ]
    rows.append(("total", home.total(schedules), INK))
    return drawn(
        name=home.id,
        title=f"The day of {home.id}",
        caption="What each device takes (above zero) or gives (below), and their sum.",
        table=Table({name: amounts.tolist() for name, amounts, _ in rows}),
        draw=lambda: _draw(home.id, rows, day),
    )


def _draw(name: str, rows: list[tuple[str, Array, str]], day: Day) -> Figure:
    figure, panels = figure_of(0.9 + _ROW_INCHES * len(rows), rows=len(rows))
    slots, kilowatts = np.arange(day.slots), 60.0 / day.slot_minutes
    for axes, (label, amounts, colour) in zip(panels, rows, strict=True):
        axes.fill_between(slots, amounts * kilowatts, step="mid", color=colour, linewidth=0)
        axes.axhline(0.0, color=INK, linewidth=0.6)
        axes.set_ylabel(label, rotation=0, ha="right", va="center")
        axes.margins(x=0.0)
    panels[0].set_title(f"The day of {name}, kW, as preferred")
    first = day.first if day.date is None else f"{day.date}T{day.first}"
    slots_along(panels[-1], day.slots, SlotTimes(first, day.slot_minutes, day.time_zone))
    return figure
