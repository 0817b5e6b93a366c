"""Supply: the target that a community follows, and its limits by slot.

This module decides what a target means: numbers as they are, a profile of solar or wind power with
times, or a signal (a price, or CO2) that becomes a target by one rule:

    target[t] = E * w[t] / sum(w),  w[t] = 1 - (s[t] - min(s)) / (2 * (max(s) - min(s)))

E is the energy of the community as preferred, s the signal. So its energy is kept, and the cheapest
slot gets twice as much as the dearest, with a straight line in between, whatever the unit of the
signal and also if it is negative. A constant signal gives a flat target. The cost `dot` needs no
such rule: its target is the signal itself, and the cost is what the demand costs at these prices.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agents.planning.hard_constraints import AT_LEAST, AT_MOST
from agents.plans import Population
from agents.population.epos_folder import read_target
from orchestrator.scenario.input_files import hard_constraint
from orchestrator.scenario.settings import RunSettings
from orchestrator.scenario.timed_table import Clock, is_timed, read_timed
from protocol.errors import InputError
from protocol.terms import COSTS_WITH_TARGET, HardConstraint, Limit
from protocol.vectors import Array

SIGNALS = ("price", "co2")
TARGET_UNITS = ("kwh", "kw", *SIGNALS)
LIMIT_UNITS = ("max_kwh", "max_kw", "min_kwh", "min_kw")


def with_residual(settings: RunSettings) -> RunSettings:
    """Return the settings with the cost `residual` instead of `var` if the target has times: what
    the target leaves of the demand is to be flat."""
    if settings.cost != "var" or settings.target is None or not is_timed(settings.target):
        return settings
    return settings.model_copy(update={"cost": "residual"})


def target_of(
    settings: RunSettings, population: Population, members: Sequence[str]
) -> Array | None:
    """Return the target of a run, float64[d] kWh, or None if there is none.

    Raises InputError if the cost needs one and there is none, or if it is wrong.
    """
    if settings.target is not None and is_timed(settings.target):
        return _timed_target(settings.target, settings, population, members)
    if settings.target is not None:
        return read_target(settings.target, population.slots)
    if settings.cost not in COSTS_WITH_TARGET:
        return None
    if population.target is None:
        raise InputError(
            f"the cost {settings.cost} needs a target: name a file with --target", field="--cost"
        )
    if len(population.target) != population.slots:
        raise InputError(
            f"the data set's target has {len(population.target)} values for "
            f"{population.slots} slots: name another with --target",
            file=population.source,
        )
    return population.target


def target_from_signal(signal: Array, energy_kwh: float) -> Array:
    """Return a target of this energy in all that is twice as high at the least signal as at the
    greatest, float64[d] kWh."""
    span = float(np.ptp(signal))
    weights = np.ones_like(signal) if span == 0.0 else 1.0 - (signal - signal.min()) / (2.0 * span)
    return np.asarray(energy_kwh * weights / weights.sum())


def constraint_of(settings: RunSettings, population: Population) -> HardConstraint | None:
    """Return the hard constraint of a run, or None if it has none: limits by slot from a file with
    times (an empty cell is no limit), or bounds and modes without times.

    Raises InputError if the file is wrong.
    """
    path = settings.hard_plans
    if path is None or settings.hard_costs is not None or not is_timed(path):
        return hard_constraint(settings, population.slots)
    columns = read_timed(path, Clock(population.slots, population.slot_times), LIMIT_UNITS)
    limits = []
    for end, mode in (("max_kwh", AT_MOST), ("min_kwh", AT_LEAST)):
        if end in columns:
            counts = ~np.isnan(columns[end])
            modes = tuple(mode if here else 0 for here in counts)
            limits.append(Limit(np.where(counts, columns[end], 0.0), modes))
    if len(limits) == 2 and (columns["min_kwh"] > columns["max_kwh"]).any():
        raise InputError("the least is above the most", file=path, field="min_kwh")
    return HardConstraint("plans", tuple(limits))


def _timed_target(
    path: Path, settings: RunSettings, population: Population, members: Sequence[str]
) -> Array:
    columns = read_timed(path, Clock(population.slots, population.slot_times), TARGET_UNITS)
    if len(columns) > 1:
        reason = f"a target has one column beside time, not {', '.join(columns)}"
        raise InputError(reason, file=path, line=1)
    ((name, amounts),) = columns.items()
    if np.isnan(amounts).any():
        raise InputError("a cell of this column is empty", file=path, field=name)
    if name not in SIGNALS or settings.cost == "dot":
        return amounts
    energy = sum(float(population.households[member].preferred.sum()) for member in members)
    return target_from_signal(amounts, energy)
