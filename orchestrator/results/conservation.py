"""The conservation of energy in stage 2: at each slot the schedules add up to what they did before.

Decides when a difference is more than rounding, and how it is reported.
"""

import numpy as np

from orchestrator.results.run_results import RunResults
from protocol.errors import RunError
from protocol.vectors import Array

ROUNDING_SHARE = 1e-9
"""Difference of two sums that rounding can explain, as a share of the largest sum."""


def conserved(before: Array, after: Array) -> bool:
    """Return True if the sums of all schedules before and after the exchange, float64[d], differ by
    rounding only."""
    size = float(np.abs(before).max()) or 1.0
    return bool((np.abs(after - before) <= ROUNDING_SHARE * size).all())


def require_conserved(results: RunResults, place: str = "") -> None:
    """Raise RunError if an exchange has changed the sum of all schedules at a slot.

    `place` says where the results are kept.
    """
    exchange, after = results.exchange, results.demand.exchanged
    if exchange is None or after is None or exchange.conserved is not False:
        return
    advice = f"Do not use these results{place}; coflex explain shows what each household exchanged"
    if results.loops is not None:
        loop = next(loop.loop for loop in results.loops if not loop.conserved)
        raise RunError(
            f"the exchange of loop {loop} has not conserved energy: a value was lost or doubled. "
            f"{advice}"
        )
    days = {"": results.demand, **(results.feeder_days or {})}
    changes = {
        place: after - day.planned
        for place, day in days.items()
        if (after := day.exchanged) is not None
    }
    feeder = max(changes, key=lambda name: float(np.abs(changes[name]).max()))
    off, after = changes[feeder], changes[feeder] + days[feeder].planned
    worst = int(np.abs(off).argmax())
    at = f" and feeder {feeder}" if feeder else ""
    raise RunError(
        f"the exchange has not conserved energy: the schedules at slot {worst}{at} add up to "
        f"{after[worst]:.6g} kWh, {abs(off[worst]):.3g} kWh "
        f"{'more' if off[worst] > 0 else 'less'} than before, so a value was lost or doubled. "
        f"{advice}"
    )
