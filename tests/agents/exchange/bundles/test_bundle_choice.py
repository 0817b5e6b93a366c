"""The choice of a bundle: it fits its bounds, comes close to the best one, and is the same in any
batch."""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest

from agents.exchange.bundles.bundle_choice import BundleBounds, Bundles, PairChanges, choose_bundles
from protocol.vectors import Array

CAP = 0.3


def random_pairs(seed: int, pairs: int, slots: int) -> PairChanges:
    """Return pairs with random values and preferences; some slots are not traded."""
    chance = np.random.default_rng(seed)
    held, other, wanted, other_wanted = chance.random((4, pairs, slots))
    requester = (other - wanted) ** 2 - (held - wanted) ** 2
    requester[chance.random((pairs, slots)) < 0.1] = np.inf
    return PairChanges(
        requester_kwh2=requester,
        requester_most_kwh2=requester + 0.1 * np.abs(other - held),
        responder_kwh2=(held - other_wanted) ** 2 - (other - other_wanted) ** 2,
        energy_kwh=other - held,
        requester_weight=np.ones(pairs),
    )


def bounds(pairs: int, loss: float = 0.0, low: float = -CAP, high: float = CAP) -> BundleBounds:
    """Return the same bounds for all pairs."""
    return BundleBounds(
        joint_kwh2=np.zeros(pairs),
        requester_most_kwh2=np.full(pairs, loss),
        responder_kwh2=np.full(pairs, loss),
        energy_min_kwh=np.full(pairs, low),
        energy_max_kwh=np.full(pairs, high),
    )


def totals(changes: PairChanges, bundles: Bundles) -> Array:
    """Return the sums over each bundle: requester, requester at most, responder, energy."""
    parts = (
        changes.requester_kwh2,
        changes.requester_most_kwh2,
        changes.responder_kwh2,
        changes.energy_kwh,
    )
    return np.array([np.where(bundles.slots, part, 0.0).sum(1) for part in parts])


@pytest.mark.parametrize("slots", [1, 3, 20, 144])
@pytest.mark.parametrize("loss", [0.0, 0.2])
def test_a_bundle_fits_its_bounds(slots: int, loss: float) -> None:
    changes = random_pairs(1, pairs=60, slots=slots)
    bundles = choose_bundles(changes, bounds(60, loss))
    requester, most, responder, energy = totals(changes, bundles)
    assert (most <= loss + 1e-12).all()
    assert (responder <= loss + 1e-12).all()
    assert (np.abs(energy) <= CAP + 1e-12).all()
    assert bundles.change_kwh2 == pytest.approx(requester + responder, abs=1e-12)
    assert ((bundles.change_kwh2 < 0) == bundles.slots.any(1)).all()
    assert bundles.slots.any()


def best(changes: PairChanges, pair: int, loss: float) -> float:
    """Return the change of the best bundle of one pair, found by trying all sets."""
    requester, most, responder, energy = (
        part[pair]
        for part in (
            changes.requester_kwh2,
            changes.requester_most_kwh2,
            changes.responder_kwh2,
            changes.energy_kwh,
        )
    )
    lowest = 0.0
    for chosen in map(np.array, product((False, True), repeat=len(energy))):
        fits = most[chosen].sum() <= loss and responder[chosen].sum() <= loss
        if fits and abs(energy[chosen].sum()) <= CAP:
            lowest = min(lowest, float(requester[chosen].sum() + responder[chosen].sum()))
    return lowest


@pytest.mark.parametrize("loss", [0.0, 0.2])
def test_a_bundle_is_nearly_the_best_of_all(loss: float) -> None:
    changes = random_pairs(2, pairs=40, slots=10)
    found = choose_bundles(changes, bounds(40, loss)).change_kwh2
    lowest = np.array([best(changes, pair, loss) for pair in range(40)])
    assert (found >= lowest - 1e-12).all()
    assert found.sum() < 0.97 * lowest.sum()


