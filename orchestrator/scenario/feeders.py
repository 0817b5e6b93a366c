"""Feeders: which households share one, and what they may take together.

This module reads the two files and decides which feeders count: those with limits. Households at
others, or at none, keep no limit together, and may exchange with one another.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agents.planning.hard_constraints import AT_LEAST, AT_MOST
from agents.plans import Population
from agents.suggestions import household_suggestion, suggestion
from orchestrator.scenario.input_files import lines_of
from orchestrator.scenario.settings import RunSettings
from orchestrator.scenario.supply import LIMIT_UNITS
from orchestrator.scenario.timed_table import Clock, read_timed_by_feeder
from protocol.errors import InputError
from protocol.terms import FEEDERS_MAX, HardConstraint, Limit
from protocol.vectors import Array

_HEADER = ["household", "feeder"]


@dataclass(frozen=True, slots=True)
class Feeders:
    """The feeders with limits of their own, in the order of their file."""

    names: tuple[str, ...]
    at: Mapping[str, int]
    """The feeder of each household at one of them, counted from 1."""
    most: Array
    """What each may take, float64[F, d] kWh; NaN for no limit."""
    least: Array
    """What each must take, likewise."""

    def number(self, household: str) -> int:
        """Return the feeder of a household, from 1; 0 if it is at none of them."""
        return self.at.get(household, 0)

    def joined_to(self, whole: HardConstraint | None) -> HardConstraint:
        """Return the constraint on all sums: the limits for all households together, if there are
        any, then those of each feeder. Raises InputError if the former are on costs."""
        if whole is not None and whole.kind != "plans":
            reason = "with feeders, limits are by slot: leave out one of the two"
            raise InputError(reason, field="--hard-costs")
        slots = self.most.shape[1]
        free = Limit(np.zeros(slots), (0,) * slots)
        first = () if whole is None else whole.limits
        own = [
            _limit(amounts, mode)
            for amounts, mode in ((self.most, AT_MOST), (self.least, AT_LEAST))
            if not np.isnan(amounts).all()
        ]
        none = Limit(np.zeros(self.most.size), (0,) * self.most.size)
        count = max(len(first), len(own))
        limits = (
            Limit(np.concatenate([one.bound, two.bound]), one.mode + two.mode)
            for one, two in zip(
                [*first, *[free] * (count - len(first))],
                [*own, *[none] * (count - len(own))],
                strict=True,
            )
        )
        return HardConstraint("plans", tuple(limits))


def read_feeders(settings: RunSettings, population: Population) -> Feeders | None:
    """Read the feeders that the settings name, and their limits; None if there are none.

    Raises InputError if one of the two files is wrong.
    """
    path, limits = settings.feeders, settings.feeder_limits
    if path is None or limits is None:
        return None
    places = _read_places(path, population)
    columns = read_timed_by_feeder(
        limits, Clock(population.slots, population.slot_times), LIMIT_UNITS
    )
    known = sorted(set(places.values()))
    for name, amounts in columns.items():
        if name not in known:
            reason = f"no household is at the feeder {name!r}: {suggestion(name, known)}"
            raise InputError(reason, file=limits)
        if len(amounts) == 2 and (amounts["min_kwh"] > amounts["max_kwh"]).any():
            reason = f"the least is above the most at the feeder {name!r}"
            raise InputError(reason, file=limits, field="min_kwh")
    none = np.full(population.slots, np.nan)
    bound = {
        name: amounts
        for name, amounts in columns.items()
        if not all(np.isnan(each).all() for each in amounts.values())
    }
    if not bound:
        raise InputError("no feeder has a limit", file=limits)
    if len(bound) > FEEDERS_MAX:
        reason = f"{len(bound)} feeders with limits, but at most {FEEDERS_MAX} are possible"
        raise InputError(reason, file=limits)
    numbers = {name: number for number, name in enumerate(bound, start=1)}
    return Feeders(
        names=tuple(bound),
        at={home: numbers[name] for home, name in places.items() if name in numbers},
        most=np.array([each.get("max_kwh", none) for each in bound.values()]),
        least=np.array([each.get("min_kwh", none) for each in bound.values()]),
    )


def _limit(amounts: Array, mode: int) -> Limit:
    flat = amounts.reshape(-1)
    counts = ~np.isnan(flat)
    return Limit(np.where(counts, flat, 0.0), tuple(mode if here else 0 for here in counts))


def _read_places(path: Path, population: Population) -> dict[str, str]:
    """Read the feeder of each household from lines `household,feeder`."""
    places: dict[str, str] = {}
    for number, row in enumerate(csv.reader(lines_of(path)), start=1):
        cells = [cell.strip() for cell in row]
        if number == 1 and cells == _HEADER:
            continue
        if len(cells) != 2 or not all(cells):
            raise InputError("expected household,feeder", file=path, line=number)
        household, feeder = cells
        if household not in population.households:
            advice = household_suggestion(household, list(population.households))
            reason = f"no household {household!r} in the data: {advice}"
            raise InputError(reason, file=path, line=number)
        if household in places:
            raise InputError(f"{household} has a feeder already", file=path, line=number)
        places[household] = feeder
    return places
