"""A run in words and its table of measures, for the terminal and the page alike.

Decides what is told and how numbers are written; how it is laid out is decided in
terminal_summary.py and html_page.py.
"""

import math
from dataclasses import dataclass

from orchestrator.reporting.printable_text import printable
from orchestrator.results.measures import MEASURES, Measures, cost_unit
from orchestrator.results.run_results import Exchange, Round, RunResults
from protocol.vectors import Array

_SHAPE_ONLY = ("rss", "rmse", "xcorr", "dot")
"""Costs that look at the shape of the target, whatever its size."""


@dataclass(frozen=True, slots=True)
class MeasureLine:
    """One measure in every state that there is."""

    name: str
    unit: str
    values: dict[str, str]


_NAMES = 6
"""Names that are shown of many."""
_FIRST, _LAST = 8, 2
"""Rounds at the beginning and at the end that are shown of many."""


@dataclass(frozen=True, slots=True)
class RoundLine:
    """A line of the table of rounds; None where rounds in between are left out."""

    cells: tuple[str, ...] | None


ROUND_HEADS = ("round", "looked up", "matched", "exchanged", "comfort", "messages", "MB")


def number(value: float) -> str:
    """Return a number for people: four significant digits, whole above 1000, or a dash."""
    if not math.isfinite(value):
        return "-" if math.isnan(value) else str(value)
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def counted(count: int, what: str) -> str:
    """Return a count and its noun, in the plural but for 1."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def headline(results: RunResults) -> str:
    """Return what ran, in one line."""
    return (
        f"{counted(results.households, 'household')}, {counted(results.slots, 'slot')}, "
        f"{counted(results.iterations, 'iteration')}"
    )


def facts(results: RunResults) -> list[tuple[str, str]]:
    """Return how the results came about, as pairs (subject, text); what the configuration does not
    say is left out."""
    config = results.config
    told = {key: printable(str(value)) for key, value in config.items() if value is not None}
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
        ("names", _named(results)),
        ("aim", _aim(results, told)),
        ("seed", str(results.seed)),
    ]
    if results.bus is not None:
        lines.append(("bus", _bus(results)))
    lines.append(("seconds", _seconds(results)))
    return [(subject, text) for subject, text in lines if text]


def measure_lines(results: RunResults) -> list[MeasureLine]:
    """Return the table of measures: one line each, one value for each state."""
    states = results.states()
    cost = str(results.config.get("cost", ""))
    lines = []
    for measure, described in MEASURES.items():
        name, unit = described.label, described.unit
        if measure == "inefficiency":
            name, unit = with_cost(results), cost_unit(cost)
        values = {state: number(getattr(found, measure)) for state, found in states.items()}
        lines.append(MeasureLine(name, unit, values))
    return lines


def with_cost(results: RunResults) -> str:
    """Return "inefficiency" with the name of the cost that it is, where that is recorded."""
    cost, label = results.config.get("cost"), MEASURES["inefficiency"].label
    return f"{label} ({cost})" if cost else label


def drawn_target(results: RunResults) -> tuple[str, Array] | None:
    """Return the name of the target and its curve as it can be drawn beside the demand, kWh.

    Where the cost looks at its shape alone, it is shifted and stretched to the mean and spread of
    the planned demand.
    """
    target, planned = results.demand.target, results.demand.planned
    if target is None:
        return None
    spread = float(target.std())
    if results.config.get("cost") not in _SHAPE_ONLY or not spread:
        return "target", target
    fitted = (target - target.mean()) * (planned.std() / spread) + planned.mean()
    return "target (scaled)", fitted


def discomfort_in_course(results: RunResults) -> tuple[str, str]:
    """Return name and unit of the discomfort that stage 1 weighed, as in iterations.csv."""
    measure = str(results.config.get("discomfort", "rmse"))
    return ("mean discomfort", "kWh") if measure == "rmse" else (f"mean discomfort, {measure}", "")


def exchange_facts(results: RunResults) -> list[tuple[str, str]]:
    """Return how stage 2 went, as pairs (subject, text); empty without a stage 2."""
    exchange, after, bound = results.exchange, results.exchanged, results.bound
    if exchange is None or after is None or bound is None:
        return []
    before = results.planned
    held, bound_name = before.mean_discomfort, "the bound of values"
    removed = f"{1 - after.mean_discomfort / held:.1%}" if held else ""
    share = f"{removed} of the discomfort of stage 1 removed; " if removed else ""
    return [
        ("rule", _rule(results)),
        (
            "exchanges",
            f"{exchange.accepted:,} in {counted(exchange.rounds, 'round')}, "
            f"{exchange.proposals:,} proposed{_percent(exchange.proposal_success, 'accepted')}",
        ),
        (
            "lookups",
            f"{exchange.lookups:,}{'' if of_bundles(results) else ' slots'}, "
            f"{exchange.matches:,} matches"
            f"{_percent(exchange.lookup_success, 'found')}, {exchange.expired:,} leases unused",
        ),
        ("messages", _messages(exchange)),
        (
            "comfort",
            f"{number(before.mean_comfort)} to {number(after.mean_comfort)}: {share}"
            f"{exchange.share_of_bound:.1%} of what {bound_name} allows "
            f"({number(bound.mean_comfort)}){negative_comfort(results)}",
        ),
        ("unfairness", _fairness(before, after)),
        ("worse off", worse_off(results)),
        (
            "kept",
            f"inefficiency changed by {exchange.inefficiency_change:.1g}; a household's own energy "
            f"by at most {number(exchange.max_energy_drift)} kWh{_keeping(results)}",
        ),
    ]


def _keeping(results: RunResults) -> str:
    """Return how to keep each household its energy, if single slots were exchanged."""
    if "content" not in results.config or of_bundles(results):
        return ""
    if results.config.get("energy_drift") is not None:
        return "; under such a cap bundles come further (--content bundle)"
    return " (--content bundle keeps it)"


def of_bundles(results: RunResults) -> bool:
    """Return True if bundles were exchanged, not single slots."""
    return results.config.get("content") == "bundle"


def negative_comfort(results: RunResults) -> str:
    """Return why a mean comfort is below 0, as a sentence to append; empty if none is."""
    if all(found.mean_comfort >= 0 for found in results.states().values()):
        return ""
    return (
        ". Comfort is 1 - RMSE in kWh a slot: below 0 means only that homes are large or slots "
        "long, so compare the share removed"
    )


def _fairness(before: Measures, after: Measures) -> str:
    """Return what became more equal, and what did not: absolute spread and relative inequality
    can move apart."""
    told = (
        f"standard deviation {number(before.unfairness)} to {number(after.unfairness)} kWh, "
        f"Gini {number(before.gini)} to {number(after.gini)}"
    )
    if after.unfairness < before.unfairness and after.gini > before.gini:
        return f"{told}: in kWh households are closer, in shares of what is left they are not"
    if after.unfairness > before.unfairness and after.gini < before.gini:
        return f"{told}: in shares of what is left households are closer, in kWh they are not"
    return told


def worse_off(results: RunResults) -> str:
    """Return how many households lost by the exchange, as a sentence; empty without a stage 2."""
    exchange = results.exchange
    if exchange is None:
        return ""
    worse = exchange.households_worse
    if not worse:
        return "No household has more discomfort than after stage 1."
    verb = "has" if worse == 1 else "have"
    told = f"{worse:,} of {results.households:,} households {verb} more discomfort than before."
    if results.config.get("exchange") == "paper":
        told += " The literal rule of the source protects nobody from that."
    return told


def round_lines(results: RunResults) -> list[RoundLine]:
    """Return the rounds as cells under ROUND_HEADS; of many, the first and the last."""
    lines = [RoundLine(_cells(row)) for row in results.rounds]
    if len(lines) <= _FIRST + _LAST + 1:
        return lines
    return [*lines[:_FIRST], RoundLine(None), *lines[-_LAST:]]


def _named(results: RunResults) -> str:
    """Return the first households that have a name, beside their ids."""
    named = [f"{row.household} {printable(row.name)}" for row in results.rows if row.name]
    more = f", and {len(named) - _NAMES} more in households.csv" if len(named) > _NAMES else ""
    return ", ".join(named[:_NAMES]) + more


def _where(results: RunResults, told: dict[str, str]) -> str:
    parts = []
    if "isolation" in told:
        how = "simulated as " if told.get("execution") == "simulation" else ""
        parts.append(f"{how}{told['isolation']} isolation")
    if "hosts" in told:
        parts.append(counted(int(told["hosts"]), "host"))
    if "children" in told:
        parts.append("tree of " + counted(max(row.level for row in results.rows), "level"))
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
    sent = f"{counted(bus.messages, 'message')} in {counted(bus.frames, 'frame')}"
    return f"{sent}, {bus.bytes / 1e6:,.1f} MB, {bus.resent:,} sent again, {bus.dropped:,} dropped"


def _seconds(results: RunResults) -> str:
    seconds = results.seconds
    parts = [("start", seconds.start), ("planning", seconds.planning)]
    if seconds.exchange is not None:
        parts.append(("exchange", seconds.exchange))
    return ", ".join(f"{name} {value:.1f}" for name, value in (*parts, ("total", seconds.total)))


def _cells(row: Round) -> tuple[str, ...]:
    return (
        str(row.round),
        f"{row.lookups:,}",
        f"{row.matches:,}",
        f"{row.accepted:,}",
        f"{1 - row.mean_discomfort:.4f}",
        f"{row.messages + row.answers:,}",
        f"{row.bytes / 1e6:,.2f}",
    )


def _rule(results: RunResults) -> str:
    config = results.config
    parts = [str(config["exchange"])] if "exchange" in config else []
    if of_bundles(results):
        parts.append("bundles")
    if "disclose" in config:
        parts.append(f"offers say {config['disclose']}")
    if "locks" in config and not of_bundles(results):
        parts.append(f"leases mark a {config['locks']}")
    if "exchange_order" in config:
        parts.append(f"{config['exchange_order']}")
    return ", ".join(parts) or "not recorded"


def _messages(exchange: Exchange) -> str:
    told = f"{exchange.messages:,} in {exchange.frames:,} frames, {exchange.bytes / 1e6:,.1f} MB"
    if exchange.messages_per_exchange is None or exchange.bytes_per_exchange is None:
        return told
    return (
        f"{told}; per exchange {number(exchange.messages_per_exchange)}, "
        f"{number(exchange.bytes_per_exchange)} bytes"
    )


def _percent(share: float | None, what: str) -> str:
    return "" if share is None else f" ({share:.1%} {what})"
