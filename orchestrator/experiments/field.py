"""Further measures of the field, from the results of a run: of the demand curve and of comfort."""

from typing import Any

import numpy as np

from orchestrator.results.run_results import RunResults
from protocol.vectors import Array

PERCENTILES = (5, 25, 50, 75, 95)


def field_measures(results: RunResults) -> dict[str, Any]:
    """For each state there was: load factor (mean over peak demand), ramping (mean and largest
    absolute change from slot to slot, kWh), and percentiles of the households' comfort."""
    found: dict[str, Any] = {}
    for state in ("preferred", "planned", "exchanged"):
        demand = getattr(results.demand, state)
        if demand is not None:
            found |= {f"{state}_{name}": value for name, value in demand_measures(demand).items()}
    planned = np.array([1 - row.discomfort_planned for row in results.rows])
    found |= _percentiles("planned", planned)
    after = [row.discomfort_exchanged for row in results.rows]
    if all(value is not None for value in after):
        found |= _percentiles("exchanged", 1 - np.array(after, float))
    return found


def demand_measures(demand: Array) -> dict[str, float]:
    """Of a demand curve float64[d], kWh a slot."""
    steps = np.abs(np.diff(demand))
    peak = float(demand.max())
    return {
        "load_factor": float(demand.mean()) / peak if peak else float("nan"),
        "ramp_mean": float(steps.mean()) if steps.size else 0.0,
        "ramp_max": float(steps.max()) if steps.size else 0.0,
    }


def _percentiles(state: str, comfort: Array) -> dict[str, float]:
    found = np.percentile(comfort, PERCENTILES)
    return {f"{state}_comfort_p{p}": float(v) for p, v in zip(PERCENTILES, found, strict=True)}
