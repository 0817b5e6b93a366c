"""A run with exchanges between iterations, in words."""

from collections.abc import Iterable

from orchestrator.results.run_results import RunResults


def loop_facts(results: RunResults) -> list[tuple[str, str]]:
    """Return the loops as pairs (subject, text); empty if all exchanges come last."""
    loops = results.loops
    if not loops:
        return []
    again = loops[1:]
    schedules = sum(loop.from_exchange for loop in again)
    share = schedules / (len(again) * results.households)
    return [
        (
            "loops",
            f"{len(loops)}, an exchange after every {loops[0].iterations} iterations; 'planned' is "
            "before the first exchange, 'exchanged' after the last",
        ),
        ("inefficiency", f"{_series(loop.inefficiency for loop in loops)}, by loop"),
        (
            "comfort",
            f"{_series(1 - loop.exchanged_discomfort for loop in loops)} after each exchange; "
            f"{_series(1 - loop.planned_discomfort for loop in loops)} before",
        ),
        (
            "planned again",
            f"from a schedule of an earlier exchange in {share:.0%} of cases, from one of the own "
            "plans in the others",
        ),
    ]


def sums_kept(results: RunResults) -> str:
    """Return what exchanges did to the inefficiency, for the summary."""
    assert results.exchange is not None
    if results.loops is None:
        return f"inefficiency changed by {results.exchange.inefficiency_change:.1g}"
    if results.exchange.conserved:
        return "no exchange changed the sum at any slot"
    return "an exchange changed the sum at a slot"


def compared_with(results: RunResults) -> str:
    """Return the state with which the end of a run is compared."""
    if results.loops is None:
        return "after stage 1"
    return f"after the first {results.loops[0].iterations} iterations"


def _series(values: Iterable[float]) -> str:
    return " > ".join(f"{value:.3g}" for value in values)
