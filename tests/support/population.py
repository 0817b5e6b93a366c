"""Populations for tests of the exchange."""

import numpy as np

from protocol.vectors import Array


def population(seed: int, households: int, slots: int) -> tuple[Array, Array]:
    """Schedules and preferred plans with values that repeat, and some that are as preferred."""
    chance = np.random.default_rng(seed)
    schedules = chance.integers(0, 12, (households, slots)) / 4.0
    preferred = chance.integers(0, 12, (households, slots)) / 4.0
    return schedules, preferred
