"""The choice of a bundle: it fits its bounds, comes close to the best one, and is the same in any
batch."""

from itertools import product

import numpy as np
import pytest

from agents.exchange.bundle_choice import BundleBounds, Bundles, PairChanges, choose_bundles
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
