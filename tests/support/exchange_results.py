"""Checks that hold for the results of every exchange."""

import pytest

from orchestrator.results.run_results import RunResults


def kept_and_improved(results: RunResults, rule: str) -> None:
    """Check that values were only swapped, and that the acceptance rule was kept."""
    assert results.exchanged is not None
    assert results.exchange is not None
    assert results.demand.exchanged is not None
    # The sum of all schedules is the same, up to the order of summation.
    assert results.demand.exchanged == pytest.approx(results.demand.planned, rel=1e-12)
    assert abs(results.exchange.inefficiency_change) < 1e-9
    assert results.exchange.accepted > 0
    assert results.exchange.households_worse == 0
    assert results.exchanged.mean_discomfort < results.planned.mean_discomfort
    assert results.exchange.share_of_bound is not None
    assert results.exchange.share_of_bound > (0.9 if rule == "cooperative" else 0.3)
    for row in results.rows:
        assert row.discomfort_exchanged is not None
        assert row.discomfort_exchanged <= row.discomfort_planned + 1e-12
