"""A run in words and its table of measures, for both the terminal and the page.

This module decides the texts; `terminal_summary.py` and `html_page.py` decide the layout.
"""

from dataclasses import dataclass

from orchestrator.reporting.contents import of_amounts, of_bundles, of_cycles, of_slots
from orchestrator.reporting.limit_wording import feeders_kept, limits_kept
from orchestrator.reporting.loop_wording import compared_with, loop_facts, sums_kept
from orchestrator.reporting.number_wording import counted, number
from orchestrator.reporting.printable_text import printable
from orchestrator.results.audit import audit_words
from orchestrator.results.home_measures import HOME_MEASURES
from orchestrator.results.measures import MEASURES, Measures, cost_unit, discomfort_removed
from orchestrator.results.run_results import Exchange, RunResults
from protocol.terms import SHAPE_COSTS
from protocol.vectors import Array


@dataclass(frozen=True, slots=True)
class MeasureLine:
    """One measure, with its value in each state of the run."""

    name: str
    unit: str
    values: dict[str, str]


_NAMES = 6
"""Maximum number of names that are shown."""


def headline(results: RunResults) -> str:
    """Return the size of the run in one line, and whether it has failed."""
    size = (
        f"{counted(results.households, 'household')}, {counted(results.slots, 'slot')}, "
        f"{counted(results.iterations, 'iteration')}"
    )
    return size if results.status == "done" else f"FAILED: {size}"


def facts(results: RunResults) -> list[tuple[str, str]]:
    """Return how the results were made, as pairs (subject, text), if the configuration says so."""
    config = results.config
    known = {key: printable(str(value)) for key, value in config.items() if value is not None}
    made = config.get("demo") or config.get("homes")
    source = known.get("dataset") or ("generated" if made else "")
    score = {
        "preference": "a preference: more is better",
        "cost": "a cost: less is better",
    }.get(known.get("score", ""), "")
    origin = f" (from {known['score_from']})" if "score_from" in known else ""
    lines = [
        ("data", f"{source} (sha256 {results.data_sha256[:12]})".strip()),
        ("score", f"{score}{origin}" if score and results.homes is None else ""),
        ("households", _where(results, known)),
        ("names", _named(results)),
        ("aim", _aim(results, known)),
        ("limits", limits_kept(results)),
        ("feeders", feeders_kept(results)),
        ("seed", str(results.seed)),
    ]
    if results.bus is not None:
        lines.append(("bus", _bus(results)))
    lines.append(("seconds", _seconds(results)))
    if results.audit is not None:
        lines.append(("audit", audit_words(results.audit)))
    return [(subject, text) for subject, text in lines if text]


def measure_lines(results: RunResults) -> list[MeasureLine]:
    """Return the table of measures: one line per measure, with one value per state."""
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


def home_lines(results: RunResults) -> list[MeasureLine]:
    """Return what each state costs the people of homes, one line per measure that somebody has;
    empty if no household is a home."""
    found = results.homes or {}
    lines = []
    for measure, described in HOME_MEASURES.items():
        amounts = {
            state: getattr(found[state], measure) if state in found else None
            for state in results.states()
        }
        if any(amount is not None for amount in amounts.values()):
            values = {
                state: "" if amount is None else number(amount) for state, amount in amounts.items()
            }
            lines.append(MeasureLine(described.label, described.unit, values))
    return lines


def with_cost(results: RunResults) -> str:
    """Return "inefficiency" with the name of the run's cost, if that is recorded."""
    cost, label = results.config.get("cost"), MEASURES["inefficiency"].label
    return f"{label} ({cost})" if cost else label


def drawn_target(results: RunResults) -> tuple[str, Array] | None:
    """Return the name of the target and its curve, so that both fit into a plot of demand, kWh.

    If the cost compares only shapes, the target is shifted and stretched to the mean and spread of
    the planned demand. Returns None without a target.
    """
    target, planned = results.demand.target, results.demand.planned
    if target is None:
        return None
    spread = float(target.std())
    if results.config.get("cost") not in SHAPE_COSTS or not spread:
        return "target", target
    fitted = (target - target.mean()) * (planned.std() / spread) + planned.mean()
    return "target (scaled)", fitted


