"""The pairing of a round: few candidates, the largest gains first, nobody twice."""

import numpy as np
import pytest

from matchmaker import pairing
from matchmaker.pairing import CANDIDATES, Pair, draw_candidates, estimated_gains, pair_up
from protocol.vectors import Array


def population(seed: int, households: int, slots: int = 12) -> tuple[Array, Array]:
    """Return values held and wanted."""
    values, wanted = np.random.default_rng(seed).random((2, households, slots))
    return values, wanted


@pytest.mark.parametrize("households", [1, 2, 5, CANDIDATES + 1, CANDIDATES + 2, 200])
def test_nobody_considers_itself_and_few_are_considered(households: int) -> None:
    drawn = draw_candidates(households, np.random.default_rng(1))
    assert drawn.shape == (households, min(households - 1, CANDIDATES))
    assert (drawn != np.arange(households)[:, None]).all()
    assert ((drawn >= 0) & (drawn < households)).all()


def test_a_small_population_considers_everybody() -> None:
    drawn = draw_candidates(4, np.random.default_rng(1))
    assert [sorted(row) for row in drawn.tolist()] == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]


def test_all_others_are_considered_if_they_are_few_and_all_may_be_if_they_are_many() -> None:
    few = draw_candidates(CANDIDATES + 1, np.random.default_rng(1))
    assert all(len(set(row)) == CANDIDATES for row in few.tolist())
    many = CANDIDATES + 2
    seen: list[set[int]] = [set() for _ in range(many)]
    for seed in range(20):
        for own, row in zip(seen, draw_candidates(many, np.random.default_rng(seed)), strict=True):
            own.update(row.tolist())
    assert seen == [set(range(many)) - {row} for row in range(many)]


def gain_of_one_pair(values: Array, wanted: Array, first: int, second: int) -> float:
    """Return the estimated gain of a pair, slot by slot: the price on energy is halved in on eight
    times."""
    energy: list[float] = (values[second] - values[first]).tolist()
    own_price: list[float] = (2 * (wanted[second] - wanted[first])).tolist()
    high = max(abs(price) for price in own_price)
    low = -high
    for _ in range(8):
        price = (low + high) / 2
        moved = sum(e for e, own in zip(energy, own_price, strict=True) if e * (own + price) < 0)
        low, high = (price, high) if moved > 0 else (low, price)
    price = (low + high) / 2
    return -sum(min(0.0, e * (own + price)) for e, own in zip(energy, own_price, strict=True))


@pytest.mark.parametrize("whole", [False, True])
def test_gains_are_estimated_at_the_price_at_which_about_no_energy_moves(whole: bool) -> None:
    """Whole numbers often move none at all, or are worth just the price."""
    values, wanted = population(7, households=16)
    if whole:
        values, wanted = np.round(4 * values), np.round(4 * wanted)
    first, second = np.arange(8), np.arange(8, 16)
    found = estimated_gains(values, wanted, first=first, second=second)
    expected = [gain_of_one_pair(values, wanted, row, row + 8) for row in range(8)]
    assert found == pytest.approx(expected, rel=1e-12)


def test_a_gain_counts_only_exchanges_that_keep_energy() -> None:
    """0 and 1 want what the other has at both slots, and the energies cancel. 2 and 3 would move
    energy one way."""
    values = np.array([[1.0, 3.0], [2.0, 2.0], [1.0, 1.0], [2.0, 2.0]])
    wanted = np.array([[2.0, 2.0], [1.0, 3.0], [2.0, 2.0], [1.0, 1.0]])
    first, second = np.array([0, 2]), np.array([1, 3])
    balanced, one_way = estimated_gains(values, wanted, first=first, second=second)
    assert balanced == pytest.approx(4.0)
    assert one_way < 0.1


def test_a_gain_is_the_same_seen_from_either_side() -> None:
    values, wanted = population(2, households=20)
    first, second = np.arange(10), np.arange(10, 20)
    there = estimated_gains(values, wanted, first=first, second=second)
    back = estimated_gains(values, wanted, first=second, second=first)
    assert there == pytest.approx(back, rel=0.1)
    assert (there > 0).any()


