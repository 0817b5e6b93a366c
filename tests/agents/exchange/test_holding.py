"""The values that a household holds and the exchanges that it accepts: all rules and bounds of the
mandate."""

from typing import Any

import numpy as np
import pytest

from agents.exchange.holding import Holding
from agents.mandate import Mandate
from agents.own_functions import ProposedExchange
from protocol.messages.exchange import Refusal
from protocol.terms import ExchangeTerms, RuleName

HELD, PREFERRED = [1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 1.0, 4.5]
"""Squared deviations 1, 0, 4, 0.25: together 5.25."""


def holding(mandate: Mandate | None = None, **terms: Any) -> Holding:
    return Holding(
        np.array(HELD), np.array(PREFERRED), ExchangeTerms(**terms), mandate or Mandate()
    )


def asks(own: Holding, slot: int, value: float, least: float = 0.0) -> Refusal:
    return own.would_ask(slot, value, least)


def accepts(
    own: Holding, slot: int, value: float, named: float = 0.0, least: float = 0.0
) -> Refusal:
    return own.would_accept(slot, HELD[slot], value, named, least)


def test_squared_deviations_from_the_preferred_plan() -> None:
    own = holding()
    assert own.squares() == 5.25
    assert own.discomfort() == pytest.approx((5.25 / 4) ** 0.5)
    assert own.schedule.tolist() == HELD
    assert own.preference.tolist() == PREFERRED
    assert own.change(0, 2.0) == -1.0
    assert own.change(0, 4.0) == 3.0
    assert own.change(1, 2.0) == 0.0
    own.take(0, 2.0)
    assert own.squares() == 4.25
    assert own.schedule.tolist() == [2.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize("rule", ["mutual", "paper", "cooperative"])
def test_preferred_values_are_offered_only_under_cooperative(rule: Any) -> None:
    own = holding(rule=rule)
    assert [own.offered(slot) for slot in range(4)] == [True, rule == "cooperative", True, True]
    assert [own.wants(slot) for slot in range(4)] == [True, False, True, True]


def test_never_and_no_exchange_exclude_slots() -> None:
    own = holding(Mandate(never=frozenset({0, 1})), rule="cooperative")
    assert [own.offered(slot) for slot in range(4)] == [False, False, True, True]
    assert [own.wants(slot) for slot in range(4)] == [False, False, True, True]
    assert asks(own, 0, 2.0) == accepts(own, 0, 2.0) == "never"
    out = holding(Mandate(exchange=False, never=frozenset({2})), rule="cooperative")
    assert not any(out.offered(slot) or out.wants(slot) for slot in range(4))
    assert accepts(out, 0, 2.0, named=-9.0) == "never"


def test_slots_are_wanted_by_deviation_then_in_order() -> None:
    own = Holding(
        np.array([1.0, 5.0, 0.0, 2.0, 3.0]), np.array([2.0, 2.0, 3.0, 2.0, 2.0]),
        ExchangeTerms(), Mandate(),
    )  # fmt: skip
    assert own.wanting(range(5)) == [1, 2, 0, 4]
    assert own.wanting([4, 3, 0]) == [0, 4]
    own.pending[1] = 0.5
    assert own.wanting(range(5)) == [2, 0, 4]


def test_a_slot_under_negotiation_is_busy() -> None:
    own = holding()
    own.pending[0] = 1.0
    assert asks(own, 0, 2.0) == "busy"
    assert accepts(own, 0, 2.0) == "busy"
    assert asks(own, 2, 1.0) == accepts(own, 2, 1.0) == ""


@pytest.mark.parametrize(
    ("value", "least", "answer"),
    [
        (2.0, 0.0, ""),
        (2.0, 1.0, ""),
        (2.0, 1.01, "loss"),
        (3.0, 0.0, "loss"),  # as far off on the other side
        (2.9, 0.0, ""),
        (1.0, 0.0, "loss"),
        (0.5, 0.0, "loss"),
    ],
)
def test_a_household_asks_for_closer_values(value: float, least: float, answer: Refusal) -> None:
    assert asks(holding(), 0, value, least) == answer


@pytest.mark.parametrize(
    ("mandate", "terms", "value", "answer"),
    [
        (None, 0.5, 2.5, ""),
        (None, 0.5, 1.5, ""),
        (None, 0.5, 2.51, "loss"),
        (0.1, 0.5, 2.5, "loss"),
        (0.1, None, 2.09, ""),
        (0.0, 0.5, 2.0, ""),
        (0.0, 0.5, 2.01, "loss"),
        (None, None, 2.9, ""),
    ],
)
def test_tolerances_of_run_and_mandate_narrow_the_wanted_values(
    mandate: float | None, terms: float | None, value: float, answer: Refusal
) -> None:
    own = holding(Mandate(tolerance=mandate), tolerance_kwh=terms)
    assert asks(own, 0, value) == answer
    assert own.aims is (mandate is not None or terms is not None)


def test_paper_asks_for_the_preferred_value_with_any_gain() -> None:
    own = holding(rule="paper", disclosure="limit")
    assert (own.tolerance, own.disclosure, own.aims) == (0.01, "value", True)
    assert asks(own, 0, 2.01, least=5.0) == ""
    assert asks(own, 0, 2.011, least=0.0) == "loss"
    assert holding(rule="paper", tolerance_kwh=0.5).tolerance == 0.5
    by_mandate = holding(Mandate(rule="paper"))
    assert (by_mandate.rule, by_mandate.tolerance) == ("paper", 0.01)
    assert holding(rule="mutual").tolerance is None


def test_the_mandate_chooses_rule_and_disclosure() -> None:
    own = holding(Mandate(rule="mutual", disclosure="value"), rule="cooperative")
    assert (own.rule, own.disclosure, own.aims) == ("mutual", "value", True)
    own = holding(rule="cooperative", disclosure="direction")
    assert (own.rule, own.disclosure, own.aims) == ("cooperative", "direction", True)
    assert not holding().aims


def test_the_aim_of_a_household() -> None:
    """Slot 2 holds 3 and prefers 1, so its limit is 4, a step of the ladder; half of that is 2."""
    assert holding().aim(2, 0.0) == (1.0, 2.0)
    assert holding().aim(0, 0.0) == (2.0, 1.0)
    value, reach = Holding(np.array([0.0]), np.array([0.7]), ExchangeTerms(), Mandate()).aim(0, 0.0)
    assert (value, reach) == (0.5, 0.5)
    assert holding().aim(2, 4.0) == (3.0, 0.0)  # below the floor
    assert holding(tolerance_kwh=0.5).aim(2, 0.0) == (1.0, 0.5)
    assert holding(tolerance_kwh=5.0).aim(2, 0.0) == (1.0, 2.0)
    assert holding(tolerance_kwh=5.0).aim(0, 0.0) == (2.0, 1.0)


@pytest.mark.parametrize(
    ("rule", "slot", "value", "named", "answer"),
    [
        ("mutual", 0, 2.0, 0.0, ""),
        ("mutual", 0, 3.0, 0.0, ""),  # a tie: it does not lose
        ("mutual", 0, 3.1, -99.0, "loss"),
        ("mutual", 1, 2.0, 0.0, ""),
        ("cooperative", 1, 2.5, -0.2, "no joint gain"),
        ("cooperative", 0, 0.9, -0.5, "cap"),  # nobody is above where it began
        ("cooperative", 2, 1.0, 3.9, ""),
        ("cooperative", 2, 1.0, 4.0, "no joint gain"),
        ("paper", 1, 0.0, 0.0, "preferred"),
        ("paper", 0, 9.0, 0.0, ""),
    ],
)
def test_each_rule_accepts_and_refuses(
    rule: Any, slot: int, value: float, named: float, answer: Refusal
) -> None:
    assert accepts(holding(rule=rule), slot, value, named) == answer


def test_the_least_gain_applies_to_pairs_only_under_cooperative() -> None:
    assert accepts(holding(rule="cooperative"), 0, 2.0, -1.0, least=2.0) == ""
    assert accepts(holding(rule="cooperative"), 0, 2.0, -1.0, least=2.1) == "no joint gain"
    assert accepts(holding(), 0, 2.0, least=99.0) == ""


def test_a_value_no_longer_held_is_not_given() -> None:
    own = holding()
    assert own.would_accept(0, 1.5, 2.0, 0.0, 0.0) == "stale"
    own.take(0, 1.5)
    assert own.would_accept(0, 1.5, 2.0, 0.0, 0.0) == ""


def test_gains_may_be_given_back_under_cooperative() -> None:
    own = holding(rule="cooperative")
    own.take(2, 1.0)  # gains 4
    assert accepts(own, 0, 0.0, named=-9.0) == ""  # loses 3
    assert accepts(own, 0, -0.3, named=-9.0) == "cap"  # would lose 4.29


@pytest.mark.parametrize(("threshold", "binds"), [(3.9, False), (4.0, True), (4.1, True)])
def test_limits_bind_until_enough_was_gained(threshold: float, binds: bool) -> None:
    own = holding(rule="cooperative")
    own.gain_before_losses_kwh2 = threshold
    assert own.limits_bind
    own.take(2, 1.0)
    assert own.limits_bind is binds
    mutual = holding()
    mutual.take(2, 1.0)
    assert mutual.limits_bind


# -- the mandate's caps ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cap", "answer"),
    [
        (1.0, "cap"),  # 5.25 + 0.44 kWh^2 over four slots is an RMSE of 1.19
        (1.19, "cap"),
        (1.2, ""),
        (None, ""),
    ],
)
def test_no_exchange_exceeds_the_discomfort_cap(cap: float | None, answer: Refusal) -> None:
    """Under paper, only the cap prevents a loss: slot 0 from 1 to 0.8 costs 0.44."""
    own = holding(Mandate(discomfort=cap), rule="paper")
    assert accepts(own, 0, 0.8) == answer


