"""A home in words and as a picture of its day, for `coflex check`.

This module decides what is said about a home and its devices, and how its day is drawn on a
terminal: one line of bars per device, each scaled to its own largest value.
"""

from collections.abc import Mapping

import numpy as np

from agents.devices.cycle import Cycle
from agents.devices.day import DAY_MINUTES, Day
from agents.devices.device import Device
from agents.devices.home import Home, Schedules
from agents.devices.store import Store
from protocol.vectors import Array

_BARS = " ▁▂▃▄▅▆▇█"
_ASCII_BARS = " .:-=+*#@"
_UNITS = {"min": "min", "degrees": "degrees", "h": "h"}
_LATE = {"min": "late", "degrees": "too cold", "h": "late"}


def home_line(home: Home, day: Day) -> str:
    """Return a home's base load and solar power in a sentence."""
    zone = f" ({day.time_zone})" if day.time_zone else ""
    parts = [f"base load {home.base_kwh.sum():.1f} kWh, {home.essential_share:.0%} essential"]
    if home.solar_kwh.any():
        parts.append(f"solar {home.solar_kwh.sum():.1f} kWh")
    slots = f"{day.slots} slots of {day.slot_minutes:g} min from {day.first}{zone}"
    return f"{home.id}: {'; '.join(parts)}; {slots}"


def device_lines(home: Home, day: Day) -> list[tuple[str, str]]:
    """Return each device with what it can do and what its people want."""
    return [(device.name, _words(device, day)) for device in home.devices]


def plan_lines(home: Home, plans: tuple[Schedules, ...]) -> list[str]:
    """Return how much of a home's energy its plans move, in sentences."""
    if not home.devices:
        return ["no devices: its plan is its base load"]
    totals = np.array([home.total(plan) for plan in plans])
    moved = np.abs(totals - totals[0]).sum(axis=1) / 2.0
    energy = sum(float(np.maximum(plan, 0.0).sum()) for plan in plans[0].values())
    words = [
        f"{len(plans)} different plans; all with {float(totals[0].sum()):.2f} kWh over the day",
        f"its devices use {energy:.2f} kWh; a plan moves up to {float(moved.max()):.2f} kWh of it",
        f"largest demand: {float(totals[0].max()):.2f} kWh per slot as preferred, "
        f"{float(totals.max(axis=1).min()):.2f} at least",
    ]
    discomforts = [
        discomfort for plan in plans if (discomfort := home.discomfort(plan)) is not None
    ]
    if discomforts:
        words.append(f"discomfort up to {max(discomforts):.2f} (1 is just acceptable)")
    return words


def day_picture(
    home: Home, schedules: Schedules, day: Day, *, width: int, ascii_only: bool = False
) -> list[str]:
    """Return a picture of a home's day: a line of bars per source and device, and the hours below.

    A line has at most `width` characters; slots are joined to fit.
    """
    lines: dict[str, Array] = {"base": home.base_kwh}
    if home.solar_kwh.any():
        lines["solar"] = home.solar_kwh
    lines |= dict(schedules)
    lines["total"] = home.total(schedules)
    names = max(len(name) for name in lines)
    joined = _joined(day.slots, width - names - 16)
    bars = _ASCII_BARS if ascii_only else _BARS
    rows = [
        f"{name.ljust(names)} {_row(amounts, joined, bars)} {_energy(amounts)}"
        for name, amounts in lines.items()
    ]
    return [*rows, " " * (names + 1) + _hours(day, joined)]


def _words(device: Device, day: Day) -> str:
    match device:
        case Cycle():
            words = _cycle_words(device, day)
        case Store():
            words = _store_words(device, day)
        case _:
            words = f"{device.kind}"
    if device.unit is None:
        return words
    tolerance = f"{device.tolerance:g} {_UNITS.get(device.unit, device.unit)}"
    return f"{words}; {tolerance} {_LATE.get(device.unit, '')}".rstrip() + " is just acceptable"


def _cycle_words(cycle: Cycle, day: Day) -> str:
    minutes = round(cycle.length * day.slot_minutes)
    words = f"{cycle.profile_kwh.sum():.2f} kWh in {minutes // 60} h {minutes % 60:02} min"
    words += f", wanted at {day.clock(cycle.preferred_start)}"
    words += f", may start from {day.clock(cycle.earliest)} to {day.clock(cycle.latest_start)}"
    return words + (f", after {cycle.after}" if cycle.after else "")


def _store_words(store: Store, day: Day) -> str:
    kilowatt = 60.0 / day.slot_minutes
    words = [f"{store.what}, up to {store.max_in_kwh * kilowatt:.1f} kW"]
    if store.min_in_kwh:
        words.append(f"at least {store.min_in_kwh * kilowatt:.1f} kW or nothing")
    if store.max_out_kwh:
        words.append(f"gives up to {store.max_out_kwh * kilowatt:.1f} kW")
    words.append(f"holds {float(store.high_kwh[-1] - store.low_kwh[0]):.1f} kWh")
    if store.plugged != (0, day.slots):
        end = day.clock(store.plugged[1])
        words.append(f"plugged in from {day.clock(store.plugged[0])} to {end}")
    if store.need_kwh:
        words.append(f"needs {store.need_kwh:.1f} kWh by then")
    return ", ".join(words)


def _joined(slots: int, width: int) -> int:
    """Return how many slots share a character, a number that divides a day well."""
    return next(
        (n for n in (1, 2, 3, 4, 6, 8, 12, 16, 24) if -(-slots // n) <= max(width, 12)), slots
    )


def _row(amounts: Array, joined: int, bars: str) -> str:
    padded = np.pad(np.maximum(amounts, 0.0), (0, -len(amounts) % joined))
    means = padded.reshape(-1, joined).mean(axis=1)
    top = float(means.max())
    if top == 0.0:
        return bars[0] * len(means)
    heights = np.ceil(means / top * (len(bars) - 1)).astype(int)
    return "".join(bars[height] for height in heights)


def _energy(amounts: Array) -> str:
    return f"{float(amounts.sum()):6.2f} kWh"


def _hours(day: Day, joined: int) -> str:
    """Return the clock times below the bars, every few hours."""
    per_hour = 60.0 / day.slot_minutes / joined
    step = next(h for h in (1, 2, 3, 4, 6, 12, DAY_MINUTES) if h * per_hour >= 6)
    line, at = "", 0
    while at * per_hour < day.slots / joined - 4:
        line = line.ljust(round(at * per_hour)) + day.clock(round(at * per_hour * joined))
        at += step
    return line


def summary_row(home: Home, plans: tuple[Schedules, ...]) -> Mapping[str, str]:
    """Return a home as a row of a table."""
    totals = np.array([home.total(plan) for plan in plans])
    moved = float((np.abs(totals - totals[0]).sum(axis=1) / 2.0).max())
    return {
        "home": home.id,
        "kWh a day": f"{float(totals[0].sum()):,.2f}",
        "plans": str(len(plans)),
        "can move kWh": f"{moved:,.2f}",
        "devices": ", ".join(device.name for device in home.devices) or "none",
    }
