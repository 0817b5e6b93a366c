"""Invariants of stage 1 for every population, all weights and every tree."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.planning.costs import EXACT, cost_function
from protocol.terms import CostName
from protocol.vectors import Array
from tests.agents.planning.test_twin import machines, setups
from tests.support.effort import examples
from tests.support.twin import Setup

COSTS: tuple[CostName, ...] = ("var", "std", "sqr", "dot")


def sums(setup: Setup, selections: list[list[int]]) -> list[Array]:
    """Return the sum of the selected plans after each iteration."""
    plans = [np.array(of_one) for of_one in setup.plans]
    return [
        np.sum([own[plan] for own, plan in zip(plans, chosen, strict=True)], axis=0)
        for chosen in selections
    ]


def close(value: float, other: float) -> bool:
    return abs(value - other) <= 1e-9 * max(1.0, abs(value))


@settings(max_examples=examples(60), deadline=None)
@given(setups(), st.sampled_from(COSTS))
def test_the_global_plan_is_the_sum_of_the_selected_plans(setup: Setup, cost: CostName) -> None:
    setup = replace(setup, cost=cost, goal=[float(v) for v in range(len(setup.plans[0][0]))])
    selections, inefficiencies, response = machines(setup, EXACT)
    totals = sums(setup, selections)
    assert np.allclose(response, totals[-1], rtol=1e-9, atol=1e-9)
    kernel = cost_function(cost, np.array(setup.goal), "std", EXACT)
    for reported, total in zip(inefficiencies, totals, strict=True):
        # The root of a variance that is zero up to rounding is less exact.
        assert abs(reported - float(kernel(total[None, :])[0])) <= 1e-6
    for chosen in selections:
        assert all(0 <= plan < len(own) for plan, own in zip(chosen, setup.plans, strict=True))


@settings(max_examples=examples(60), deadline=None)
@given(setups(), st.sampled_from([(0.0, 0.0), (0.0, 0.5), (0.25, 0.25), (0.5, 0.0), (0.0, 1.0)]))
def test_with_equal_weights_the_cost_never_rises(
    setup: Setup, weights: tuple[float, float]
) -> None:
    households = len(setup.plans)
    setup = replace(setup, cost="var", goal=[], strategy="never", weights=[weights] * households)
    selections, *_ = machines(setup, EXACT)
    alpha, beta = weights
    costs = []
    for chosen, total in zip(selections, sums(setup, selections), strict=True):
        local = np.array([own[plan] for own, plan in zip(setup.local, chosen, strict=True)])
        costs.append((1 - alpha - beta) * total.var() + alpha * local.std() + beta * local.mean())
    assert all(later <= earlier or close(later, earlier) for earlier, later in pairwise(costs))


@settings(max_examples=examples(60), deadline=None)
@given(setups(constrained=True))
def test_the_violation_of_hard_constraints_never_grows(setup: Setup) -> None:
    if setup.constraint != "plans":
        return
    setup = replace(setup, strategy="never", cost="var", goal=[])
    selections, *_ = machines(setup, EXACT)
    violations = []
    for total in sums(setup, selections):
        violation = 0.0
        for bound, modes in zip(setup.rows[::2], setup.rows[1::2], strict=True):
            over = total - np.array(bound)
            excess = (0 * over, np.maximum(over, 0), np.maximum(-over, 0), np.abs(over))
            violation += sum(excess[int(mode)][slot] for slot, mode in enumerate(modes))
        violations.append(violation)
    assert all(later <= earlier or close(later, earlier) for earlier, later in pairwise(violations))
