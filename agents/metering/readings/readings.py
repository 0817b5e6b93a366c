"""Readings of households over time, and how repeated, unsorted and missing ones are treated.

Decides nothing about days. Identical repeated rows count once; different readings of a household
at the same time are refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.metering.readings.local_time import Instants
from protocol.errors import InputError
from protocol.vectors import Array

MINUTE = 60_000_000_000
LONGEST_STEP = 12 * 60 * MINUTE


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings of households that were read at the same times.

    Invariant: instants int64[r] strictly rising; values float64[r, n], one column for each name,
    kWh or kW, NaN where there is no reading; lines int64[r].
    """

    instants: Instants
    names: list[str]
    values: Array
    lines: NDArray[np.int64] = field(repr=False)
    step: int
    """Nanoseconds of an interval: the most frequent step."""

    def written(self, row: int) -> str:
        """Return the time of a row in UTC, for people."""
        return f"{np.datetime_as_string(np.datetime64(int(self.instants[row]), 'ns'), unit='s')}Z"


def arranged(
    instants: Instants,
    names: list[str],
    values: Array,
    lines: NDArray[np.int64],
    *,
    path: Path,
    apart: str = "",
) -> tuple[Readings, list[str]]:
    """Return readings sorted by time, each time once; returns them with notes.

    `apart` says which columns could tell two readings of the same time apart. Raises InputError
    for different readings at one time, and for times that are not evenly spaced.
    """
    notes = []
    if (np.diff(instants) < 0).any():
        order = np.argsort(instants, kind="stable")
        instants, values, lines = instants[order], values[order], lines[order]
        notes.append("rows were not sorted by time: sorted")
    instants, values, lines, dropped = _once(
        instants=instants, names=names, values=values, lines=lines, path=path, apart=apart
    )
    if dropped:
        notes.append(f"repeated rows are left out, they say the same again: {dropped}")
    step = _step(instants, values, lines=lines, path=path)
    # rows without any reading may stand at odd times: they are no readings
    known = ~np.isnan(values).all(axis=1)
    base = int(instants[int(np.argmax(known))])
    keep = known | ((instants - base) % step == 0)
    return Readings(instants[keep], names, values=values[keep], lines=lines[keep], step=step), notes


def _once(
    instants: Instants,
    names: Sequence[str],
    values: Array,
    lines: NDArray[np.int64],
    path: Path,
    apart: str,
) -> tuple[Instants, Array, NDArray[np.int64], int]:
    """Return every time once: later rows only fill in what earlier ones leave open."""
    again = np.flatnonzero(np.diff(instants) == 0) + 1
    if not len(again):
        return instants, values, lines, 0
    values = values.copy()
    keep = np.ones(len(instants), dtype=bool)
    for row in again.tolist():
        before = row - 1
        while not keep[before]:
            before -= 1
        different = (values[row] != values[before]) & ~np.isnan(values[row])
        conflict = different & ~np.isnan(values[before])
        if conflict.any():
            column = int(np.argmax(conflict))
            time = np.datetime_as_string(np.datetime64(int(instants[row]), "ns"), unit="s")
            raise InputError(
                f"{time}Z stands there twice for {names[column]!r} with different readings, also "
                f"in line {lines[before]}: {apart or 'keep one of them'}; if the clock was set "
                "back here, name the zone with --timezone",
                file=path,
                line=int(lines[row]) or None,
            )
        values[before] = np.where(np.isnan(values[before]), values[row], values[before])
        keep[row] = False
    return instants[keep], values[keep], lines[keep], int((~keep).sum())


def _step(instants: Instants, values: Array, lines: NDArray[np.int64], path: Path) -> int:
    """Return nanoseconds from a reading to the next."""
    known = np.flatnonzero(~np.isnan(values).all(axis=1))
    if len(known) < 2:
        raise InputError(
            "has a single time with a reading: a day needs at least two",
            file=path,
            line=int(lines[known[0]]) if len(known) else None,
        )
    steps = np.diff(instants[known])
    sizes, counts = np.unique(steps, return_counts=True)
    step = int(sizes[np.argmax(counts)])
    uneven = np.flatnonzero(steps % step != 0)
    if len(uneven) * 10 > len(steps) or 2 * counts.max() < len(steps):
        seconds = np.unique(steps)[:3] / 1e9
        odd = np.flatnonzero(steps != step)
        row = int(known[odd[0] + 1])
        raise InputError(
            "times are not evenly spaced: steps are "
            + ", ".join(f"{each:g}" for each in seconds)
            + " s and others; average or sum the readings to even steps, such as 30 minutes, "
            "before",
            file=path,
            line=int(lines[row]) or None,
        )
    if step > LONGEST_STEP:
        raise InputError(
            f"readings are {step / (60 * MINUTE):g} hours apart, too far for the course of a day: "
            "readings every hour or finer are needed",
            file=path,
            line=int(lines[known[1]]),
        )
    return step
