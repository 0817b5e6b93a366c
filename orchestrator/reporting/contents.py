"""What was exchanged in a run, for those that word its results."""

from orchestrator.results.run_results import RunResults


def of_cycles(results: RunResults) -> bool:
    """Return True if values were traded in cycles, not between two households."""
    return results.config.get("exchange") == "ttc"


def of_bundles(results: RunResults) -> bool:
    """Return True if bundles were exchanged, not single slots."""
    return results.config.get("content") == "bundle"


def of_amounts(results: RunResults) -> bool:
    """Return True if homes exchanged amounts, which their devices follow."""
    return results.config.get("content") == "amounts"


def of_slots(results: RunResults) -> bool:
    """Return True if the values at single slots were exchanged."""
    return not of_bundles(results) and not of_amounts(results)
