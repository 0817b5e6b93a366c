"""How a demand keeps the limits by slot of a run. Pure."""

import numpy as np

from agents.planning.hard_constraints import AT_MOST, excess
from orchestrator.results.run_results import Demand, Excess
from protocol.terms import HardConstraint, Limit
from protocol.vectors import Array

_STATES = ("preferred", "planned", "exchanged")
_ROUNDING_KWH = 1e-9


def block_of(constraint: HardConstraint | None, number: int, slots: int) -> HardConstraint | None:
    """Return the limits by slot on one sum: over all households (0), or at a feeder (from 1); None
    if there are none."""
    if constraint is None or constraint.kind != "plans":
        return None
    place = slice(number * slots, (number + 1) * slots)
    limits = tuple(
        Limit(limit.bound[place], limit.mode[place])
        for limit in constraint.limits
        if any(limit.mode[place])
    )
    return HardConstraint("plans", limits) if limits else None


def excesses(constraint: HardConstraint | None, demand: Demand) -> dict[str, Excess] | None:
    """Return how far each state is beyond the limits, by state; None if none are by slot."""
    if constraint is None or constraint.kind != "plans":
        return None
    curves = demand.columns()
    return {state: _excess(constraint, curves[state]) for state in _STATES if state in curves}


def upper_limit(constraint: HardConstraint | None) -> Array | None:
    """Return the most that is allowed by slot, float64[d] kWh, NaN in slots without a limit; None
    if no slot has one."""
    if constraint is None or constraint.kind != "plans":
        return None
    for limit in constraint.limits:
        counts = np.array(limit.mode) == AT_MOST
        if counts.any():
            return np.where(counts, limit.bound, np.nan)
    return None


def _excess(constraint: HardConstraint, demand: Array) -> Excess:
    beyond = sum((excess(limit, demand) for limit in constraint.limits), np.zeros(len(demand)))
    broken = beyond > _ROUNDING_KWH
    return Excess(
        slots=int(broken.sum()),
        kwh=float(beyond[broken].sum()),
        worst_slot=int(beyond.argmax()) if broken.any() else None,
    )
