"""Bundles that a partner of the tested household proposes or counters with: good ones and bad ones.

Each is made of two slots at which the household's limits point in opposite directions, so that its
energy stays what it is if it exchanges both, and only then.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from agents.exchange.disclosure import limit_named
from protocol.messages import BundleProposal, Counter
from protocol.messages.exchange import LeaseId
from protocol.vectors import Array

WISH = 4.0
"""Distance between what the partner holds and prefers, as a multiple of what it would give up."""
ENERGY_KWH = 0.01
"""Largest change of the partner's own energy, kWh."""


@dataclass(frozen=True, slots=True)
class SlotPair:
    """Two slots, rising, and the amount by which the household gains at both."""

    slots: tuple[int, int]
    moves_kwh: tuple[float, float]
    """Changes of the household's values towards what it prefers; their sum is 0."""

    def held_by_partner(self, held: Array, factor: float = 1.0) -> Array:
        """Return the values that the household would take over, kWh; it loses by a negative
        factor."""
        return np.array(
            [
                held[slot] + factor * move
                for slot, move in zip(self.slots, self.moves_kwh, strict=True)
            ]
        )

    def proposal(self, lease: LeaseId, held: Array, factor: float = 1.0) -> BundleProposal:
        """Return a proposal of these two slots, which the partner gains much by."""
        limits = [limit_named(0.0, -WISH * factor * move, 0.0) for move in self.moves_kwh]
        return BundleProposal(
            lease=lease,
            disclosure="limit",
            slots=self.slots,
            values_kwh=self.held_by_partner(held, factor),
            limits_kwh=np.array(limits),
            loss_kwh2=0.0,
            less_kwh=ENERGY_KWH,
            more_kwh=ENERGY_KWH,
        )

    def half_proposal(self, lease: LeaseId, held: Array) -> BundleProposal:
        """Return a proposal of the first slot alone, which moves the household's energy."""
        good = self.proposal(lease, held)
        return replace(
            good,
            slots=self.slots[:1],
            values_kwh=good.values_kwh[:1],
            limits_kwh=good.limits_kwh[:1],
            less_kwh=None,
            more_kwh=None,
        )

    def counter(self, lease: LeaseId, held: Array, factor: float = 1.0) -> Counter:
        """Return a counter with these two slots."""
        return Counter(
            lease=lease,
            slots=self.slots,
            values_kwh=self.held_by_partner(held, factor),
            change_kwh2=0.0,
        )

    def half_counter(self, lease: LeaseId, held: Array) -> Counter:
        """Return a counter with the first slot alone, which moves the household's energy."""
        good = self.counter(lease, held)
        return replace(good, slots=self.slots[:1], values_kwh=good.values_kwh[:1])


def pairs(
    limits: Mapping[int, float], *, energy_drift_kwh: float, min_gain_kwh2: float
) -> list[SlotPair]:
    """Return disjoint pairs of slots with much to gain, by the limits that the household names.

    The amount is at most half of the limit at both slots, so the household gains at least the
    square of the amount at each.
    """
    falling = sorted(limits, key=lambda slot: limits[slot])
    found: list[SlotPair] = []
    for down, up in zip(falling, reversed(falling), strict=True):
        amount = min(limits[up], -limits[down]) / 2
        if amount <= 2 * energy_drift_kwh or 2 * amount * amount <= min_gain_kwh2:
            return found
        moves = {up: amount, down: -amount}
        first, second = sorted(moves)
        found.append(SlotPair((first, second), (moves[first], moves[second])))
    return found


def bad_counters(pair: SlotPair, lease: LeaseId, held: Array) -> tuple[Counter, ...]:
    """Return counters that make no sense: slots that do not exist, or lists that do not fit."""
    good = pair.counter(lease, held)
    beyond = (pair.slots[0], len(held))
    return (
        replace(good, slots=beyond),
        replace(good, slots=(-1, pair.slots[1])),
        replace(good, slots=pair.slots[:1]),
        replace(good, slots=(pair.slots[0],) * 2),
        replace(good, slots=(), values_kwh=np.zeros(0)),
    )


def bad_proposals(pair: SlotPair, lease: LeaseId, held: Array) -> tuple[BundleProposal, ...]:
    """Return proposals that make no sense: slots that do not exist, or lists that do not fit."""
    good = pair.proposal(lease, held)
    return (
        replace(good, slots=(pair.slots[0], len(held))),
        replace(good, slots=(-1, pair.slots[1])),
        replace(good, values_kwh=good.values_kwh[:1]),
        replace(good, limits_kwh=good.limits_kwh[:1]),
        replace(good, slots=(pair.slots[1], pair.slots[0])),
    )
