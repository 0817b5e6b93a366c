"""Sums by feeder: where the blocks are, and that costs look at the first only."""

import numpy as np

from agents.feeder_sums import blocks_of, by_feeder, of_all, width
from protocol.terms import HardConstraint, Limit, Terms
from protocol.vectors import Array

PLANS = np.array([[1.0, 2.0], [3.0, 4.0]])


def terms(feeders: int, feeder: int = 0) -> Terms:
    if not feeders:
        return Terms()
    slots = 2 * (1 + feeders)
    limit = Limit(np.zeros(slots), (1,) * slots)
    return Terms(feeders=feeders, feeder=feeder, constraint=HardConstraint("plans", (limit,)))


def test_a_plan_is_in_the_first_block_and_in_that_of_its_feeder() -> None:
    assert by_feeder(PLANS, terms(2, 1)).tolist() == [[1, 2, 1, 2, 0, 0], [3, 4, 3, 4, 0, 0]]
    assert by_feeder(PLANS[1], terms(2, 2)).tolist() == [3, 4, 0, 0, 3, 4]
    assert by_feeder(PLANS[1], terms(2)).tolist() == [3, 4, 0, 0, 0, 0]
    assert by_feeder(PLANS, terms(0)) is PLANS
    assert width(2, terms(2)) == 6
    assert width(2, terms(0)) == 2


def test_sums_come_apart_into_blocks() -> None:
    total = by_feeder(PLANS[0], terms(2, 1)) + by_feeder(PLANS[1], terms(2, 2))
    assert blocks_of(total, terms(2)).tolist() == [[4, 6], [1, 2], [3, 4]]


def test_a_cost_looks_at_the_sum_over_all() -> None:
    def cost(sums: Array) -> Array:
        return np.asarray(sums.sum(axis=-1))

    assert of_all(cost, terms(2))(by_feeder(PLANS, terms(2, 1))).tolist() == [3.0, 7.0]
    assert of_all(cost, terms(0)) is cost