def test_a_batch_gives_the_same_bundles_as_its_pairs_alone() -> None:
    changes = random_pairs(3, pairs=50, slots=48)
    together = choose_bundles(changes, bounds(50))
    for pair in range(50):
        one = slice(pair, pair + 1)
        alone = choose_bundles(
            PairChanges(
                requester_kwh2=changes.requester_kwh2[one],
                requester_most_kwh2=changes.requester_most_kwh2[one],
                responder_kwh2=changes.responder_kwh2[one],
                energy_kwh=changes.energy_kwh[one],
                requester_weight=changes.requester_weight[one],
            ),
            bounds(1),
        )
        assert (alone.slots[0] == together.slots[pair]).all()
        assert alone.change_kwh2[0] == together.change_kwh2[pair]


def at_price(energy: dict[int, float], order: list[int], passed: int) -> set[int]:
    """Return the bundle at the price just above the first `passed` own prices."""
    return {slot for slot in energy if (slot in order[:passed]) == (energy[slot] < 0)}


def searched(changes: PairChanges, bounds: BundleBounds, pair: int) -> set[int]:
    """Return the bundle of one pair by the search that `choose_bundles` describes, slot by slot."""
    parts = zip(
        changes.requester_kwh2[pair].tolist(),
        changes.requester_most_kwh2[pair].tolist(),
        changes.responder_kwh2[pair].tolist(),
        changes.energy_kwh[pair].tolist(),
        strict=True,
    )
    traded = {slot: part for slot, part in enumerate(parts) if np.isfinite(part).all() and part[3]}
    energy = {slot: part[3] for slot, part in traded.items()}
    low, high = bounds.energy_min_kwh[pair], bounds.energy_max_kwh[pair]
    own = changes.requester_weight[pair]
    slots = changes.energy_kwh.shape[1]

    def total(bundle: set[int], part: int) -> float:
        return float(sum(traded[slot][part] for slot in sorted(bundle)))

    lowest, best = 0.0, set[int]()
    for weight in (0.5, 0.35, 0.65, 0.2, 0.8):
        price = {
            slot: -(weight * own * requester + (1 - weight) * (2 - own) * responder) / moved
            for slot, (requester, _, responder, moved) in traded.items()
        }
        order = sorted(range(slots), key=lambda slot: (price.get(slot, np.inf), slot))
        passed = sum(each < 0 for each in price.values())
        chosen = {slot for slot in traded if price[slot] * energy[slot] > 0}
        if not low <= total(chosen, 3) <= high:
            moved = [total(at_price(energy, order, n), 3) for n in range(1, slots + 1)]
            above = sum(each > (low + high) / 2 for each in moved)
            passed = min(above + 1, slots)
            chosen = at_price(energy, order, passed)
        near = min(12, slots)
        first = min(max(passed - near // 2, 0), slots - near)
        for size in range(4):
            for flipped in combinations(order[first : first + near], size):
                bundle = (chosen ^ set(flipped)) & traded.keys()
                requester, responder = total(bundle, 0), total(bundle, 2)
                fits = (
                    requester + responder <= bounds.joint_kwh2[pair]
                    and total(bundle, 1) <= bounds.requester_most_kwh2[pair]
                    and responder <= bounds.responder_kwh2[pair]
                    and low <= total(bundle, 3) <= high
                )
                wanted = own * requester + (2 - own) * responder
                if fits and wanted < lowest:
                    lowest, best = wanted, bundle
    return best


@pytest.mark.parametrize("slots", [2, 11, 16])
@pytest.mark.parametrize(
    ("loss", "joint", "weight"), [(0.0, 0.0, 1.0), (0.2, -0.4, 0.5), (0.0, 0.0, 1.8)]
)
@pytest.mark.parametrize(("low", "high"), [(-CAP, CAP), (-0.1, 0.9), (-1.2, -0.2)])
def test_a_bundle_is_that_of_the_search(
    slots: int, loss: float, joint: float, weight: float, low: float, high: float
) -> None:
    changes = replace(random_pairs(5, pairs=8, slots=slots), requester_weight=np.full(8, weight))
    limits = replace(bounds(8, loss, low, high), joint_kwh2=np.full(8, joint))
    found = choose_bundles(changes, limits).slots
    for pair in range(8):
        assert set(np.flatnonzero(found[pair]).tolist()) == searched(changes, limits, pair)


def quarters(seed: int, pairs: int, slots: int) -> PairChanges:
    """Return pairs with values and preferences in quarters, so that many prices are equal or 0 and
    sums meet their bounds exactly."""
    chance = np.random.default_rng(seed)
    held, other, wanted, other_wanted = np.round(4 * chance.random((4, pairs, slots))) / 4
    requester = (other - wanted) ** 2 - (held - wanted) ** 2
    return PairChanges(
        requester_kwh2=requester,
        requester_most_kwh2=requester,
        responder_kwh2=(held - other_wanted) ** 2 - (other - other_wanted) ** 2,
        energy_kwh=other - held,
        requester_weight=np.ones(pairs),
    )


@pytest.mark.parametrize(
    ("pairs", "slots", "seed", "loss", "low", "high"),
    [
        (random_pairs, 16, 0, 0.3, 1.5, 2.5),  # few prices are passed
        (random_pairs, 14, 0, 2.0, 4.0, 5.0),
        (random_pairs, 24, 6, 0.0, -0.5, 1.0),  # the bundle at price 0 fits
        (quarters, 16, 0, 0.0, -0.25, 0.25),
        (quarters, 16, 6, 0.0, -0.25, 0.25),
        (quarters, 24, 5, 0.0, -0.25, 0.25),
    ],
)
def test_the_search_goes_round_the_price_that_it_has_found(
    pairs: Callable[[int, int, int], PairChanges],
    slots: int,
    seed: int,
    loss: float,
    low: float,
    high: float,
) -> None:
    changes, limits = pairs(seed, 8, slots), bounds(8, loss, low, high)
    found = choose_bundles(changes, limits).slots
    for pair in range(8):
        assert set(np.flatnonzero(found[pair]).tolist()) == searched(changes, limits, pair)


def test_no_bundle_where_both_cannot_gain() -> None:
    """Both want more at every slot."""
    held, other = np.array([[1.0, 2.0, 1.5]]), np.array([[2.0, 1.0, 1.0]])
    changes = PairChanges(
        requester_kwh2=(other - 3.0) ** 2 - (held - 3.0) ** 2,
        requester_most_kwh2=(other - 3.0) ** 2 - (held - 3.0) ** 2,
        responder_kwh2=(held - 3.0) ** 2 - (other - 3.0) ** 2,
        energy_kwh=other - held,
        requester_weight=np.ones(1),
    )
    bundles = choose_bundles(changes, bounds(1))
    assert not bundles.slots.any()
    assert bundles.change_kwh2[0] == 0.0


def test_equal_values_are_never_exchanged() -> None:
    changes = random_pairs(4, pairs=1, slots=6)
    changes.energy_kwh[:] = 0.0
    assert not choose_bundles(changes, bounds(1)).slots.any()


def one_slot(requester: float, responder: float, weight: float) -> PairChanges:
    """Return one pair with one slot, at which the requester would get 1 kWh."""
    return PairChanges(
        requester_kwh2=np.array([[requester]]),
        requester_most_kwh2=np.array([[requester + 1.0]]),
        responder_kwh2=np.array([[responder]]),
        energy_kwh=np.array([[1.0]]),
        requester_weight=np.array([weight]),
    )


@pytest.mark.parametrize("bound", range(6))
def test_what_is_just_within_its_bounds_fits(bound: int) -> None:
    """The changes are -2, at most -1, and -1 kWh^2. Each bound in turn is a little narrower."""
    limits = [-3.0, -1.0, -1.0, -1.0, 1.0]
    if bound < 5:
        limits[bound] -= 1e-9
    joint, most, responder, least, highest = (np.array([limit]) for limit in limits)
    bundles = choose_bundles(
        one_slot(-2.0, -1.0, 1.0),
        BundleBounds(
            joint_kwh2=joint,
            requester_most_kwh2=most,
            responder_kwh2=responder,
            energy_min_kwh=-least,
            energy_max_kwh=highest,
        ),
    )
    assert bundles.slots.tolist() == [[bound == 5]]


def test_a_bundle_that_is_worse_by_its_weights_is_not_chosen() -> None:
    """0.2 * -2 + 1.8 * 0.3 is above 0, although both together would gain."""
    limits = replace(bounds(1, loss=1.0, low=-2.0, high=2.0), joint_kwh2=np.array([-1.0]))
    assert not choose_bundles(one_slot(-2.0, 0.3, 0.2), limits).slots.any()
    assert choose_bundles(one_slot(-2.0, 0.2, 0.2), limits).slots.all()
