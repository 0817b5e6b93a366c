"""Readings that cannot be what they seem: counters, sums of other columns, error codes.

Refuses what is not consumption of a home; each refusal names the option that lets it through.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from agents.metering.columns.column_words import is_total
from agents.metering.options import LARGEST_KW, MeterOptions
from agents.metering.readings.complete_days import LocalDay
from agents.metering.readings.readings import MINUTE, Readings
from protocol.errors import InputError
from protocol.vectors import Array

_FEWEST_RISES = 6
_SPIKE_KW, _SPIKE_FACTOR = 25.0, 60.0
_HOUR = 60 * MINUTE


def check_no_counter(readings: Readings, path: Path) -> None:
    """Refuse readings that only rise, or rise and start again at zero: they are a counter's."""
    for column, name in enumerate(readings.names):
        values = readings.values[:, column]
        known = np.flatnonzero(~np.isnan(values))
        steps = np.diff(values[known])
        rises = int((steps > 0).sum())
        falls = np.flatnonzero(steps < 0)
        if rises < _FEWEST_RISES or 3 * rises < len(steps):
            continue
        largest = float(steps.max())
        restarts = (values[known][falls + 1] <= largest).all() and 10 * len(falls) <= rises
        if not len(falls) or bool(restarts):
            raise InputError(
                f"only rises, from {values[known[0]]:g} to {values[known].max():g}: this looks "
                "like a counter. Say --counter to take differences, or leave it out with "
                f"--skip-households '{name}'",
                file=path,
                line=int(readings.lines[known[-1]]) or None,
                field=name,
            )


def differences(readings: Readings, path: Path) -> tuple[Readings, list[str]]:
    """Return the energy between the readings of counters, NaN where a counter falls; and notes."""
    values, notes = readings.values, []
    change = np.diff(values, axis=0)
    apart = np.diff(readings.instants) != readings.step
    fallen = change < 0
    for column, name in enumerate(readings.names):
        rows = np.flatnonzero(fallen[:, column])
        if 10 * len(rows) > len(change):
            raise InputError(
                f"falls in {len(rows)} of {len(change)} steps, so it is no counter: leave "
                "--counter out, or this household, --skip-households",
                file=path,
                line=int(readings.lines[rows[0] + 1]) or None,
                field=name,
            )
        if len(rows):
            notes.append(
                f"the counter of {name!r} falls in {len(rows)} places, first in line "
                f"{readings.lines[rows[0] + 1]}: no reading there"
            )
    change = np.where(fallen | apart[:, None], np.nan, change)
    return replace(
        readings, instants=readings.instants[:-1], values=change, lines=readings.lines[:-1]
    ), notes


def check_no_sums(readings: Readings, path: Path) -> None:
    """Refuse a household that is the sum or mean of all others, and totals that repeat another."""
    values = readings.values
    count = values.shape[1]
    complete = values[~np.isnan(values).any(axis=1)]
    if count < 2 or len(complete) < 2 or not complete.any():
        return
    total = complete.sum(axis=1)
    apart = bool((np.ptp(complete, axis=1) > 0.01).any())
    for column, name in enumerate(readings.names):
        own = complete[:, column]
        rest = total - own
        if not own.any():
            continue
        near = 1e-3 * (count + 1) + 1e-6 * np.abs(own)
        is_sum = count > 2 and bool((np.abs(own - rest) <= near).all())
        is_mean = bool((np.abs(own - rest / (count - 1)) <= 1e-3).all())
        is_sum |= count > 2 and is_mean and apart
        copies = is_total(name) and any(
            bool(np.array_equal(own, complete[:, other]))
            for other in range(count)
            if other != column
        )
        if (is_sum and float(own.mean()) > 0.02) or copies:
            raise InputError(
                "is the sum or mean of the others, not a household: leave it out with "
                f"--skip-households '{name}'",
                file=path,
                line=int(readings.lines[0]) or None,
                field=name,
            )


def check_day(
    readings: Readings, day: LocalDay, path: Path, *, power: bool, options: MeterOptions
) -> None:
    """Refuse readings of a day that are negative, unless allowed, or too large for a home.

    Only households that have all readings of the day are looked at.
    """
    rows, max_kw = day.rows, options.max_kw
    values = np.where(day.complete, readings.values[rows], np.nan)
    with np.errstate(invalid="ignore"):
        negative = values < 0.0
        kilowatts = np.abs(values) * (1.0 if power else _HOUR / readings.step)
        large = kilowatts > min(max_kw, _SPIKE_KW)
    if large.any():
        _check_large(readings, rows, kilowatts=kilowatts, path=path, power=power, max_kw=max_kw)
    if negative.any() and not options.allow_negative:
        row, column = _first(negative)
        raise _refusal(
            readings,
            rows.start + row,
            column=column,
            path=path,
            reason=f"the reading {values[row, column]:g} is negative: if homes here feed in, say "
            "--allow-negative",
        )


def _check_large(
    readings: Readings, rows: slice, kilowatts: Array, path: Path, *, power: bool, max_kw: float
) -> None:
    usual = np.nanmedian(np.where(readings.values > 0, readings.values, np.nan), axis=0)
    values = readings.values[rows]
    with np.errstate(invalid="ignore"):
        spike = (kilowatts > _SPIKE_KW) & (np.abs(values) > _SPIKE_FACTOR * usual)
        wrong = (kilowatts > max_kw) | (spike & (max_kw <= LARGEST_KW))
    if wrong.any():
        row, column = _first(wrong)
        kw = kilowatts[row, column]
        said = "kW" if power else "kWh"
        raise _refusal(
            readings,
            rows.start + row,
            column=column,
            path=path,
            reason=f"the reading of {values[row, column]:,g} {said} means {kw:,.0f} kW, more than "
            "a home draws: an error code, or another unit (--unit)? If it is right raise --max-kw, "
            "else leave the cell empty",
        )


def _first(wrong: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> tuple[int, int]:
    row, column = np.argwhere(wrong)[0].tolist()
    return row, column


def _refusal(readings: Readings, row: int, column: int, path: Path, reason: str) -> InputError:
    return InputError(
        f"at {readings.written(row)} {reason}",
        file=path,
        line=int(readings.lines[row]) or None,
        field=readings.names[column],
    )
