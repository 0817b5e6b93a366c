"""Stage 2 in words, and its rounds as lines, for the terminal and the page alike.

Decides what is told of the exchange; how it is laid out is decided by summary.py and report/.
"""

from dataclasses import dataclass

from orchestrator.reporting.wording import number
from orchestrator.results.run_results import Exchange, Round, RunResults

_FIRST, _LAST = 8, 2
"""Rounds at the beginning and at the end that are shown of many."""


@dataclass(frozen=True, slots=True)
class RoundLine:
    """A line of the table of rounds; None where rounds in between are left out."""

    cells: tuple[str, ...] | None


ROUND_HEADS = ("round", "looked up", "matched", "exchanged", "comfort", "messages", "MB")


def exchange_facts(results: RunResults) -> list[tuple[str, str]]:
    """What a reader wants to know of stage 2: (subject, text); empty where there was none."""
    exchange, after, bound = results.exchange, results.exchanged, results.bound
    if exchange is None or after is None or bound is None:
        return []
    before = results.planned
    return [
        ("rule", _rule(results)),
        (
            "exchanges",
            f"{exchange.accepted:,} in {_rounds(exchange.rounds)}, "
            f"{exchange.proposals:,} proposed{_percent(exchange.proposal_success, 'accepted')}",
        ),
        (
            "lookups",
            f"{exchange.lookups:,} slots, {exchange.matches:,} matches"
            f"{_percent(exchange.lookup_success, 'found')}, {exchange.expired:,} leases unused",
        ),
        ("messages", _messages(exchange)),
        (
            "comfort",
            f"{number(before.mean_comfort)} to {number(after.mean_comfort)}, "
            f"{exchange.share_of_bound:.1%} of what the bound allows "
            f"({number(bound.mean_comfort)})",
        ),
        (
            "unfairness",
            f"{number(before.unfairness)} to {number(after.unfairness)} kWh, "
            f"Gini {number(before.gini)} to {number(after.gini)}",
        ),
        ("worse off", worse_off(results)),
        (
            "kept",
            f"inefficiency changed by {exchange.inefficiency_change:.1g}; a household's own energy "
            f"by at most {number(exchange.max_energy_drift)} kWh",
        ),
    ]


def worse_off(results: RunResults) -> str:
    """How many lost by the exchange, as a sentence; empty where there was none."""
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
    """The rounds as the cells under ROUND_HEADS; of many, the first and the last."""
    lines = [RoundLine(_cells(row)) for row in results.rounds]
    if len(lines) <= _FIRST + _LAST + 1:
        return lines
    return [*lines[:_FIRST], RoundLine(None), *lines[-_LAST:]]


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
    if "disclose" in config:
        parts.append(f"offers say {config['disclose']}")
    if "locks" in config:
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


def _rounds(count: int) -> str:
    return f"{count:,} round" if count == 1 else f"{count:,} rounds"


def _percent(share: float | None, what: str) -> str:
    return "" if share is None else f" ({share:.1%} {what})"
