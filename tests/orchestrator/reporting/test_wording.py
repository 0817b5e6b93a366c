"""Numbers, facts and the target as summary and report write and draw them."""

from dataclasses import replace

import numpy as np
import pytest

from orchestrator.reporting.number_wording import number
from orchestrator.reporting.wording import drawn_target, facts
from orchestrator.results.run_results import RunResults
from tests.support.sample_results import sample_results


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.12345, "0.1235"), (1234.5, "1,234"), (float("nan"), "-")],
)
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


def test_tells_when_households_differ() -> None:
    results = sample_results()
    rows = (replace(results.rows[0], beta=0.7), *results.rows[1:])
    assert "beta 0.1 to 0.7 by household" in dict(facts(replace(results, rows=rows)))["aim"]


def with_cost(cost: str) -> RunResults:
    results = sample_results()
    shape = np.sin(np.arange(results.slots))
    demand = replace(results.demand, target=shape)
    return replace(results, demand=demand, config={**results.config, "cost": cost})


@pytest.mark.parametrize("cost", ["rss", "rmse", "xcorr", "dot"])
def test_is_brought_to_the_demand_where_its_shape_alone_counts(cost: str) -> None:
    results = with_cost(cost)
    drawn = drawn_target(results)
    assert drawn is not None
    assert drawn[0] == "target (scaled)"
    assert drawn[1].mean() == pytest.approx(results.demand.planned.mean())
    assert drawn[1].std() == pytest.approx(results.demand.planned.std())
    assert np.corrcoef(drawn[1], results.demand.target)[0, 1] == pytest.approx(1)


@pytest.mark.parametrize("cost", ["sqr", "residual"])
def test_is_itself_where_its_size_counts(cost: str) -> None:
    results = with_cost(cost)
    assert drawn_target(results) == ("target", results.demand.target)


def test_is_not_drawn_where_there_is_none() -> None:
    assert drawn_target(sample_results()) is None