def planning_discomfort_name(results: RunResults) -> tuple[str, str]:
    """Return name and unit of the measure of discomfort in stage 1, which is in iterations.csv."""
    measure = str(results.config.get("discomfort", "rmse"))
    return ("mean discomfort", "kWh") if measure == "rmse" else (f"mean discomfort, {measure}", "")


def exchange_facts(results: RunResults) -> list[tuple[str, str]]:
    """Return a summary of stage 2 as pairs (subject, text); empty without a stage 2."""
    exchange, after, bound = results.exchange, results.exchanged, results.bound
    if exchange is None or after is None:
        return []
    facts = [*loop_facts(results), ("rule", _rule(results))]
    if not by_equal_shift(results):
        facts += _negotiation_facts(results, exchange)
    facts += [
        ("messages", _messages(exchange)),
        ("comfort", _comfort(results, exchange, after=after, bound=bound)),
        ("unfairness", _fairness(results.planned, after)),
        ("worse off", worse_off(results)),
        (
            "kept",
            f"{sums_kept(results)}; a household's own energy by at most "
            f"{number(exchange.max_energy_drift)} kWh{_keeping(results)}",
        ),
    ]
    if by_equal_shift(results):
        facts.append(("below zero", _clipped(results, exchange)))
    return facts


def by_equal_shift(results: RunResults) -> bool:
    """Return True if stage 2 was an equal shift, not an exchange between pairs."""
    return results.config.get("exchange") == "equal"


def exchange_title(results: RunResults) -> str:
    """Return a heading for stage 2."""
    if by_equal_shift(results):
        return "Equal shift"
    if of_amounts(results):
        return "Exchange of amounts"
    return "Exchange of bundles" if of_bundles(results) else "Slot exchange"


def _negotiation_facts(results: RunResults, exchange: Exchange) -> list[tuple[str, str]]:
    return [
        *([("agreed by", f"{own_rule(results)}, a function")] if own_rule(results) else []),
        (
            "exchanges",
            f"{exchange.accepted:,} in {counted(exchange.rounds, 'round')}, "
            + (
                f"{exchange.proposals:,} proposals to partners"
                if of_amounts(results)
                else f"{exchange.proposals:,} proposed"
                f"{_percent(exchange.proposal_success, 'accepted')}"
            ),
        ),
        (
            "lookups",
            f"{exchange.lookups:,}{' slots' if of_slots(results) else ''}, "
            f"{exchange.matches:,} matches"
            f"{_percent(exchange.lookup_success, 'found')}"
            + (
                ""
                if of_cycles(results) or of_amounts(results)
                else f", {exchange.expired:,} leases unused"
            ),
        ),
    ]


def _comfort(
    results: RunResults, exchange: Exchange, *, after: Measures, bound: Measures | None
) -> str:
    """Return the change of mean comfort, and what the bounds allow."""
    before, amounts = results.planned, exchange.comfort_bound_of_amounts
    removed = discomfort_removed(before, after)
    of_values = exchange.bound_of == "values"
    told = [] if removed is None else [f"{removed:.1%} of the discomfort of stage 1 removed"]
    if bound is not None and exchange.share_of_bound is not None:
        comfort = bound.mean_comfort if of_values or amounts is None else amounts
        told.append(
            f"{exchange.share_of_bound:.1%} of what the bound of {exchange.bound_of} allows "
            f"({number(comfort)})"
        )
    if of_values and amounts:
        told.append(f"the bound of amounts is {number(amounts)}")
    change = f"{number(before.mean_comfort)} to {number(after.mean_comfort)}: "
    return change + "; ".join(told) + negative_comfort(results)


def _clipped(results: RunResults, exchange: Exchange) -> str:
    """Return how often an equal shift asks for negative consumption."""
    slots, kwh = exchange.clipped_slots, exchange.clipped_kwh
    if not slots or kwh is None:
        return "It asks nobody for negative consumption."
    return (
        f"At {slots:,} of {results.households * results.slots:,} household-slots it asks for "
        f"negative consumption where none is preferred, {number(kwh)} kWh in all: clipped at zero, "
        "the demand would rise by as much."
    )


def _keeping(results: RunResults) -> str:
    """Return how to keep each household its energy, if single slots were exchanged."""
    if results.config.get("content") != "slot" or of_cycles(results):
        return ""
    if results.config.get("energy_drift") is not None:
        return "; under such a cap bundles come further (--content bundle)"
    return " (--content bundle keeps it)"


