"""The files that settings name: tree order, weights of single households, hard constraints.

This module only reads them; `scenario.py` decides what the settings mean for a run.
"""

import csv
from pathlib import Path
from typing import Literal

import numpy as np

from agents.planning.java_random import JavaRandom
from agents.plans import Population
from agents.suggestions import household_suggestion
from orchestrator.scenario.settings import RunSettings
from protocol.errors import InputError
from protocol.terms import HardConstraint, Limit


def tree_order(settings: RunSettings, population: Population) -> tuple[str, ...]:
    """Return all household ids in tree order: as in the data, shuffled, or as listed in a file.

    Raises InputError if the file names an unknown household, or does not name each exactly once.
    """
    ids = list(population.households)
    if settings.order is None:
        return tuple(ids)
    if settings.order == "random":
        JavaRandom(settings.seed).shuffle(ids)
        return tuple(ids)
    path = Path(settings.order)
    seen: dict[str, int] = {}
    for number, line in enumerate(lines_of(path), start=1):
        household = line.strip()
        if household not in population.households:
            raise _unknown(household, population, path, line=number)
        if household in seen:
            reason = f"{household} is already in line {seen[household]}"
            raise InputError(reason, file=path, line=number)
        seen[household] = number
    missing = [household for household in ids if household not in seen]
    if missing:
        raise InputError(f"{len(missing)} households are missing, first {missing[0]}", file=path)
    return tuple(seen)


def read_weights(path: Path, population: Population) -> dict[str, tuple[float, float]]:
    """Read the weights (alpha, beta) of single households from lines `household,alpha,beta`.

    Raises InputError, which names the wrong line.
    """
    weights: dict[str, tuple[float, float]] = {}
    for number, row in enumerate(csv.reader(lines_of(path)), start=1):
        if number == 1 and [cell.strip() for cell in row] == ["household", "alpha", "beta"]:
            continue
        if len(row) != 3:
            raise InputError("expected household,alpha,beta", file=path, line=number)
        household = row[0].strip()
        if household not in population.households:
            raise _unknown(household, population, path, line=number)
        if household in weights:
            raise InputError(f"{household} has weights already", file=path, line=number)
        try:
            alpha, beta = float(row[1]), float(row[2])
        except ValueError:
            raise InputError("alpha and beta must be numbers", file=path, line=number) from None
        if not (alpha >= 0 and beta >= 0 and alpha + beta <= 1):
            reason = "alpha and beta must be at least 0 and their sum at most 1"
            raise InputError(reason, file=path, line=number)
        weights[household] = (alpha, beta)
    return weights


def hard_constraint(settings: RunSettings, slots: int) -> HardConstraint | None:
    """Read the hard constraint that the settings name, if any.

    Raises InputError if the settings name two, or if the file is wrong.
    """
    if settings.hard_plans is not None and settings.hard_costs is not None:
        raise InputError("give hard bounds on plans or on costs, not both", field="--hard-costs")
    if settings.hard_plans is not None:
        return _read_constraint(settings.hard_plans, "plans", width=slots, heights=(2, 4))
    if settings.hard_costs is not None:
        return _read_constraint(settings.hard_costs, "costs", width=4, heights=(2,))
    return None


def _read_constraint(
    path: Path, kind: Literal["plans", "costs"], *, width: int, heights: tuple[int, ...]
) -> HardConstraint:
    """Read a file of comma-separated lines, alternately bounds and modes.

    Each line has `width` values; the number of lines is one of `heights`.
    """
    lines = lines_of(path)
    if len(lines) not in heights:
        expected = " or ".join(str(height) for height in heights)
        raise InputError(f"{len(lines)} lines, expected {expected}", file=path)
    rows: list[list[float]] = []
    for number, line in enumerate(lines, start=1):
        try:
            row = [float(cell) for cell in line.split(",")]
        except ValueError:
            raise InputError("expected comma-separated numbers", file=path, line=number) from None
        if len(row) != width or not np.isfinite(row).all():
            raise InputError(
                f"{len(row)} values, expected {width} finite ones", file=path, line=number
            )
        if number % 2 == 0 and any(value not in (0, 1, 2, 3) for value in row):
            reason = "modes must be 0 (none), 1 (at most), 2 (at least) or 3 (equal)"
            raise InputError(reason, file=path, line=number)
        rows.append(row)
    limits = tuple(
        Limit(np.array(bound), tuple(int(mode) for mode in modes))
        for bound, modes in zip(rows[::2], rows[1::2], strict=True)
    )
    return HardConstraint(kind, limits)


def lines_of(path: Path) -> list[str]:
    """Return the lines of a text file. Raises InputError if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig").strip().splitlines()
    except FileNotFoundError:
        raise InputError("no such file", file=path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", file=path) from error


def _unknown(household: str, population: Population, path: Path, line: int) -> InputError:
    advice = household_suggestion(household, list(population.households))
    return InputError(f"no household {household!r} in the data: {advice}", file=path, line=line)
