"""The choice of a bundle: the slots at which two households exchange their values. Pure arithmetic.

A bundle is a set of slots: at all of them the values change hands, or at none. The best bundle
lowers the sum of both squared deviations most, each side's times its weight, while neither side's
change exceeds its bound and the energy that moves stays within bounds. It is found by a Lagrangian
search: given a price on energy, each slot decides for itself; the price is chosen so that the
energy fits; the slots that the price hardly decides are then tried both ways. How a partner's
changes are estimated is decided in bundle_content.py.

All arrays have the batch first: B pairs at once, with the same result as one by one.
"""

from dataclasses import dataclass, fields
from functools import cache
from itertools import combinations
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from protocol.vectors import Array

NEAR = 12
"""Number of slots to try both ways: those whose own prices are nearest to the price found."""
PAIRS = 32
"""Number of pairs to choose for at once: few, for a processor's cache."""
FLIPS_MAX = 3
"""Largest number of these slots to decide against the price."""
WEIGHTS = np.array([0.5, 0.35, 0.65, 0.2, 0.8])
"""Weights of the requester's change against the responder's. If the best bundle for both together
costs one side too much, another weight finds one that does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairChanges:
    """The changes that an exchange at each slot would bring, float64[B, d], for B pairs. Infinite
    changes exclude a slot."""

    requester_kwh2: Array
    """Expected change of the requester's squared deviation."""
    requester_most_kwh2: Array
    """Largest possible change of the requester's squared deviation."""
    responder_kwh2: Array
    """Change of the responder's squared deviation."""
    energy_kwh: Array
    """Change of the requester's energy: the responder's value minus the requester's."""
    requester_weight: Array
    """Weight of the requester's change in the choice, float64[B], between 0 and 2; the responder's
    weight is 2 minus it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleBounds:
    """Bounds on the sums over a bundle, float64[B] each."""

    joint_kwh2: Array
    """Upper bound on the expected sum of both sides' changes."""
    requester_most_kwh2: Array
    """Upper bound on the requester's largest possible change; 0 if it must not lose."""
    responder_kwh2: Array
    """Upper bound on the responder's change."""
    energy_min_kwh: Array
    energy_max_kwh: Array


@dataclass(frozen=True, slots=True)
class Bundles:
    """The best bundle for each of B pairs."""

    slots: NDArray[np.bool_]
    """True where values are exchanged, bool[B, d]; False everywhere if no bundle fits."""
    change_kwh2: Array
    """Expected sum of both sides' changes, float64[B]; 0 if no bundle fits."""


Batch = TypeVar("Batch", PairChanges, BundleBounds)


def choose_bundles(changes: PairChanges, bounds: BundleBounds) -> Bundles:
    """Return the best bundle found for each pair."""
    count = len(changes.energy_kwh)
    parts = [slice(start, start + PAIRS) for start in range(0, count, PAIRS)]
    chosen = [_choose(_rows(changes, part), _rows(bounds, part)) for part in parts]
    return Bundles(
        slots=np.concatenate([each.slots for each in chosen]),
        change_kwh2=np.concatenate([each.change_kwh2 for each in chosen]),
    )


def _rows(batch: Batch, part: slice) -> Batch:
    """Return a part of a batch of pairs."""
    return type(batch)(**{each.name: getattr(batch, each.name)[part] for each in fields(batch)})


def _choose(changes: PairChanges, bounds: BundleBounds) -> Bundles:
    """Return the best bundle found for each of a few pairs."""
    energy = changes.energy_kwh
    parts = np.stack(
        [
            changes.requester_kwh2,
            changes.requester_most_kwh2,
            changes.responder_kwh2,
            energy,
        ],
        axis=1,
    )
    tradable = np.isfinite(parts).all(axis=1) & (energy != 0)
    parts = np.where(tradable[:, None], parts, 0.0)
    own_weight = changes.requester_weight[:, None, None]
    # One row for each pair and weight: [B, weights, d].
    weighted = (
        WEIGHTS[:, None] * own_weight * parts[:, :1]
        + (1 - WEIGHTS[:, None]) * (2 - own_weight) * parts[:, 2:3]
    )
    chosen, near = _by_price(weighted, parts[:, 3], bounds=bounds, tradable=tradable)
    flips = _flips(near.shape[-1])
    # The candidates are the sets that the prices give, each with some of its near slots flipped.
    sign = np.where(np.take_along_axis(chosen, near, axis=2), -1.0, 1.0)
    totals = (parts[:, None] * chosen[:, :, None]).sum(-1)
    steps = np.take_along_axis(parts[:, None], near[:, :, None], axis=3) * sign[:, :, None]
    sums = _flipped_sums(totals, steps)
    requester, requester_most, responder, moved = (sums[:, :, part] for part in range(4))
    joint = requester + responder
    fits = (
        (joint <= bounds.joint_kwh2[:, None, None])
        & (requester_most <= bounds.requester_most_kwh2[:, None, None])
        & (responder <= bounds.responder_kwh2[:, None, None])
        & (moved >= bounds.energy_min_kwh[:, None, None])
        & (moved <= bounds.energy_max_kwh[:, None, None])
    )
    wanted = own_weight * requester + (2 - own_weight) * responder
    best = np.where(fits, wanted, 0.0).reshape(len(energy), -1).argmin(axis=1)
    weight, flip = np.divmod(best, len(flips))
    rows = np.arange(len(energy))
    flipped = np.zeros_like(tradable)
    np.put_along_axis(flipped, near[rows, weight], flips[flip], axis=1)
    lowest = np.where(fits, joint, 0.0).reshape(len(energy), -1)[rows, best]
    slots = (chosen[rows, weight] ^ flipped) & tradable & (lowest < 0)[:, None]
    # An empty bundle may seem to gain by a rounding error.
    return Bundles(slots=slots, change_kwh2=np.where(slots.any(axis=1), lowest, 0.0))