def negative_comfort(results: RunResults) -> str:
    """Return an explanation of a mean comfort below 0, as a sentence to append; else empty."""
    if all(found.mean_comfort >= 0 for found in results.states().values()):
        return ""
    return (
        ". Comfort is 1 - RMSE in kWh per slot: below 0 means only that homes are large or slots "
        "long, so compare the share removed"
    )


def _fairness(before: Measures, after: Measures) -> str:
    """Return the change of spread (absolute) and Gini (relative), with a hint if they disagree."""
    change = (
        f"standard deviation {number(before.unfairness)} to {number(after.unfairness)} kWh, "
        f"Gini {number(before.gini)} to {number(after.gini)}"
    )
    if after.unfairness < before.unfairness and after.gini > before.gini:
        return f"{change}: households are closer in kWh, but not in shares of what is left"
    if after.unfairness > before.unfairness and after.gini < before.gini:
        return f"{change}: households are closer in shares of what is left, but not in kWh"
    return change


def worse_off(results: RunResults) -> str:
    """Return a sentence about the households that lost by the exchange; empty without a stage 2."""
    exchange = results.exchange
    if exchange is None:
        return ""
    worse = exchange.households_worse
    if not worse:
        return f"No household has more discomfort than {compared_with(results)}."
    verb = "has" if worse == 1 else "have"
    sentence = f"{worse:,} of {results.households:,} households {verb} more discomfort than before."
    if results.config.get("exchange") == "paper" and not own_rule(results):
        sentence += " The literal rule of the paper protects nobody from that."
    if by_equal_shift(results):
        sentence += " An equal shift asks nobody for consent."
    return sentence


def own_rule(results: RunResults) -> str:
    """Return the name of the function that decided about exchanges; empty without one."""
    return printable(str(results.config.get("accepts") or ""))


def _named(results: RunResults) -> str:
    """Return the names of the first households that have one, with their ids."""
    named = [f"{row.household} {printable(row.name)}" for row in results.rows if row.name]
    more = f", and {len(named) - _NAMES} more in households.csv" if len(named) > _NAMES else ""
    return ", ".join(named[:_NAMES]) + more


def _where(results: RunResults, known: dict[str, str]) -> str:
    parts = []
    if "isolation" in known:
        how = "simulated as " if known.get("execution") == "simulation" else ""
        parts.append(f"{how}{known['isolation']} isolation")
    if "hosts" in known:
        parts.append(counted(int(known["hosts"]), "host"))
    if "children" in known:
        parts.append("tree of " + counted(max(row.level for row in results.rows), "level"))
        parts.append(f"{known['children']} children each")
    return ", ".join(parts)


def _aim(results: RunResults, known: dict[str, str]) -> str:
    low, high = min(row.beta for row in results.rows), max(row.beta for row in results.rows)
    parts = [f"cost {known['cost']}"] if "cost" in known else []
    if known.get("cost") == "rss" and "scaling" in known:
        parts[0] += f" ({known['scaling']})"
    parts.append(f"beta {low:g}" if low == high else f"beta {low:g} to {high:g} by household")
    if "alpha" in known:
        parts.append(f"alpha {known['alpha']}")
    if "discomfort" in known:
        parts.append(f"discomfort {known['discomfort']}")
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


def _rule(results: RunResults) -> str:
    config = results.config
    if by_equal_shift(results):
        return (
            "equal: everybody holds what it prefers plus an equal share of what is planned beyond "
            "that; it needs loads that can be divided at will"
        )
    parts = [str(config["exchange"])] if "exchange" in config else []
    if of_cycles(results):
        return "ttc, top trading cycles by slot"
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
    total = f"{exchange.messages:,} in {exchange.frames:,} frames, {exchange.bytes / 1e6:,.1f} MB"
    if exchange.messages_per_exchange is None or exchange.bytes_per_exchange is None:
        return total
    return (
        f"{total}; per exchange {number(exchange.messages_per_exchange)}, "
        f"{number(exchange.bytes_per_exchange)} bytes"
    )


def _percent(share: float | None, what: str) -> str:
    return "" if share is None else f" ({share:.1%} {what})"
