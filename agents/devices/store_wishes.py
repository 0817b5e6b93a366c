"""What people want of a store: warmth at all times, or a reserve soon.

A wish measures a setback from the levels of a store, and how the setback changes with each level.
What must be reached is no wish: it is a bound of the store.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from protocol.vectors import Array


class StoreWish(Protocol):
    """A wish about the levels of a store."""

    @property
    def unit(self) -> str:
        """Unit of the setback."""

    @property
    def tolerance(self) -> float:
        """The setback that is just acceptable, in `unit`."""

    def setback(self, levels_kwh: Array) -> Array:
        """Return how far levels miss the wish, in `unit`: (..., d) -> (...)."""

    def squared_slope(self, levels_kwh: Array) -> Array:
        """Return d(u^2)/d(level) at each slot, per kWh of level: (d,) -> (d,)."""


@dataclass(frozen=True, slots=True)
class Warmth:
    """A temperature to keep, and for heat pumps one not to exceed.

    The setback is the root mean square of the degrees that are missing or too many.
    """

    wish_kwh: float
    """Level at the wished temperature."""
    kwh_per_degree: float
    tolerance: float
    """Just acceptable, degrees."""
    too_warm_kwh: float = np.inf
    """Level above which it is too warm."""

    @property
    def unit(self) -> str:
        """Warmth is short by degrees."""
        return "degrees"

    def setback(self, levels_kwh: Array) -> Array:
        """Return the root mean square of degrees short or too many: (..., d) -> (...)."""
        return np.asarray(np.sqrt(np.square(self._missed(levels_kwh)).mean(-1)))

    def squared_slope(self, levels_kwh: Array) -> Array:
        """Return d(u^2)/d(level) at each slot, per kWh of level: (d,) -> (d,)."""
        scale = len(levels_kwh) * self.tolerance**2 * self.kwh_per_degree
        return np.asarray(2.0 * self._missed(levels_kwh) / scale)

    def _missed(self, levels_kwh: Array) -> Array:
        """Return the degrees by which each slot is too warm, negative where too cold."""
        too_cold = np.minimum(levels_kwh - self.wish_kwh, 0.0)
        too_warm = np.maximum(levels_kwh - self.too_warm_kwh, 0.0)
        return (too_cold + too_warm) / self.kwh_per_degree


@dataclass(frozen=True, slots=True)
class Reserve:
    """A part of a car's need that is wanted soon after it arrives; the rest may come at any time.

    The setback is the mean time by which the reserve arrives later than at full power, hours.
    """

    first_kwh: float
    """Level on arrival."""
    wish_kwh: float
    """Level with the reserve; above `first_kwh`."""
    full_power_kwh: float
    """Gain of level per slot at full power."""
    plugged: tuple[int, int]
    """First slot plugged in, and the slot after the last."""
    slots_per_hour: float
    tolerance: float
    """Just acceptable, hours."""

    @property
    def unit(self) -> str:
        """A reserve is late by hours."""
        return "h"

    def setback(self, levels_kwh: Array) -> Array:
        """Return the mean hours by which the reserve is late: (..., d) -> (...)."""
        start, end = self.plugged
        gained = self.full_power_kwh * np.arange(1.0, end - start + 1.0)
        soonest = float(self._short(np.asarray(self.first_kwh + gained)))
        late = np.maximum(self._short(levels_kwh[..., start:end]) - soonest, 0.0)
        return np.asarray(late * self._hours_per_kwh())

    def squared_slope(self, levels_kwh: Array) -> Array:
        """Return d(u^2)/d(level) at each slot, per kWh of level: (d,) -> (d,)."""
        start, end = self.plugged
        slope = np.zeros(len(levels_kwh))
        slope[start:end] = -1.0 * (levels_kwh[start:end] < self.wish_kwh)
        scale = 2.0 * float(self.setback(levels_kwh)) / self.tolerance**2
        return slope * scale * self._hours_per_kwh()

    def _short(self, levels_kwh: Array) -> Array:
        """Return the sum over slots of what is missing of the reserve, kWh: (..., d) -> (...)."""
        return np.asarray(np.maximum(self.wish_kwh - levels_kwh, 0.0).sum(-1))

    def _hours_per_kwh(self) -> float:
        return 1.0 / (self.wish_kwh - self.first_kwh) / self.slots_per_hour