def _by_price(
    weighted: Array, energy: Array, *, bounds: BundleBounds, tradable: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Return the slots that the best price on energy chooses, bool[B, weights, d], and the slots
    nearest to that price, int[B, weights, near].

    At price z, a slot is chosen if its change plus z times its energy is negative. As z rises past
    a slot's own price, -change / energy, the energy of all chosen slots falls by |energy|. If the
    bundle at price 0 fits, the price is 0.
    """
    slots = energy.shape[-1]
    own_price = np.full(weighted.shape, np.inf)
    wide = np.broadcast_to(energy[:, None], weighted.shape)
    np.divide(-weighted, wide, out=own_price, where=np.broadcast_to(tradable[:, None], wide.shape))
    order = own_price.argsort(axis=2, kind="stable")
    falls = np.take_along_axis(np.abs(wide), order, axis=2).cumsum(axis=2)
    low, high = bounds.energy_min_kwh[:, None], bounds.energy_max_kwh[:, None]
    unpriced = (weighted < 0) & tradable[:, None]
    moved = (unpriced * wide).sum(-1)
    fits = (moved >= low) & (moved <= high)
    # The number of own prices to pass until the energy is in the middle of its bounds.
    highest = np.maximum(energy, 0.0).sum(-1)[:, None, None]
    above = (highest - falls > ((low + high) / 2)[..., None]).sum(-1)
    passed = np.where(fits, (own_price < 0).sum(-1), np.minimum(above + 1, slots))
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.broadcast_to(np.arange(slots), order.shape), axis=2)
    priced = ((rank >= passed[..., None]) == (wide > 0)) & tradable[:, None]
    chosen = np.where(fits[..., None], unpriced, priced)
    near = min(NEAR, slots)
    first = np.clip(passed - near // 2, 0, slots - near)
    return chosen, np.take_along_axis(order, first[..., None] + np.arange(near), axis=2)


def _flipped_sums(totals: Array, steps: Array) -> Array:
    """Return the sums over all candidates, float64[..., sets], in the order of `_flips`: the
    `totals`, float64[...], with the `steps`, float64[..., near], of each flipped slot."""
    sums = [totals[..., None]]
    for fewer, last in _larger_sets(steps.shape[-1]):
        sums.append(sums[-1].take(fewer, axis=-1) + steps.take(last, axis=-1))
    return np.concatenate(sums, axis=-1)


@cache
def _flips(near: int) -> NDArray[np.bool_]:
    """Return all sets of at most FLIPS_MAX of `near` slots, small ones first, bool[sets, near]."""
    sets = [each for size in range(FLIPS_MAX + 1) for each in combinations(range(near), size)]
    rows = np.zeros((len(sets), near), dtype=np.bool_)
    for number, each in enumerate(sets):
        rows[number, list(each)] = True
    return rows


@cache
def _larger_sets(near: int) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Return how the sets of each size follow from those with one slot fewer, for sizes from 1 to
    FLIPS_MAX: the number of the smaller set among those of its size, and the slot that is added,
    int[sets of this size] each."""
    found = []
    before: list[tuple[int, ...]] = [()]
    for size in range(1, FLIPS_MAX + 1):
        number = {each: place for place, each in enumerate(before)}
        before = list(combinations(range(near), size))
        fewer = np.array([number[each[:-1]] for each in before], np.intp)
        found.append((fewer, np.array([each[-1] for each in before], np.intp)))
    return found
