"""How well an offer serves a wish, in numbers worked out by hand.

GUESS = (1 + sqrt 2) / 2 = 1.20711: what a named limit stands for. An offer aims at half of that
way: a household at 0 that names 3 aims at 1.81066.
"""

import pytest

from matchmaker.offer_book import ALWAYS, FAR, Offers, Wish
from tests.support.lookups import home

GUESS = 1.2071067811865475


def offers(
    *known: tuple[float, float | None], bind: tuple[bool, ...] = (True, True, True)
) -> Offers:
    """One slot: household a is column 0, b column 1 and so on; each with value and limit, kWh."""
    made = Offers(1)
    for name, (value, limit), binds in zip("abcdef", known, bind, strict=False):
        column = made.enter(home(name))
        made.put(0, column, value, limit)
        made.slack[column] = 0.0 if binds else float("inf")
    return made


def merits(
    made: Offers, wish: Wish | None = None, min_gain: float = 0.0, round: int = 1
) -> dict[str, float]:
    """The merit of everybody who would serve household a, by name."""
    columns, merit = made.merit(wish or Wish(0), 0, min_gain, round)
    return {made.where[c].name: float(m) for c, m in zip(columns, merit, strict=True)}


def test_limits_that_bind_make_merit_of_how_far_the_aims_are_apart() -> None:
    """a from 0 up to 3 aims at 1.81066; b from 2 down to -0.5 aims at 2 - 1.50888 = 0.49112."""
    made = offers((0.0, 3.0), (2.0, -2.5))
    assert merits(made) == {"b": pytest.approx(2.0 * (1.810660 - 0.491117), abs=1e-5)}


@pytest.mark.parametrize(
    ("limit", "serves"),
    [(-2.0, True), (-1.99, False), (-2.01, True), (2.0, False), (0.0, False)],
)
def test_a_household_whose_limits_bind_goes_exactly_as_far_as_it_says(
    limit: float, serves: bool
) -> None:
    """b holds 2 and would get 0: it goes 2 down or not at all."""
    assert bool(merits(offers((0.0, 3.0), (2.0, limit)))) is serves
    free = offers((0.0, 9.0), (2.0, limit), bind=(True, False))
    assert bool(merits(free)) is True


@pytest.mark.parametrize(
    ("value", "min_gain", "serves"),
    [
        (2.0, 1.99, True),  # gain 2 * (3 - 2) = 2
        (2.0, 2.0, False),  # not worth while: it must be more
        (3.0, 0.0, False),  # as far off on the other side: gains nothing
        (2.9, 0.0, True),
        (0.0, 0.0, False),
        (-1.0, 0.0, False),
    ],
)
def test_a_requester_gains_more_than_is_worth_while(
    value: float, min_gain: float, serves: bool
) -> None:
    made = offers((0.0, 3.0), (value, -9.0))
    assert bool(merits(made, min_gain=min_gain)) is serves


def test_a_requester_whose_limits_do_not_bind_is_taken_to_mean_the_middle_of_the_step() -> None:
    """It names 3 and means up to 3 * GUESS = 3.62: a value 3.2 away serves it only then."""
    binding, free = (offers((0.0, 3.0), (3.2, -9.0), bind=(bind, False)) for bind in (True, False))
    assert merits(binding) == {}
    assert list(merits(free)) == ["b"]
    far = offers((0.0, 3.0), (3.7, -9.0), bind=(False, False))
    assert merits(far) == {}
    assert free.gain(Wish(0), 0, 1) == pytest.approx(3.2 * (3.0 * GUESS - 3.2))
    assert binding.gain(Wish(0), 0, 1) == pytest.approx(3.2 * (3.0 - 3.2))
    shifted = offers((1.0, 3.0), (3.0, -9.0))
    assert shifted.gain(Wish(0), 0, 1) == pytest.approx(2.0 * (3.0 - 2.0))


def test_both_together_gain_at_least_half_of_what_is_worth_while() -> None:
    """a aims at 2.41421, b, which does not mind, at 2.06036: together 2 * 0.35386 = 0.70772."""
    made = offers((0.0, 4.0), (2.0, 0.1), bind=(True, False))
    (together,) = merits(made).values()
    assert together == pytest.approx(0.70772, abs=1e-5)
    assert list(merits(made, min_gain=1.0)) == ["b"]
    assert list(merits(made, min_gain=1.41)) == ["b"]
    assert merits(made, min_gain=2 * together) == {}
    assert merits(made, min_gain=2.0) == {}


