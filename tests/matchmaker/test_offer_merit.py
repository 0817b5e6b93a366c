"""The merit of an offer for a wish, with numbers computed by hand.

GUESS = (1 + sqrt 2) / 2 = 1.20711 is the assumed true limit as a multiple of the disclosed one. An
offer aims at half of that: a household at 0 that discloses 3 aims at 1.81066.
"""

import pytest

from matchmaker.offer_book import ALWAYS, FAR, Offers, Wish
from tests.support.lookups import home

GUESS = 1.2071067811865475


def offers(
    *known: tuple[float, float | None], bind: tuple[bool, ...] = (True, True, True)
) -> Offers:
    """Return offers at one slot: household a is column 0, b column 1 and so on; each has value and
    limit, kWh."""
    made = Offers(1)
    for name, (value, limit), binds in zip("abcdef", known, bind, strict=False):
        column = made.enter(home(name))
        made.put(0, column, value, limit)
        made.slack[column] = 0.0 if binds else float("inf")
    return made


def merits(
    made: Offers, wish: Wish | None = None, min_gain: float = 0.0, round: int = 1
) -> dict[str, float]:
    """Return the merit of every possible partner for household a, by name."""
    columns, merit = made.merit(wish or Wish(0), 0, min_gain, round)
    return {made.where[c].name: float(m) for c, m in zip(columns, merit, strict=True)}


def test_binding_limits_rank_partners_by_the_distance_of_their_aims() -> None:
    """a from 0 up to 3 aims at 1.81066; b from 2 down to -0.5 aims at 2 - 1.50888 = 0.49112."""
    made = offers((0.0, 3.0), (2.0, -2.5))
    assert merits(made) == {"b": pytest.approx(2.0 * (1.810660 - 0.491117), abs=1e-5)}


@pytest.mark.parametrize(
    ("limit", "serves"),
    [(-2.0, True), (-1.99, False), (-2.01, True), (2.0, False), (0.0, False)],
)
def test_a_binding_limit_is_exact(limit: float, serves: bool) -> None:
    """b holds 2 and would get 0, so it must go 2 down."""
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
def test_a_requester_must_gain_more_than_the_least_gain(
    value: float, min_gain: float, serves: bool
) -> None:
    made = offers((0.0, 3.0), (value, -9.0))
    assert bool(merits(made, min_gain=min_gain)) is serves


def test_a_limit_that_does_not_bind_means_the_middle_of_its_step() -> None:
    """It discloses 3 and is assumed to go up to 3 * GUESS = 3.62; only then does a value at 3.2
    help it."""
    binding, free = (offers((0.0, 3.0), (3.2, -9.0), bind=(bind, False)) for bind in (True, False))
    assert merits(binding) == {}
    assert list(merits(free)) == ["b"]
    far = offers((0.0, 3.0), (3.7, -9.0), bind=(False, False))
    assert merits(far) == {}
    assert free.gain(Wish(0), 0, 1) == pytest.approx(3.2 * (3.0 * GUESS - 3.2))
    assert binding.gain(Wish(0), 0, 1) == pytest.approx(3.2 * (3.0 - 3.2))
    shifted = offers((1.0, 3.0), (3.0, -9.0))
    assert shifted.gain(Wish(0), 0, 1) == pytest.approx(2.0 * (3.0 - 2.0))


def test_the_joint_gain_is_at_least_half_of_the_least_gain() -> None:
    """a aims at 2.41421, and b, whose limit does not bind, at 2.06036; together they gain 2 *
    0.35386 = 0.70772."""
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


def test_a_withdrawn_offer_has_no_merit() -> None:
    made = offers((0.0, 3.0), (2.0, -2.5), (1.0, -1.5))
    made.drop(0, 1)
    assert list(merits(made)) == ["c"]
    made.put(0, 1, 2.0, -2.5)
    assert list(merits(made)) == ["b", "c"]


def test_an_offer_with_a_direction_aims_at_its_own_value() -> None:
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
def test_a_wanted_value_ranks_partners_by_expected_gain(
    value: float, limit: float | None, merit: float
) -> None:
    made = offers((0.0, 5.0), (value, limit))
    assert merits(made, Wish(0, 2.0, 1.0)) == {"b": pytest.approx(merit)}


def test_a_partner_that_wants_nothing_does_not_want_the_other_way() -> None:
    made = offers((0.0, 5.0), (1.0, 0.0), bind=(True, False))
    assert merits(made, Wish(0, 2.0, 1.0)) == {"b": pytest.approx(1.0 + 3.0 / 16.0 * 0.75)}
    short_of = offers((0.0, 5.0), (1.0, -0.5), bind=(True, False))
    assert merits(short_of, Wish(0, 2.0, 1.0)) == {"b": pytest.approx(2.0 + 3.0 / 16.0 * 0.75)}


def test_a_refusal_lowers_the_chance_of_acceptance() -> None:
    """b has refused to go 2.5 down, so the chance that it goes 1 is 1 - 1/2.5."""
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
def test_only_values_within_the_tolerance_have_merit(value: float, served: bool) -> None:
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
def test_a_requester_that_may_lose_prefers_certain_acceptance(
    value: float, limit: float | None, merit: float
) -> None:
    made = offers((1.0, FAR), (value, limit), bind=(False, False))
    assert merits(made, Wish(0, 3.0, 1.0)) == {"b": pytest.approx(merit)}


@pytest.mark.parametrize(("until", "round", "served"), [
    (3, 3, False), (3, 2, False), (3, 4, True), (ALWAYS, 99, False),
])  # fmt: skip
def test_refused_pairs_are_kept_apart_until_a_new_offer(
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
    """Return True if b, which holds 2, would be a partner of a household that holds `value` and
    wants 2."""
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


def test_only_refusals_of_the_present_value_count() -> None:
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
def test_a_refusal_by_a_household_that_may_lose_weighed_the_gain(
    gain: float, value: float, asked: bool
) -> None:
    """It is a partner if the requester's gain, estimated generously, makes up for its own loss: the
    requester wants a little more than half of the way to the value that b holds."""
    made = offers((0.0, 9.0), (2.0, None), bind=(True, False))
    made.learn(0, 1, (0.0, 2.0), gain)
    made.put(0, 0, value, 9.0)
    wanted = value + 0.55 * (2.0 - value)
    assert bool(merits(made, Wish(0, wanted, 9.0))) is asked