def test_above_the_discomfort_cap_exchanges_without_loss_are_accepted() -> None:
    own = holding(Mandate(discomfort=0.1), rule="paper")
    assert accepts(own, 0, 2.0) == accepts(own, 0, 3.0) == ""
    assert accepts(own, 0, 3.1) == "cap"
    assert asks(own, 0, 2.0) == ""


@pytest.mark.parametrize(
    ("pending", "value", "answer"),
    [
        ({}, 1.5, ""),
        ({}, 1.51, "drift"),
        ({}, 0.5, ""),
        ({}, 0.49, "drift"),
        ({1: 0.3}, 1.19, ""),
        ({1: 0.3}, 1.21, "drift"),
        ({1: 0.3}, 0.51, ""),  # an open proposal may fail: it cannot make room
        ({1: 0.3}, 0.49, "drift"),
        ({1: -0.3}, 0.81, ""),
        ({1: -0.3}, 0.79, "drift"),
        ({1: -0.3}, 1.49, ""),
        ({1: -0.3}, 1.51, "drift"),
        ({1: 0.3, 2: -0.4, 3: 0.1}, 1.09, ""),
        ({1: 0.3, 2: -0.4, 3: 0.1}, 1.11, "drift"),
        ({1: 0.3, 2: -0.4, 3: 0.1}, 0.91, ""),
        ({1: 0.3, 2: -0.4, 3: 0.1}, 0.89, "drift"),
    ],
)
def test_the_drift_cap_holds_whether_open_proposals_succeed_or_fail(
    pending: dict[int, float], value: float, answer: Refusal
) -> None:
    """Slot 0 holds 1; the sum may change by 0.5 kWh, less a margin for rounding."""
    own = holding(Mandate(energy_drift=0.5 * (1 + 1e-8)), rule="paper", tolerance_kwh=9.0)
    own.pending.update(pending)
    assert accepts(own, 0, value) == answer
    up = Holding(
        np.array(HELD), np.array([9.0 if value > 1.0 else -9.0, 0.0, 0.0, 0.0]),
        ExchangeTerms(), Mandate(energy_drift=0.5 * (1 + 1e-8)),
    )  # fmt: skip
    up.pending.update(pending)
    assert asks(up, 0, value) == answer


