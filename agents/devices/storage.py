"""What a store can follow: levels, power, times at which it is plugged in (S2: FRBC).

This module knows no people: what they want is in `store`, how a storage is filled in
`store_filling`, how far a schedule can be changed in `store_moves`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from protocol.errors import InputError
from protocol.vectors import Array

LEVEL_TOLERANCE_KWH = 1e-9
"""A level may miss a bound by this much, since levels are rounded while amounts are exact."""


@dataclass(frozen=True, slots=True)
class Storage:
    """A device with a level.

    level[t] = level[t-1] + efficiency_in * in[t] - out[t] / efficiency_out - use[t], where a
    schedule is in - out; a slot never has both. Level t is the one at the end of slot t.

    Raises InputError, naming the field, for a number out of its range.
    """

    name: str
    what: str
    """`ev`, `boiler`, `heatpump`, `battery`, or a word of its own."""
    level_kwh: float
    """Level at the start of the day."""
    low_kwh: Array
    """Least level at the end of each slot, float64[d]; a car's need raises it from departure on."""
    high_kwh: Array
    """Greatest level at the end of each slot, float64[d]."""
    use_kwh: Array
    """What is drawn or lost in each slot, on the side of the level, float64[d]."""
    plugged: tuple[int, int]
    """First slot in which it can take or give, and the slot after the last."""
    max_in_kwh: float
    min_in_kwh: float = 0.0
    """It takes nothing in a slot, or at least this."""
    max_out_kwh: float = 0.0
    efficiency_in: float = 1.0
    """Level gained per kWh taken; the COP of a heat pump."""
    efficiency_out: float = 1.0
    """kWh given per level lost."""

    def __post_init__(self) -> None:
        start, end = self.plugged
        if not 0 <= start < end <= self.slots:
            raise InputError("must be a stretch of the day, at least one slot", field="plugged")
        if not 0.0 <= self.min_in_kwh <= self.max_in_kwh:
            raise InputError("must be between 0 and max_in", field="min_in")
        if self.max_out_kwh < 0.0:
            raise InputError("must not be negative", field="max_out")
        if not self.efficiency_in > 0.0:
            raise InputError("must be above 0", field="efficiency_in")
        if not 0.0 < self.efficiency_out <= 1.0:
            raise InputError("must be above 0 and at most 1", field="efficiency_out")
        if (self.low_kwh > self.high_kwh).any():
            raise InputError("low is above high", field="low")

    @property
    def slots(self) -> int:
        """Number of slots d of the day."""
        return len(self.low_kwh)

    def levels(self, schedule: Array) -> Array:
        """Return the level at the end of each slot, kWh: (..., d) -> (..., d)."""
        gained = self.efficiency_in * np.maximum(schedule, 0.0)
        if self.max_out_kwh > 0.0:
            gained = gained - np.maximum(-schedule, 0.0) / self.efficiency_out
        return np.asarray(self.level_kwh + (gained - self.use_kwh).cumsum(axis=-1))

    def is_plugged(self) -> NDArray[np.bool_]:
        """Return for each slot whether the store can take or give, bool[d]."""
        slot = np.arange(self.slots)
        return np.asarray((slot >= self.plugged[0]) & (slot < self.plugged[1]))

    def fault(self, schedule: Array) -> str | None:
        """Return why the store cannot follow a schedule, or None if it can."""
        taken = np.maximum(schedule, 0.0)
        levels = self.levels(schedule)
        checks = (
            ((schedule != 0.0) & ~self.is_plugged(), "is not plugged in"),
            (taken > self.max_in_kwh, f"takes more than {self.max_in_kwh:g} kWh"),
            ((taken > 0.0) & (taken < self.min_in_kwh), f"takes less than {self.min_in_kwh:g} kWh"),
            (-schedule > self.max_out_kwh, f"gives more than {self.max_out_kwh:g} kWh"),
            (levels < self.low_kwh - LEVEL_TOLERANCE_KWH, "falls below its lowest level"),
            (levels > self.high_kwh + LEVEL_TOLERANCE_KWH, "rises above its highest level"),
        )
        for broken, reason in checks:
            if broken.any():
                return f"{reason} in slot {int(np.argmax(broken))}"
        return None
