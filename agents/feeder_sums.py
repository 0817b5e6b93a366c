"""Sums by feeder, for runs with limits on what groups of households take together.

Where F feeders have limits of their own, every sum along the tree has d * (1 + F) numbers: the sum
over all households, then that over the households at each feeder. A household adds its plan to the
first block and to that of its own feeder. So all rules of sums hold for each block as they do for
one. This module decides where the blocks are. `hard_constraints` decides what limits mean.
"""

from collections.abc import Callable

import numpy as np

from protocol.terms import Terms
from protocol.vectors import Array


def width(slots: int, terms: Terms) -> int:
    """Return the length of a sum along the tree."""
    return slots * (1 + terms.feeders)


def by_feeder(plans: Array, terms: Terms) -> Array:
    """Return plans as the household adds them to sums, (..., d) -> (..., d * (1 + F))."""
    if not terms.feeders:
        return plans
    slots = plans.shape[-1]
    blocks = np.zeros((*plans.shape[:-1], 1 + terms.feeders, slots))
    blocks[..., 0, :] = plans
    if terms.feeder:
        blocks[..., terms.feeder, :] = plans
    return blocks.reshape(*plans.shape[:-1], width(slots, terms))


def blocks_of(sums: Array, terms: Terms) -> Array:
    """Return the sum over all households, and those by feeder, float64[1 + F, d]."""
    return sums.reshape(1 + terms.feeders, -1)


def of_all(cost: Callable[[Array], Array], terms: Terms) -> Callable[[Array], Array]:
    """Return a cost of sums, (m, d * (1 + F)) -> (m,), that looks at the sum over all households
    only."""
    if not terms.feeders:
        return cost
    return lambda sums: cost(sums[:, : sums.shape[1] // (1 + terms.feeders)])
