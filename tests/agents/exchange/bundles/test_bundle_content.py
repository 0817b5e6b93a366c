"""What one household proposes, counters with and confirms."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from agents.exchange.bundles.bundle_content import BundleContent, Deal, requester_changes
from agents.exchange.disclosure import limit_named
from agents.exchange.holding import Holding
from agents.mandate import FREE, Mandate
from protocol.errors import PeerError
from protocol.messages import Counter
from protocol.messages.exchange import LeaseId
from protocol.terms import DisclosureName, ExchangeTerms, RuleName

LEASE = LeaseId(7, 1)
SCALE_KWH2 = 0.25


def content(
    held: list[float],
    preferred: list[float],
    *,
    rule: RuleName = "mutual",
    mandate: Mandate = FREE,
    drift: float | None = 0.05,
) -> BundleContent:
    terms = ExchangeTerms(rule=rule, content="bundle", energy_drift_kwh=drift)
    made = BundleContent(Holding(np.array(held), np.array(preferred), terms, mandate))
    made.share(SCALE_KWH2, min_gain_kwh2=0.01)
    return made


def high_low(**options: Any) -> BundleContent:
    """A household that holds 2, 1 and 1.5, and would rather hold 1, 2 and 1.5."""
    return content([2.0, 1.0, 1.5], [1.0, 2.0, 1.5], **options)


def low_high(**options: Any) -> BundleContent:
    """Its ideal partner."""
    return content([1.0, 2.0, 1.0], [2.0, 1.0, 1.0], **options)


def test_a_proposal_names_all_traded_slots_with_rounded_limits_and_the_room_left() -> None:
    proposal = high_low(mandate=Mandate(never=frozenset({1}))).propose(LEASE)
    assert proposal.slots == (0, 2)
    assert proposal.values_kwh.tolist() == [2.0, 1.5]
    assert proposal.limits_kwh.tolist() == [-2.0, 0.0]
    assert proposal.loss_kwh2 == 0.0
    assert proposal.less_kwh == pytest.approx(0.05)
    assert proposal.more_kwh == pytest.approx(0.05)
    unbound = high_low(drift=None).propose(LEASE)
    assert (unbound.less_kwh, unbound.more_kwh) == (None, None)


@pytest.mark.parametrize(("disclosure", "limits"), [("value", []), ("direction", [-1.0, 1.0, 0.0])])
def test_a_mandate_discloses_less(disclosure: DisclosureName, limits: list[float]) -> None:
    proposal = high_low(mandate=Mandate(disclosure=disclosure)).propose(LEASE)
    assert proposal.limits_kwh.tolist() == limits


def test_the_counter_has_what_suits_both_and_keeps_energy() -> None:
    requester, responder = high_low(), low_high()
    deal, reason = responder.answer(requester.propose(LEASE))
    assert reason == ""
    assert deal.slots == (0, 1)
    assert deal.given_kwh == (1.0, 2.0)
    assert deal.taken_kwh == (2.0, 1.0)
    assert deal.change_kwh2 == -2.0
    counter = responder.counter(LEASE, deal)
    assert counter.values_kwh.tolist() == [1.0, 2.0]
    assert counter.change_kwh2 == 0.0
    taken, refusal = requester.check(counter)
    assert refusal == ""
    assert taken.change_kwh2 == -2.0
    for side, own in ((responder, deal), (requester, taken)):
        side.apply(own)
    assert requester.propose(LEASE).values_kwh.tolist() == [1.0, 2.0, 1.5]
    assert responder.propose(LEASE).values_kwh.tolist() == [2.0, 1.0, 1.0]


def test_energy_that_only_goes_one_way_is_refused() -> None:
    requester, responder = content([2.0], [1.0]), content([1.0], [2.0])
    assert responder.answer(requester.propose(LEASE))[1] == "no joint gain"
    requester, responder = content([2.0], [1.0], drift=1.5), content([1.0], [2.0], drift=1.5)
    assert responder.answer(requester.propose(LEASE))[1] == ""


def test_the_bound_of_the_narrower_side_holds() -> None:
    requester, responder = content([2.0], [1.0], drift=1.5), content([1.0], [2.0], drift=0.5)
    assert responder.answer(requester.propose(LEASE))[1] == "no joint gain"
    mandate = Mandate(energy_drift=0.5)
    requester = content([2.0], [1.0], drift=1.5, mandate=mandate)
    responder = content([1.0], [2.0], drift=1.5)
    assert responder.answer(requester.propose(LEASE))[1] == "no joint gain"


@pytest.mark.parametrize(
    ("values", "change", "rule", "reason"),
    [
        ([1.0, 2.0], 0.0, "mutual", ""),
        ([3.0, 0.0], 0.0, "mutual", "loss"),
        ([1.0, 1.0], 0.0, "mutual", "drift"),
        ([1.0, 2.0], -1.0, "cooperative", ""),
        ([1.0, 2.0], 3.0, "cooperative", "no joint gain"),
        ([3.0, 0.0], -9.0, "cooperative", "cap"),
    ],
)
def test_a_requester_checks_a_counter_itself(
    values: list[float], change: float, rule: RuleName, reason: str
) -> None:
    counter = Counter(LEASE, (0, 1), np.array(values), change)
    assert high_low(rule=rule).check(counter)[1] == reason


def test_a_cooperative_household_may_lose_what_it_has_gained_and_names_less_of_it() -> None:
    requester = high_low(rule="cooperative")
    assert requester.propose(LEASE).loss_kwh2 <= 0.0
    deal, _ = requester.check(Counter(LEASE, (0, 1), np.array([1.0, 2.0]), -1.0))
    requester.apply(deal)
    assert 2.0 / 2**0.5 <= requester.propose(LEASE).loss_kwh2 <= 2.0


def test_nonsense_is_refused() -> None:
    asked = high_low().propose(LEASE)
    responder, requester = low_high(), high_low(mandate=Mandate(never=frozenset({1})))
    for proposal in (
        replace(asked, slots=(0, 1)),
        replace(asked, slots=(1, 0, 2)),
        replace(asked, slots=(0, 0, 2)),
        replace(asked, slots=(0, 1, 3)),
        replace(asked, slots=(-1, 1, 2)),
        replace(asked, limits_kwh=np.zeros(2)),
    ):
        with pytest.raises(PeerError, match=r"bundle|proposal"):
            responder.answer(proposal)
    for slots, values in (((), []), ((1,), [2.0]), ((0, 5), [1.0, 1.0]), ((0,), [1.0, 2.0])):
        with pytest.raises(PeerError, match=r"bundle|counter"):
            requester.check(Counter(LEASE, slots, np.array(values), 0.0))


def test_the_largest_possible_change_bounds_the_true_one() -> None:
    """For any values and preferences: so a requester never loses by what seems to suit it."""
    chance = np.random.default_rng(1)
    held, other, preferred = chance.random((3, 2000))
    floor = 0.25 * SCALE_KWH2**0.5
    limits = np.array(
        [limit_named(value, wanted, floor) for value, wanted in zip(held, preferred, strict=True)]
    )
    assert (limits == 0).any()
    expected, most = requester_changes(other - held, limits, "limit", scale_kwh=SCALE_KWH2**0.5)
    true = (other - preferred) ** 2 - (held - preferred) ** 2
    assert (true <= most + 1e-12).all()
    assert np.abs(true - expected).mean() < np.abs(true - most).mean()


LADDER = 2**0.5


@pytest.mark.parametrize(
    ("energy", "limit", "disclosure", "expected", "most"),
    [
        (2.0, 4.0, "limit", 4 - 8 * (1 + LADDER) / 2, 4 - 8),
        (-2.0, 4.0, "limit", 4 + 8 * (1 + LADDER) / 2, 4 + 8 * LADDER),
        (-2.0, -4.0, "limit", 4 - 8 * (1 + LADDER) / 2, 4 - 8),
        (2.0, 0.0, "limit", 4, 4 + 2 * 0.25 * 0.5),
        (-2.0, 0.0, "limit", 4, 4 + 2 * 0.25 * 0.5),
        (2.0, 1.0, "direction", 4 - 2 * 0.5, 4 - 2 * 0.5),
        (2.0, -7.0, "direction", 4 + 2 * 0.5, 4 + 2 * 0.5),
        (2.0, 0.0, "value", 4, 4),
    ],
)
def test_a_requesters_changes_by_what_it_discloses(
    energy: float, limit: float, disclosure: DisclosureName, expected: float, most: float
) -> None:
    """The change is energy * (energy - true limit); the root mean squared deviation is 0.5 kWh."""
    found = requester_changes(np.array([energy]), np.array([limit]), disclosure, scale_kwh=0.5)
    assert [float(part[0]) for part in found] == pytest.approx([expected, most], rel=1e-14)


@pytest.mark.parametrize("side", ["requester", "responder"])
@pytest.mark.parametrize(
    ("drifted", "moves", "reason"),
    [
        (0.0, 0.5, ""),
        (0.0, -0.5, ""),
        (0.25, 0.7, "no joint gain"),
        (0.25, 0.3, "no joint gain"),
        (0.25, 0.2, ""),
        (0.25, -0.8, "no joint gain"),
        (0.25, -0.7, ""),
        (-0.25, -0.3, "no joint gain"),
        (-0.25, 0.7, ""),
    ],
)
def test_what_has_drifted_leaves_less_room_on_one_side(
    side: str, drifted: float, moves: float, reason: str
) -> None:
    """One household may drift by 0.5 kWh, and has drifted. It would change by `moves` at slot 0; a
    slot without interest has brought the drift."""
    drift = 0.50001
    bound = content([1.0, 5.0], [1.0 + moves, 5.0], drift=drift)
    free = content([1.0 + moves, 9.0], [1.0, 9.0], drift=None)
    bound.apply(Deal(slots=(1,), given_kwh=(5.0,), taken_kwh=(5.0 + drifted,), changes_kwh2=(0.0,)))
    requester, responder = (bound, free) if side == "requester" else (free, bound)
    asked = requester.propose(LEASE)
    only = replace(
        asked, slots=(0,), values_kwh=asked.values_kwh[:1], limits_kwh=asked.limits_kwh[:1]
    )
    assert responder.answer(only)[1] == reason


@pytest.mark.parametrize(
    ("rule", "taken", "reason"),
    [("mutual", 2.1, "loss"), ("mutual", 2.0, "loss"), ("mutual", 1.9, ""), ("mutual", 1.0, "")],
)
def test_a_requester_does_not_lose_by_a_counter(rule: RuleName, taken: float, reason: str) -> None:
    """It holds 2 and would hold 1; without a gain at all it does not exchange either."""
    requester = content([2.0], [1.0], rule=rule, drift=None)
    assert requester.check(Counter(LEASE, (0,), np.array([taken]), 0.0))[1] == reason


@pytest.mark.parametrize(
    ("change", "reason"), [(0.989, ""), (0.991, "no joint gain"), (1.0, "no joint gain")]
)
def test_both_must_gain_enough_together(change: float, reason: str) -> None:
    """The requester gains 1 kWh^2; the least joint gain is 0.01."""
    requester = content([2.0], [1.0], rule="cooperative", drift=None)
    counter = Counter(LEASE, (0,), np.array([1.0]), change)
    assert requester.check(counter)[1] == reason


@pytest.mark.parametrize(("least", "reason"), [(2.414, ""), (2.415, "no joint gain")])
def test_a_responder_counters_with_enough_gain_only(least: float, reason: str) -> None:
    """It gains 1 kWh^2; the requester discloses 2 and is expected to gain 2 * 1.2071 - 1."""
    requester, responder = content([2.0], [1.0], drift=None), content([1.0], [2.0], drift=None)
    responder.share(SCALE_KWH2, least)
    assert responder.answer(requester.propose(LEASE))[1] == reason


def test_a_cooperative_responder_names_its_change() -> None:
    requester, responder = high_low(rule="cooperative"), low_high(rule="cooperative")
    deal, _ = responder.answer(requester.propose(LEASE))
    assert responder.counter(LEASE, deal).change_kwh2 == deal.change_kwh2 == -2.0


def test_a_mandate_that_is_overstepped_lets_a_household_gain_only() -> None:
    """It may be 1 kWh away from 1 and is 2 away: so an exchange must bring it nearer by much."""
    requester = content([3.0], [1.0], mandate=Mandate(discomfort=1.0), drift=None)
    assert requester.propose(LEASE).loss_kwh2 == pytest.approx(-3.0)
    for taken, reason in ((2.1, "cap"), (1.9, "")):
        assert requester.check(Counter(LEASE, (0,), np.array([taken]), 0.0))[1] == reason


@pytest.mark.parametrize(
    ("least", "change", "reason"),
    [(0.0, 1.0, "no joint gain"), (0.25, 0.75, ""), (0.25, 0.76, "no joint gain")],
)
def test_the_least_joint_gain_is_enough_and_none_is_not(
    least: float, change: float, reason: str
) -> None:
    """The requester gains 1 kWh^2, and the responder loses the rest."""
    requester = content([2.0], [1.0], rule="cooperative", drift=None)
    requester.share(SCALE_KWH2, least)
    assert requester.check(Counter(LEASE, (0,), np.array([1.0]), change))[1] == reason


def test_a_responder_gives_no_value_that_it_never_trades() -> None:
    requester = high_low(drift=None)
    responder = low_high(drift=None, mandate=Mandate(never=frozenset({0})))
    deal, reason = responder.answer(requester.propose(LEASE))
    assert (deal.slots, reason) == ((1,), "")


@pytest.mark.parametrize(
    ("rule", "disclosure", "deviation", "limits", "weight"),
    [
        ("mutual", "limit", 2.0, [2.0, 0.0], 1.0),
        ("cooperative", "direction", 2.0, [1.0, 0.0], 1.0),
        ("cooperative", "limit", 2.0, [2.0, 0.0], 2 * 1.457107 / 3.457107),
        ("cooperative", "limit", 0.08, [0.4, 0.0], 2 * 0.058284 / 0.138284),
        ("cooperative", "limit", 2.0, [2.0, -2.0], 2 * 2.914214 / 4.914214),
        ("cooperative", "limit", 2.0, [0.0, 0.0], 2 / 21),
        ("cooperative", "limit", 0.0, [1.0, 0.0], 40 / 21),
        ("cooperative", "limit", 0.0, [0.0, 0.0], 1.0),
    ],
)
def test_under_cooperative_each_side_counts_by_its_squared_deviation(
    rule: RuleName, disclosure: DisclosureName, deviation: float, limits: list[float], weight: float
) -> None:
    """A limit of 2 stands for a squared deviation of (2 * 1.2071 / 2)^2 = 1.4571 kWh^2."""
    away = (deviation / 2) ** 0.5
    responder = content([1.0 + away, 1.0 - away], [1.0, 1.0], rule=rule)
    found = responder._requester_weight(np.array(limits), disclosure)
    assert found == pytest.approx(weight, rel=1e-5)


def test_bounds_on_energy_keep_a_reserve_for_rounding() -> None:
    """Nothing bounds it but all the energy that both hold: 4 and 5 kWh."""
    requester, responder = (
        content([1.0, 3.0], [1.0, 1.0], drift=None),
        content([3.0, 2.0], [1.0, 1.0], drift=None),
    )
    low, high = responder._energy_bounds(requester.propose(LEASE))
    assert low + 9.0 == pytest.approx(1.8e-8, rel=1e-4)
    assert 9.0 - high == pytest.approx(1.8e-8, rel=1e-4)
    bound = replace(requester.propose(LEASE), less_kwh=0.5, more_kwh=2.5)
    low, high = responder._energy_bounds(bound)
    assert low + 0.5 == pytest.approx(3e-9, rel=1e-4)
    assert 2.5 - high == pytest.approx(3e-9, rel=1e-4)


def test_a_small_loss_that_is_allowed_is_rounded_down_too() -> None:
    """It has gained 0.9 kWh^2 and names the next step below, 1 / sqrt(2)."""
    held = 1.0 + 0.9**0.5
    requester = content([held], [1.0], rule="cooperative", drift=None)
    requester.apply(Deal(slots=(0,), given_kwh=(held,), taken_kwh=(1.0,), changes_kwh2=(-0.9,)))
    assert requester.propose(LEASE).loss_kwh2 == pytest.approx(0.5**0.5)


def test_a_direction_stands_for_half_of_the_mean_deviation() -> None:
    """The root mean squared deviation is 0.5 kWh, so that 0.25 kWh less seem to suit."""
    requester = content([1.25], [1.0], mandate=Mandate(disclosure="direction"), drift=None)
    responder = content([1.0], [1.25], drift=None)
    assert responder.answer(requester.propose(LEASE))[1] == ""


@pytest.mark.parametrize(
    ("own", "theirs", "reason"),
    [(2.5, 9.0, ""), (1.5, 9.0, "no joint gain"), (9.0, 2.5, ""), (9.0, 1.5, "no joint gain")],
)
def test_both_sides_keep_a_reserve_for_rounding(own: float, theirs: float, reason: str) -> None:
    """Where the mean squared deviation is 10^9, it is 2 kWh^2 for each. The responder would gain
    `own` kWh^2; the requester, which wants more, at least `theirs`."""
    energy = own**0.5
    responder = content([1.0 + energy], [1.0], drift=None)
    responder.share(1e9, 0.01)
    proposal = replace(
        content([1.0], [1.0], drift=None).propose(LEASE),
        limits_kwh=np.array([(energy**2 + theirs) / energy]),
    )
    assert responder.answer(proposal)[1] == reason