def test_small_amounts_count_too() -> None:
    made = offers((0.0, 0.03), (0.02, -0.025))
    assert merits(made)["b"] == pytest.approx(0.02 * (0.0181066 - 0.0049112), abs=1e-6)


def test_an_offer_that_is_withdrawn_serves_nobody() -> None:
    made = offers((0.0, 3.0), (2.0, -2.5), (1.0, -1.5))
    made.drop(0, 1)
    assert list(merits(made)) == ["c"]
    made.put(0, 1, 2.0, -2.5)
    assert list(merits(made)) == ["b", "c"]


def test_a_direction_aims_at_no_value_but_the_own_one() -> None:
    made = offers((0.0, FAR), (2.0, -FAR))
    assert merits(made, Wish(0, 1.9, 1.9))["b"] == pytest.approx(
        2.0 + 2.0 * 1.8 / 3.8**2 * (1 - 2.0 / 3.8)
    )
    joined = offers((0.0, 3.0), (1.0, -FAR))
    assert merits(joined) == {"b": pytest.approx(1.0 * (1.810660 - 1.0), abs=1e-5)}


@pytest.mark.parametrize(
    ("value", "limit", "merit"),
    [
        # a goes 4 up at most: b, 1 off, agrees with chance 1 - 1/4 and lets a gain 3 of 16.
        (1.0, None, 1.0 + 3.0 / 16.0 * 0.75),
        (1.0, -FAR, 2.0 + 3.0 / 16.0 * 0.75),
        (3.0, None, 1.0 + 3.0 / 16.0 * 0.25),
        (2.0, None, 1.0 + 4.0 / 16.0 * 0.5),
        (2.0, -2.5, 2.0 + 4.0 / 16.0 * 0.5),
    ],
)
def test_a_wanted_value_is_served_by_what_is_to_be_expected(
    value: float, limit: float | None, merit: float
) -> None:
    made = offers((0.0, 5.0), (value, limit))
    assert merits(made, Wish(0, 2.0, 1.0)) == {"b": pytest.approx(merit)}


def test_a_partner_that_wants_nothing_does_not_want_the_other_way() -> None:
    made = offers((0.0, 5.0), (1.0, 0.0), bind=(True, False))
    assert merits(made, Wish(0, 2.0, 1.0)) == {"b": pytest.approx(1.0 + 3.0 / 16.0 * 0.75)}
    short_of = offers((0.0, 5.0), (1.0, -0.5), bind=(True, False))
    assert merits(short_of, Wish(0, 2.0, 1.0)) == {"b": pytest.approx(2.0 + 3.0 / 16.0 * 0.75)}


def test_what_is_known_of_a_partner_makes_it_less_likely_to_agree() -> None:
    """b has refused to go 2.5 down: that it goes 1 has the chance 1 - 1/2.5."""
    made = offers((0.0, 5.0), (1.0, None))
    made.learn(0, 1, (-1.5, 1.0), 1.0)
    assert merits(made, Wish(0, 2.0, 1.0)) == {"b": pytest.approx(1.0 + 3.0 / 16.0 * 0.6)}
    other_way = offers((0.0, 5.0), (1.0, None))
    other_way.learn(0, 1, (3.5, 1.0), 1.0)
    assert merits(other_way, Wish(0, 2.0, 1.0)) == {"b": pytest.approx(1.0 + 3.0 / 16.0 * 0.75)}


@pytest.mark.parametrize(
    ("value", "served"),
    [(1.0, True), (0.99, False), (3.0, True), (3.01, False), (2.0, True)],
)
def test_a_wanted_value_is_served_within_the_tolerance(value: float, served: bool) -> None:
    made = offers((0.0, 5.0), (value, None))
    assert bool(merits(made, Wish(0, 2.0, 1.0))) is served


