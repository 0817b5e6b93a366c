"""Populations for tests of the exchange."""

import numpy as np

from protocol.vectors import Array


def population(seed: int, households: int, slots: int) -> tuple[Array, Array]:
    """Return schedules and preferred plans with values that repeat, some of them equal to the
    preferred ones."""
    chance = np.random.default_rng(seed)
    schedules = chance.integers(0, 12, (households, slots)) / 4.0
    preferred = chance.integers(0, 12, (households, slots)) / 4.0
    return schedules, preferred
