"""Hard constraints with numbers computed by hand."""

import math

import numpy as np
import pytest

from agents.planning.costs import COMPATIBLE, EXACT, Arithmetic
from agents.planning.hard_constraints import AT_LEAST, AT_MOST, EQUAL, Candidates, judge
from protocol.terms import HardConstraint, Limit

HOUSEHOLDS, KNOWN = 6, 3
WEIGHTS = (0.2, 0.3)
SPREAD = math.sqrt(0.2 / 3 - 0.2 * 0.2)
"""Of discomforts whose sum is 0.6 and sum of squares 0.2, over the 3 households known."""


def bounds(*limits: tuple[list[float], list[int]], kind: str = "plans") -> HardConstraint:
    made = tuple(Limit(np.array(bound), tuple(mode)) for bound, mode in limits)
    return HardConstraint("plans" if kind == "plans" else "costs", made)


def weighed(
    constraint: HardConstraint, *response: float, first: bool, arithmetic: Arithmetic = EXACT
) -> float:
    """Return the inefficiency that is weighed for the one candidate, whose own is 2."""
    judgement = judge(
        constraint,
        Candidates(np.array([response]), np.array([2.0]), np.array([0.6]), np.array([0.2])),
        first=first,
        known=KNOWN,
        households=HOUSEHOLDS,
        weights=WEIGHTS,
        arithmetic=arithmetic,
    )
    return float(judgement.inefficiency[0])


@pytest.mark.parametrize("arithmetic", [EXACT, COMPATIBLE])
@pytest.mark.parametrize(
    ("bound", "mode", "response", "slack"),
    [
        ([3.0], [AT_MOST], [1.0], 2.0),
        ([3.0], [AT_MOST], [5.0], -2.0),
        ([3.0], [AT_LEAST], [5.0], 2.0),
        ([3.0], [AT_LEAST], [1.0], -2.0),
        ([3.0], [0], [1.0], 0.0),
        ([3.0, 1.0], [AT_MOST, AT_LEAST], [1.0, 4.0], 5.0),
        ([3.0, 1.0], [0, AT_LEAST], [1.0, 4.0], 3.0),
    ],
)
def test_in_the_first_iteration_the_slack_a_household_counts(
    bound: list[float],
    mode: list[int],
    response: list[float],
    slack: float,
    arithmetic: Arithmetic,
) -> None:
    found = weighed(bounds((bound, mode)), *response, first=True, arithmetic=arithmetic)
    assert found == pytest.approx(math.exp(-slack / HOUSEHOLDS), rel=1e-14)


def test_equality_is_enforced_except_for_epos() -> None:
    equal = bounds(([2.0], [EQUAL]))
    for response in (3.5, 0.5):
        assert weighed(equal, response, first=True) == pytest.approx(math.exp(3.0 / 6))
        odd = weighed(equal, response, first=True, arithmetic=COMPATIBLE)
        assert odd == pytest.approx(math.exp(-3.0 / 6))
    assert weighed(equal, 2.0, first=True) == 1.0


def test_slacks_too_large_for_a_float() -> None:
    assert weighed(bounds(([1e5], [AT_MOST])), 0.0, first=True) == 0.0
    assert weighed(bounds(([0.0], [AT_MOST])), 1e5, first=True) == math.inf


@pytest.mark.parametrize(
    ("modes", "distance"),
    [
        (([AT_LEAST, 0], [AT_MOST, 0]), 3.0),
        (([AT_LEAST, 0], [0, 0]), 3.0),
        (([0, 0], [AT_MOST, 0]), 3.0),
        (([AT_LEAST, 0], [AT_MOST, AT_MOST]), 5.0),
        (([0, 0], [0, 0]), 0.0),
    ],
)
def test_in_the_first_iteration_the_middle_of_a_corridor_is_sought(
    modes: tuple[list[int], list[int]], distance: float
) -> None:
    """The middles are 2 and 5, and the response is 5 and 9."""
    corridor = bounds(([1.0, 4.0], modes[0]), ([3.0, 6.0], modes[1]))
    assert weighed(corridor, 5.0, 9.0, first=True) == distance