@pytest.mark.parametrize(
    ("value", "limit", "merit"),
    [
        # a holds 1 and wants 3. Opposite and short of the wanted value: sure to agree.
        (2.5, -FAR, 3.0 + 1.0 / 1.5),
        (3.0, -FAR, 3.0 + 1.0),
        (3.5, -FAR, 2.0 + 1.0 / 1.5),
        (2.5, FAR, 1.0 + 1.0 / 1.5),
        (2.5, None, 1.0 + 1.0 / 1.5),
        (3.5, None, 1.0 + 1.0 / 1.5),
    ],
)
def test_a_requester_that_may_lose_looks_first_for_those_sure_to_agree(
    value: float, limit: float | None, merit: float
) -> None:
    made = offers((1.0, FAR), (value, limit), bind=(False, False))
    assert merits(made, Wish(0, 3.0, 1.0)) == {"b": pytest.approx(merit)}


@pytest.mark.parametrize(("until", "round", "served"), [
    (3, 3, False), (3, 2, False), (3, 4, True), (ALWAYS, 99, False),
])  # fmt: skip
def test_pairs_that_did_not_agree_are_kept_apart_until(
    until: int, round: int, served: bool
) -> None:
    made = offers((0.0, 3.0), (2.0, -2.5))
    made.remember(0, 0, 1, until)
    assert bool(merits(made, round=round)) is served
    # Only this way round: b may still ask a.
    columns, _ = made.merit(Wish(0), 1, 0.0, round)
    assert columns.tolist() == [0]
    # A new offer of either side makes a new beginning.
    for column, value, limit in ((1, 2.0, -2.5), (0, 0.0, 3.0)):
        made.remember(0, 0, 1, until)
        made.put(0, column, value, limit)
        assert list(merits(made, round=round)) == ["b"]


# -- what refusals teach --------------------------------------------------------------------------


def asked_again(made: Offers, value: float) -> bool:
    """Whether b, which holds 2, would be asked by a household that holds `value` and wants 2."""
    made.put(0, 0, value, 9.0 if value < 2.0 else -9.0)
    return bool(merits(made, Wish(0, 2.0, 0.1)))


@pytest.mark.parametrize(
    ("refused_at", "asked"),
    [
        (0.5, {0.0: False, 0.5: False, 0.6: True, 1.5: True, 4.0: True}),
        (3.5, {4.0: False, 3.5: False, 3.4: True, 0.0: True}),
        (2.5, {2.6: False, 2.4: True, 1.4: True, 0.0: True}),
    ],
)
def test_a_refusal_bounds_how_far_a_household_goes_that_way(
    refused_at: float, asked: dict[float, bool]
) -> None:
    for value, again in asked.items():
        made = offers((0.0, 9.0), (2.0, None))
        made.learn(0, 1, (refused_at, 2.0), 5.0)
        assert asked_again(made, value) is again, value


def test_only_refusals_of_what_it_holds_now_teach_anything() -> None:
    for held in ((0.5, 1.9), (2.0, 2.0)):
        made = offers((0.0, 9.0), (2.0, None))
        made.learn(0, 1, held, 5.0)
        assert asked_again(made, 0.0)


def test_the_nearest_refusal_counts() -> None:
    made = offers((0.0, 9.0), (2.0, None))
    made.learn(0, 1, (1.0, 2.0), 5.0)
    made.learn(0, 1, (0.5, 2.0), 5.0)
    assert not asked_again(made, 0.9)
    assert asked_again(made, 1.1)


@pytest.mark.parametrize(
    ("gain", "value", "asked"),
    [
        # b would not go 2 down though the other one gained 3 by it: it goes less than 2 - 3/2.
        (3.0, 1.0, True),
        (3.2, 1.0, False),
        # What the other one gained or lost when b refused for its own sake does not count.
        (-3.0, -2.0, True),
        (-3.0, -2.6, False),
    ],
)
def test_a_household_that_may_lose_is_taken_to_have_weighed_the_gain(
    gain: float, value: float, asked: bool
) -> None:
    """It is asked if the requester's gain, taken generously, makes up for what it would lose: the
    requester wants a little more than half of the way to what b holds."""
    made = offers((0.0, 9.0), (2.0, None), bind=(True, False))
    made.learn(0, 1, (0.0, 2.0), gain)
    made.put(0, 0, value, 9.0)
    wanted = value + 0.55 * (2.0 - value)
    assert bool(merits(made, Wish(0, wanted, 9.0))) is asked
