"""How well the limits by slot of a run are kept, in words: of all households, and by feeder."""

import numpy as np

from orchestrator.reporting.number_wording import counted, number
from orchestrator.reporting.printable_text import printable
from orchestrator.results.run_results import Excess, RunResults
from orchestrator.results.slot_clock import clock_times


def limits_kept(results: RunResults) -> str:
    """Return how well the limits by slot are kept, in the end and as preferred; empty without
    limits."""
    if not results.limits:
        return ""
    *_, end = results.limits.values()
    kept = "kept in every slot"
    if end.slots:
        kept = f"broken in {counted(end.slots, 'slot')}, by {number(end.kwh)} kWh in all"
    before = results.limits.get("preferred")
    if before is None or not before.slots:
        return kept
    return f"{kept} (as preferred: {counted(before.slots, 'slot')}, {number(before.kwh)} kWh)"


def feeders_kept(results: RunResults) -> str:
    """Return how many feeders keep their limits, in the end and as preferred, and how far those
    that do not are beyond them, the worst first; empty without feeders."""
    feeders = results.feeders
    if not feeders:
        return ""
    ends = {name: list(feeder.limits.values())[-1] for name, feeder in feeders.items()}
    over = sorted((name for name in ends if ends[name].slots), key=lambda name: -ends[name].kwh)
    before = sum(feeder.limits["preferred"].slots == 0 for feeder in feeders.values())
    kept = f"limits kept at {len(ends) - len(over)} of {len(ends)} (as preferred: {before})"
    broken = [f"{printable(name)} {_beyond(ends[name], results)}" for name in over]
    return "; ".join([kept, *broken])


def feeder_heads(results: RunResults) -> tuple[str, ...]:
    """Return the heads of the table of feeders: power in kW, or in kWh per slot where its length is
    not known."""
    unit = "kWh" if results.slot_times is None else "kW"
    return (
        *(
            "feeder",
            "households",
            f"preferred peak, {unit}",
            f"peak, {unit}",
            f"limit then, {unit}",
        ),
        *("preferred over, kWh", "over, kWh", "worst at"),
    )


def feeder_rows(results: RunResults) -> list[tuple[str, ...]]:
    """Return the feeders as lines of a table: what their households take at most, and how far they
    are beyond the limits; empty without feeders."""
    per_slot = 1.0 if results.slot_times is None else 60.0 / results.slot_times.minutes
    rows: list[tuple[str, ...]] = []
    for name, feeder in (results.feeders or {}).items():
        day, end = (results.feeder_days or {})[name], list(feeder.limits.values())[-1]
        demand = day.planned if day.exchanged is None else day.exchanged
        peak = int(demand.argmax())
        limit = np.nan if day.limit is None else float(day.limit[peak])
        preferred = demand if day.preferred is None else day.preferred
        rows.append(
            (
                printable(name),
                f"{feeder.households:,}",
                number(float(preferred.max()) * per_slot),
                number(float(demand[peak]) * per_slot),
                number(limit * per_slot),
                number(feeder.limits["preferred"].kwh),
                number(end.kwh),
                "-" if end.worst_slot is None else _time(results, end.worst_slot),
            )
        )
    return rows


def _beyond(excess: Excess, results: RunResults) -> str:
    assert excess.worst_slot is not None
    return (
        f"is beyond them in {counted(excess.slots, 'slot')}, most at "
        f"{_time(results, excess.worst_slot)}, by {number(excess.kwh)} kWh in all"
    )


def _time(results: RunResults, slot: int) -> str:
    times = results.slot_times
    return f"slot {slot}" if times is None else clock_times(times, results.slots)[slot]