def test_drift_adds_up_over_exchanges() -> None:
    own = holding(Mandate(energy_drift=0.5), rule="paper")
    own.take(1, 2.3)
    assert accepts(own, 0, 1.19) == ""
    assert accepts(own, 0, 1.21) == "drift"
    own.take(1, 1.8)  # from 2.3: 0.2 below what it was
    assert accepts(own, 0, 0.71) == ""
    assert accepts(own, 0, 0.69) == "drift"
    assert accepts(own, 0, 1.69) == ""


def test_rounding_of_running_sums_does_not_accumulate() -> None:
    own = holding(rule="cooperative")
    for _ in range(3):
        own.take(2, 1.1)
        own.take(2, 3.0)
    own._deviation = 99.0
    own.settle()
    own.take(2, 1.0)
    assert accepts(own, 0, 0.1, named=-9.0) == ""


@pytest.mark.parametrize("agrees", [False, True])
def test_an_own_rule_decides_on_both_sides_and_is_told_everything(agrees: bool) -> None:
    seen: list[ProposedExchange] = []

    def rule(exchange: ProposedExchange) -> bool:
        seen.append(exchange)
        return agrees

    terms = ExchangeTerms(rule="cooperative")
    own = Holding(np.array(HELD), np.array(PREFERRED), terms, Mandate(), accepts=rule)
    own.take(0, 3.0)
    own.take(0, 1.0)
    own.take(3, 4.5)
    answer = "" if agrees else "rule"
    assert asks(own, 2, 2.0, least=0.25) == answer
    assert accepts(own, 2, 2.5, named=-0.5, least=0.25) == answer
    assert accepts(own, 2, 2.5) == answer
    told = [
        (one.requester, one.offered_kwh, one.change_kwh2, one.partner_change_kwh2) for one in seen
    ]
    assert told == [(True, 2.0, -3.0, 0.0), (False, 2.5, -1.75, -0.5), (False, 2.5, -1.75, 0.0)]
    assert [one.min_gain_kwh2 for one in seen] == [0.25, 0.25, 0.0]
    for one in seen:
        assert (one.slot, one.held_kwh) == (2, 3.0)
        assert one.schedule.tolist() == [1.0, 2.0, 3.0, 4.5]
        assert one.preferred.tolist() == PREFERRED
        assert (one.deviation_kwh2, one.deviation_at_start_kwh2) == (5.0, 5.25)
        assert not one.schedule.flags.writeable
        assert not one.preferred.flags.writeable