@pytest.mark.parametrize(
    ("limits", "response", "violation"),
    [
        ([([3.0], [AT_MOST])], [5.0], 2.0),
        ([([3.0], [AT_LEAST])], [1.0], 2.0),
        ([([3.0], [EQUAL])], [1.0], 2.0),
        ([([3.0], [EQUAL])], [3.5], 0.5),
        ([([3.0, 1.0], [AT_MOST, AT_LEAST])], [5.0, 0.5], 2.5),
        ([([3.0, 1.0], [0, AT_LEAST])], [5.0, 0.5], 0.5),
        ([([1.0], [AT_LEAST]), ([3.0], [AT_MOST])], [0.0], 1.0),
        ([([1.0], [AT_LEAST]), ([3.0], [AT_MOST])], [4.5], 1.5),
        ([([1.0, 0.0], [AT_LEAST, 0]), ([3.0, 1.0], [AT_MOST, AT_MOST])], [4.0, 9.0], 1.0),
    ],
)
def test_for_epos_a_violation_is_a_penalty_of_all_households(
    limits: list[tuple[list[float], list[int]]], response: list[float], violation: float
) -> None:
    found = weighed(bounds(*limits), *response, first=False, arithmetic=COMPATIBLE)
    assert found == HOUSEHOLDS * violation
    # Ours leaves the inefficiency as it is, and leaves candidates out instead.
    assert weighed(bounds(*limits), *response, first=False) == 2.0


def test_for_epos_a_candidate_within_the_bounds_has_its_own_cost() -> None:
    kept = bounds(([3.0], [AT_MOST]))
    assert weighed(kept, 3.0, first=False, arithmetic=COMPATIBLE) == 2.0


def test_both_bounds_of_a_corridor_count_in_each_candidate() -> None:
    """The violations are 1, 1.5, and 0.5 + 0.75; the last sum, 1.25, is between the others."""
    corridor = bounds(([1.0, 1.0], [AT_LEAST] * 2), ([3.0, 3.0], [AT_MOST] * 2))
    responses = np.array([[0.0, 2.0], [4.5, 2.0], [0.5, 3.75], [0.0, 2.0]])
    zeros = np.zeros(4)
    judgement = judge(
        corridor,
        Candidates(responses, zeros, zeros, zeros),
        first=False,
        known=HOUSEHOLDS,
        households=HOUSEHOLDS,
        weights=(0.0, 0.0),
        arithmetic=EXACT,
    )
    assert judgement.excluded is not None
    assert judgement.excluded.tolist() == [False, True, True, False]


@pytest.mark.parametrize(
    ("component", "exact", "compatible"),
    [
        (0, 0.6 / 3, 0.6 / 6),  # EPOS divides by all, also where it knows only its subtree
        (1, 2.0, 2.0),
        (2, SPREAD, SPREAD),
        (3, 0.5 * 2 + 0.2 * SPREAD + 0.3 * 0.2, 0.5 * 2 + 0.2 * SPREAD + 0.3 * 0.1),
    ],
)
def test_bounds_on_costs_apply_to_mean_inefficiency_spread_and_cost(
    component: int, exact: float, compatible: float
) -> None:
    mode = [0] * 4
    mode[component] = AT_MOST
    none_at_all = bounds(([0.0] * 4, mode), kind="costs")
    for arithmetic, value in ((EXACT, exact), (COMPATIBLE, compatible)):
        found = weighed(none_at_all, 9.0, first=True, arithmetic=arithmetic)
        assert found == pytest.approx(math.exp(value / HOUSEHOLDS))
    penalty = weighed(none_at_all, 9.0, first=False, arithmetic=COMPATIBLE)
    assert penalty == pytest.approx(HOUSEHOLDS * compatible)
