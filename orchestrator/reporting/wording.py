"""A run in words and its table of measures, for the terminal and the page alike.

Decides what is told and how numbers are written; how it is laid out is decided by summary.py and
report/.
"""

import math
from dataclasses import dataclass

from orchestrator.results.measures import Measures, cost_unit
from orchestrator.results.run_results import RunResults
from protocol.vectors import Array

_MEASURES = (
    ("peak", "peak demand", "kWh"),
    ("peak_to_average", "peak to average", ""),
    ("mean_discomfort", "mean discomfort", "kWh"),
    ("mean_comfort", "mean comfort", ""),
    ("pooled_discomfort", "pooled discomfort", "kWh"),
    ("max_discomfort", "largest discomfort", "kWh"),
    ("unfairness", "unfairness", "kWh"),
    ("gini", "Gini", ""),
    ("jain", "Jain", ""),
)
_SHAPE_ONLY = ("rss", "rmse", "xcorr", "dot")
"""Costs that look at the shape of the target, whatever its size."""


@dataclass(frozen=True, slots=True)
class MeasureLine:
    """One measure in every state that there is."""

    name: str
    unit: str
    values: dict[str, str]


def number(value: float) -> str:
    """Four significant digits, whole above 1000, for people; a dash where undefined."""
    if not math.isfinite(value):
        return "-" if math.isnan(value) else str(value)
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def headline(results: RunResults) -> str:
    """What ran, in one line."""
    return (
        f"{_count(results.households, 'household')}, {_count(results.slots, 'slot')}, "
        f"{_count(results.iterations, 'iteration')}"
    )


def facts(results: RunResults) -> list[tuple[str, str]]:
    """What a reader must know of how the results came about: (subject, text). What the
    configuration does not say is left out."""
    config = results.config
    told = {key: str(value) for key, value in config.items() if value is not None}
    source = told.get("dataset") or ("generated" if config.get("demo") else "")
    score = {
        "preference": "a preference: more is better",
        "cost": "a cost: less is better",
    }.get(told.get("score", ""), "")
    origin = f" (from {told['score_from']})" if "score_from" in told else ""
    lines = [
        ("data", f"{source} (sha256 {results.data_sha256[:12]})".strip()),
        ("score", f"{score}{origin}" if score else ""),
        ("households", _where(results, told)),
        ("aim", _aim(results, told)),
        ("seed", str(results.seed)),
    ]
    if results.bus is not None:
        lines.append(("bus", _bus(results)))
    lines.append(("seconds", _seconds(results)))
    return [(subject, text) for subject, text in lines if text]


def measure_lines(results: RunResults) -> list[MeasureLine]:
    """The table of measures: one line each, one value for each state."""
    states = results.states()
    cost = str(results.config.get("cost", ""))
    named = f"inefficiency ({cost})" if cost else "inefficiency"
    return [
        _line("inefficiency", named, cost_unit(cost), states),
        *(_line(field, name, unit, states) for field, name, unit in _MEASURES),
    ]


def drawn_target(results: RunResults) -> tuple[str, Array] | None:
    """The target as it can be drawn beside the demand, kWh, and its name. Where the cost looks at
    its shape alone, it is shifted and stretched to the mean and spread of the planned demand."""
    target, planned = results.demand.target, results.demand.planned
    if target is None:
        return None
    spread = float(target.std())
    if results.config.get("cost") not in _SHAPE_ONLY or not spread:
        return "target", target
    fitted = (target - target.mean()) * (planned.std() / spread) + planned.mean()
    return "target (scaled)", fitted


def discomfort_in_course(results: RunResults) -> tuple[str, str]:
    """Name and unit of the discomfort that stage 1 weighed, as iterations.csv has it."""
    measure = str(results.config.get("discomfort", "rmse"))
    return ("mean discomfort", "kWh") if measure == "rmse" else (f"mean discomfort, {measure}", "")


def _line(field: str, name: str, unit: str, states: dict[str, Measures]) -> MeasureLine:
    values = {state: number(getattr(measures, field)) for state, measures in states.items()}
    return MeasureLine(name, unit, values)


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _where(results: RunResults, told: dict[str, str]) -> str:
    parts = []
    if "isolation" in told:
        how = "simulated as " if told.get("execution") == "simulation" else ""
        parts.append(f"{how}{told['isolation']} isolation")
    if "hosts" in told:
        parts.append(_count(int(told["hosts"]), "host"))
    if "children" in told:
        parts.append("tree of " + _count(max(row.level for row in results.rows), "level"))
        parts.append(f"{told['children']} children each")
    return ", ".join(parts)


def _aim(results: RunResults, told: dict[str, str]) -> str:
    low, high = min(row.beta for row in results.rows), max(row.beta for row in results.rows)
    parts = [f"cost {told['cost']}"] if "cost" in told else []
    if told.get("cost") == "rss" and "scaling" in told:
        parts[0] += f" ({told['scaling']})"
    parts.append(f"beta {low:g}" if low == high else f"beta {low:g} to {high:g} by household")
    if "alpha" in told:
        parts.append(f"alpha {told['alpha']}")
    if "discomfort" in told:
        parts.append(f"discomfort {told['discomfort']}")
    return ", ".join(parts)


def _bus(results: RunResults) -> str:
    bus = results.bus
    assert bus is not None
    sent = f"{_count(bus.messages, 'message')} in {_count(bus.frames, 'frame')}"
    return f"{sent}, {bus.bytes / 1e6:,.1f} MB, {bus.resent:,} sent again, {bus.dropped:,} dropped"


def _seconds(results: RunResults) -> str:
    seconds = results.seconds
    parts = [("start", seconds.start), ("planning", seconds.planning)]
    if seconds.exchange is not None:
        parts.append(("exchange", seconds.exchange))
    return ", ".join(f"{name} {value:.1f}" for name, value in (*parts, ("total", seconds.total)))