def test_a_mandate_that_names_a_rule_leaves_no_room_for_an_own_one() -> None:
    own = Holding(
        np.array(HELD),
        np.array(PREFERRED),
        ExchangeTerms(),
        Mandate(rule="mutual"),
        accepts=lambda exchange: False,
    )
    assert asks(own, 0, 2.0) == ""


@pytest.mark.parametrize(("cap", "refusal"), [(1.25, "cap"), (1.250001, "")])
def test_a_cap_on_discomfort_is_never_reached_even_if_an_own_rule_agrees(
    cap: float, refusal: str
) -> None:
    """The squared deviation would rise from 5.25 to 6.25 = 4 * 1.25^2 kWh^2."""
    own = Holding(
        np.array(HELD),
        np.array(PREFERRED),
        ExchangeTerms(),
        Mandate(discomfort=cap),
        accepts=lambda exchange: True,
    )
    assert accepts(own, 1, 3.0) == refusal


@pytest.mark.parametrize(
    ("rule", "slot", "value", "refusal"),
    [
        ("cooperative", 1, 3.0, "cap"),
        ("cooperative", 0, 2.0, "rule"),
        ("mutual", 1, 3.0, "rule"),
    ],
)
def test_an_own_rule_that_refuses_where_cooperative_has_its_cap_may_be_asked_again(
    rule: RuleName, slot: int, value: float, refusal: str
) -> None:
    own = Holding(
        np.array(HELD),
        np.array(PREFERRED),
        ExchangeTerms(rule=rule),
        Mandate(),
        accepts=lambda exchange: False,
    )
    assert accepts(own, slot, value, named=-9.0) == refusal


def test_a_household_that_has_gained_may_be_asked_for_a_loss() -> None:
    own = holding(rule="cooperative")
    assert own.limits_bind
    own.take(0, 2.0)
    assert not own.limits_bind
    own.gain_before_losses_kwh2 = 1.0
    assert own.limits_bind, "that is just what it has gained"


def test_what_is_disclosed_follows_the_values_and_the_floor() -> None:
    own = holding()
    assert own.told([0, 1], 0.1).tolist() == [2.0, 0.0]
    assert own.told([0], 5.0).tolist() == [0.0]
    assert own.told([0], 0.1).tolist() == [2.0]
    own.take(0, 0.0)
    assert own.told([1, 0], 0.1).tolist() == [0.0, 4.0]


def test_another_schedule_is_a_new_start_but_for_the_energy_drift() -> None:
    own = holding(rule="cooperative", energy_drift_kwh=2.0)
    own.told([0, 1, 2, 3], 0.1)
    own.take(0, 2.0)
    own.replan(np.array([2.5, 2.0, 1.0, 4.0]), 0.75)
    assert own.told([0, 1, 2, 3], 0.1).tolist() == [-1.0, 0.0, 0.0, 1.0]
    assert (own.schedule.tolist(), own.drift_kwh) == ([2.5, 2.0, 1.0, 4.0], 0.75)
    assert own.deviation_kwh2 == 0.5
    assert own.loss_room_kwh2 == pytest.approx(0.0, abs=1e-6)
    assert own.energy_room_kwh == pytest.approx((2.75, 1.25))