def test_slots_that_are_not_traded_count_for_nothing() -> None:
    """Prices are all below 1."""
    values, wanted = (0.1 * part for part in population(3, households=2))
    part = estimated_gains(values[:, :6], wanted[:, :6], first=np.array([0]), second=np.array([1]))
    values[0, 6:] = wanted[0, 6:] = np.nan
    whole = estimated_gains(values, wanted, first=np.array([0]), second=np.array([1]))
    assert whole == pytest.approx(part, rel=1e-12)


def test_everybody_is_in_one_pair_at_most_and_the_best_come_first() -> None:
    values, wanted = population(4, households=60)
    candidates = draw_candidates(60, np.random.default_rng(5))
    nobody = np.zeros(candidates.shape, dtype=np.bool_)
    pairs = pair_up(values, wanted, candidates=candidates, excluded=nobody, min_gain_kwh2=0.0)
    paired = [row for pair in pairs for row in (pair.first, pair.second)]
    assert len(paired) == len(set(paired)) > 40
    gains = [pair.gain_kwh2 for pair in pairs]
    assert gains == sorted(gains, reverse=True)
    assert all(pair.second in candidates[pair.first] for pair in pairs)
    high = gains[len(gains) // 2]
    fewer = pair_up(values, wanted, candidates=candidates, excluded=nobody, min_gain_kwh2=high)
    assert fewer == [pair for pair in pairs if pair.gain_kwh2 > high]


def test_excluded_candidates_are_not_paired() -> None:
    values, wanted = population(6, households=4)
    candidates = draw_candidates(4, np.random.default_rng(1))
    excluded = np.ones(candidates.shape, dtype=np.bool_)
    excluded[2, candidates[2] == 3] = False
    pairs = pair_up(values, wanted, candidates=candidates, excluded=excluded, min_gain_kwh2=-1.0)
    assert [(pair.first, pair.second) for pair in pairs] == [(2, 3)]


def test_the_pairs_do_not_depend_on_how_many_are_compared_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values, wanted = population(8, households=40)
    candidates = draw_candidates(40, np.random.default_rng(2))
    excluded = np.zeros(candidates.shape, dtype=np.bool_)

    def pairs() -> list[Pair]:
        return pair_up(values, wanted, candidates=candidates, excluded=excluded, min_gain_kwh2=0.0)

    at_once = pairs()
    monkeypatch.setattr(pairing, "ROWS", 7)
    assert pairs() == at_once
    for pair in at_once:
        gain = gain_of_one_pair(values, wanted, pair.first, pair.second)
        assert pair.gain_kwh2 == pytest.approx(gain, rel=1e-12)


def test_of_equal_gains_the_first_row_and_its_first_partner_come_first() -> None:
    """Rows 0, 1 and 4 hold what 2, 3 and 5 want, and the other way round."""
    one, other = [1.0, 3.0], [3.0, 1.0]
    values = np.array([one, one, other, other, one, other])
    wanted = values[:, ::-1]
    candidates = draw_candidates(6, np.random.default_rng(1))
    excluded = np.zeros(candidates.shape, dtype=np.bool_)
    pairs = pair_up(values, wanted, candidates=candidates, excluded=excluded, min_gain_kwh2=0.0)
    assert [(pair.first, pair.second) for pair in pairs] == [(0, 2), (1, 3), (4, 5)]
    turned = pair_up(
        values, wanted, candidates=candidates[:, ::-1], excluded=excluded, min_gain_kwh2=0.0
    )
    assert turned == pairs


def test_of_all_prices_at_which_no_energy_moves_the_lowest_is_sought() -> None:
    """Above a price of -2 the first slot is exchanged, below 3 the second. At -2.0039, where the
    halving ends, the second alone is worth 3 + 2.0039."""
    values = np.array([[1.0, 0.0], [0.0, 1.0]])
    wanted = np.array([[0.0, 1.5], [1.0, 0.0]])
    gain = estimated_gains(values, wanted, first=np.array([0]), second=np.array([1]))
    assert gain.tolist() == [5.00390625]
