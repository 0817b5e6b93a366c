"""The acceptance rules as tables of ties, least gains and caps; changes in kWh², negative if
closer."""

import pytest

from agents.exchange.acceptance_rules import (
    MARGIN,
    answer_cooperative,
    answer_mutual,
    answer_paper,
    named_change,
    worth_asking,
)
from protocol.messages.exchange import Refusal
from protocol.terms import RuleName

SMALLEST = 5e-324


@pytest.mark.parametrize(
    ("change", "least", "asks"),
    [
        (-1.0, 0.0, True),
        (-SMALLEST, 0.0, True),
        (0.0, 0.0, False),  # a tie is no gain
        (1.0, 0.0, False),
        (-1.0, 1.0, True),  # the least gain itself is enough
        (-0.999, 1.0, False),
        (-1.001, 1.0, True),
        (1.0, -2.0, False),
    ],
)
def test_a_requester_proposes_from_the_least_gain_on(
    change: float, least: float, asks: bool
) -> None:
    assert worth_asking(change, least) is asks


@pytest.mark.parametrize(
    ("change", "answer"),
    [(-1.0, ""), (0.0, ""), (-0.0, ""), (SMALLEST, "loss"), (1.0, "loss")],
)
def test_mutual_accepts_unless_the_responder_loses(change: float, answer: Refusal) -> None:
    assert answer_mutual(change) == answer


@pytest.mark.parametrize(
    ("change", "named", "least", "answer"),
    [
        (-1.0, -1.0, 0.0, ""),
        (1.0, -1.5, 0.0, ""),  # it loses less than the other gains
        (1.0, -1.0, 0.0, "no joint gain"),  # a tie is no gain
        (1.0, -0.5, 0.0, "no joint gain"),
        (-1.0, 0.5, 0.0, ""),
        (-1.0, 2.0, 0.0, "no joint gain"),
        (1.0, -1.5, 0.5, ""),  # the least gain itself is enough
        (1.0, -1.5, 0.51, "no joint gain"),
        (1.0, -1.5, 0.49, ""),
    ],
)
def test_cooperative_accepts_a_joint_gain(
    change: float, named: float, least: float, answer: Refusal
) -> None:
    assert answer_cooperative(change, named, 5.0, 100.0, least) == answer


@pytest.mark.parametrize(
    ("change", "deviation", "start", "answer"),
    [
        (1.0, 5.0, 7.0, ""),
        (1.0, 5.0, 6.0 * (1 + 2 * MARGIN), ""),
        (1.0, 5.0, 6.0, "cap"),  # exactly the cap may be above it once rounding is seen
        (1.0, 5.0, 5.5, "cap"),
        (2.0, 5.0, 6.5, "cap"),
        (0.0, 5.0, 1.0, ""),  # a cap does not stop a household above it that does not lose
        (-1.0, 5.0, 1.0, ""),
        (SMALLEST, 5.0, 5.0, "cap"),
    ],
)
def test_cooperative_leaves_nobody_worse_than_after_stage_1(
    change: float, deviation: float, start: float, answer: Refusal
) -> None:
    assert answer_cooperative(change, -10.0, deviation, start, 0.0) == answer


def test_cooperative_gives_back_all_but_a_margin() -> None:
    most = 4.0 * (1 - MARGIN)
    assert answer_cooperative(most, -5.0, 0.0, 4.0, 0.0) == ""
    assert answer_cooperative(4.0, -5.0, 0.0, 4.0, 0.0) == "cap"


def test_no_joint_gain_is_reported_before_the_cap() -> None:
    assert answer_cooperative(1.0, 0.0, 5.0, 5.0, 0.0) == "no joint gain"


@pytest.mark.parametrize(
    ("held", "preferred", "answer"),
    [(1.0, 1.0, "preferred"), (1.0, 1.0 + 2e-16, ""), (1.0, 2.0, ""), (-0.0, 0.0, "preferred")],
)
def test_paper_accepts_unless_the_slot_is_as_preferred(
    held: float, preferred: float, answer: Refusal
) -> None:
    assert answer_paper(held, preferred) == answer


@pytest.mark.parametrize(
    ("rule", "named"), [("mutual", 0.0), ("cooperative", -1.5), ("paper", 0.0)]
)
def test_only_cooperative_reveals_the_change(rule: RuleName, named: float) -> None:
    assert named_change(rule, -1.5) == named
