"""What a household's result must be like, checked when it arrives: a false one would otherwise lose
the results of all others at the very end."""

from collections.abc import Iterator
from dataclasses import dataclass

from agents.feeder_sums import width
from protocol.messages import ExchangeHistory, PlanningHistory, Progress, Result, RoundProgress
from protocol.messages.results import Trace
from protocol.terms import Terms

OWN_ROUNDS_MAX = 3
"""Most rounds of an exchange whose number of rounds the terms do not decide."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a run expects of the result of one household."""

    terms: Terms
    slots: int
    is_root: bool
    """True for the household at position 0, which alone records stage 2."""
    plans: int | None = None
    """Number of plans that it can select; None if the orchestrator does not know."""


def possible(progress: Progress | RoundProgress, terms: Terms) -> bool:
    """Return True if a run on these terms can come to this iteration or round."""
    if isinstance(progress, Progress):
        return 0 <= progress.iteration.iteration < max(terms.iterations, 1)
    exchange = terms.exchange
    if exchange is None:
        return False
    # Each exchange has a round that adds up first; cycles and the equal shift have a few of theirs.
    return progress.round < (max(exchange.rounds, OWN_ROUNDS_MAX) + 1) * terms.exchanges


def faults(result: Result, expected: Expectation) -> Iterator[str]:
    """Yield what is wrong with a result; nothing if it can be used."""
    terms, plans = expected.terms, expected.plans
    if plans is not None and result.selected_plan >= plans:
        yield f"plan {result.selected_plan} of {plans}"
    if (result.exchanged is None) != (terms.exchange is None):
        yield (
            "no result of stage 2" if terms.exchange else "a result of stage 2, which there is not"
        )
    # Each exchange adds a schedule from which a household may plan again.
    for number, again in enumerate(result.replanned, 1):
        if plans is not None and again.selected_plan >= plans + number:
            yield f"plan {again.selected_plan} of {plans} and {number} schedules"
    if len(result.replanned) != (terms.exchanges - 1 if terms.exchange_every else 0):
        yield f"planned again {len(result.replanned)} times"
    histories = [result.planning_history, *(again.history for again in result.replanned)]
    for history in histories:
        # With reorganisation each root records the iterations in which it was the root.
        if terms.reorganisation.strategy == "never" and (history is not None) != expected.is_root:
            yield "a history of stage 1" if history else "no history of stage 1"
        if history is not None:
            yield from _planning_faults(history, expected)
    yield from _exchange_faults(result, expected)


def _planning_faults(history: PlanningHistory, expected: Expectation) -> Iterator[str]:
    sums = [history.response_kwh, *([] if history.summed_kwh is None else [history.summed_kwh])]
    if any(len(each) != width(expected.slots, expected.terms) for each in sums):
        yield "a history of stage 1 for another number of slots"
    numbers = [row.iteration for row in history.iterations]
    if not numbers or not 0 <= numbers[0] <= numbers[-1] < expected.terms.iterations:
        yield "a history of iterations that there were not"
    if numbers != sorted(set(numbers)):
        yield "a history of iterations out of order"


def _exchange_faults(result: Result, expected: Expectation) -> Iterator[str]:
    exchanged, history = result.exchanged, result.exchange_history
    if exchanged is None:
        return
    if (history is not None) != expected.is_root:
        yield "a history of stage 2" if history else "no history of stage 2"
    if history is not None:
        yield from _round_faults(history, expected)
    if exchanged.trace is not None:
        yield from _trace_faults(exchanged.trace, expected)


def _round_faults(history: ExchangeHistory, expected: Expectation) -> Iterator[str]:
    if len(history.response_kwh) != width(expected.slots, expected.terms):
        yield "a history of stage 2 for another number of slots"
    if not history.rounds or len(history.gathers) != expected.terms.exchanges:
        yield "a history of exchanges that there were not"
    # The first of the run's gathers is before round 0, so it is the row of number -1.
    last = len(history.rounds) - 2
    if any(not -1 <= gather <= last for gather in history.gathers):
        yield "a history of rounds that there were not"
    if list(history.gathers) != sorted(set(history.gathers)):
        yield "a history of rounds out of order"


def _trace_faults(trace: Trace, expected: Expectation) -> Iterator[str]:
    columns = (
        *(trace.rounds, trace.slots, trace.partners, trace.leases, trace.asked),
        *(trace.given_kwh, trace.taken_kwh, trace.gains_kwh2),
    )
    if len({len(column) for column in columns}) != 1:
        yield "a trace whose columns do not fit together"
    if any(slot >= expected.slots for slot in trace.slots):
        yield "a trace beyond the slots of the run"
