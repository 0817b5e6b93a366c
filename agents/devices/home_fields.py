"""The fields of a home in a file, and the home that they describe.

This module decides which fields there are, which values they may have, and how a device is built
from them; the files themselves are read elsewhere. Amounts are kWh at the meter per slot unless the
field says otherwise.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from agents.devices.cycle import Cycle
from agents.devices.energy_grid import FILE_STEP_KWH, floored, rounded
from agents.devices.store import Store
from agents.devices.store_wishes import Reserve, StoreWish, Warmth
from protocol.errors import InputError
from protocol.vectors import Array

Number = Annotated[float, Field(allow_inf_nan=False)]
Amount = Annotated[float, Field(allow_inf_nan=False, ge=0.0)]
Positive = Annotated[float, Field(allow_inf_nan=False, gt=0.0)]
Slot = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, slots=True)
class Day:
    """The slots of the day that homes plan."""

    slots: int
    slot_minutes: float

    def vector(self, amounts: list[float] | None, field: str) -> Array:
        """Return amounts per slot, zeros for None. Raises InputError for another length."""
        if amounts is None:
            return np.zeros(self.slots)
        if len(amounts) != self.slots:
            reason = f"{len(amounts)} amounts for {self.slots} slots"
            raise InputError(reason, field=field)
        return np.array(amounts, dtype=np.float64)


class _Fields(BaseModel):
    """Fields of a table in a file; one that is not named here is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1)]


class CycleFields(_Fields):
    """The fields of a cycle."""

    kind: Literal["cycle"]
    profile: list[Amount]
    earliest: Slot
    preferred: Slot
    latest_start: Slot = Field(validation_alias=AliasChoices("latest_start", "latest"))
    tolerance_min: Positive
    after: str | None = None

    def device(self, day: Day) -> Cycle:
        """Return the cycle. Raises InputError, naming the field."""
        return Cycle(
            name=self.name,
            profile_kwh=rounded(np.array(self.profile)),
            earliest=self.earliest,
            preferred_start=self.preferred,
            latest_start=self.latest_start,
            tolerance_min=self.tolerance_min,
            slots=day.slots,
            slot_minutes=day.slot_minutes,
            after=self.after,
        )


class StoreFields(_Fields):
    """The fields of a store. Its bounds are levels in kWh, or temperatures (`..._at`, °C)."""

    kind: Literal["store"]
    what: str
    max_in: Positive
    min_in: Amount = 0.0
    max_out: Amount = 0.0
    efficiency_in: Positive = 1.0
    efficiency_out: Positive = 1.0
    plugged: tuple[Slot, Slot] | None = None
    use: list[Number] | None = None
    level: Amount | None = None
    low: Amount = 0.0
    high: Amount | None = None
    need: Amount = 0.0
    reserve: Amount = 0.0
    tolerance_h: Positive | None = None
    kwh_per_degree: Positive | None = None
    level_at: Number | None = None
    low_at: Number | None = None
    high_at: Number | None = None
    wish_at: Number | None = None
    too_warm_at: Number | None = None
    tolerance_deg: Positive | None = None

    def device(self, day: Day) -> Store:
        """Return the store. Raises InputError, naming the field."""
        level, low, high = self._bounds()
        plugged = self.plugged or (0, day.slots)
        lowest = np.full(day.slots, low)
        if self.need:
            departure = max(plugged[1] - 1, 0)
            lowest[departure:] = np.maximum(low, level + self.need * self.efficiency_in)
        if not low <= level <= high:
            raise InputError("must be between low and high", field="level")
        return Store(
            name=self.name,
            what=self.what,
            level_kwh=level,
            low_kwh=lowest,
            high_kwh=np.full(day.slots, high),
            use_kwh=day.vector(self.use, "use"),
            plugged=plugged,
            max_in_kwh=float(floored(np.array(self.max_in), FILE_STEP_KWH)),
            min_in_kwh=float(-floored(-np.array(self.min_in), FILE_STEP_KWH)),
            max_out_kwh=float(floored(np.array(self.max_out), FILE_STEP_KWH)),
            efficiency_in=self.efficiency_in,
            efficiency_out=self.efficiency_out,
            wish=self._wish(level, plugged, day),
        )

    def _bounds(self) -> tuple[float, float, float]:
        """Return level, low and high in kWh; a temperature counts from 0 °C."""
        if self.kwh_per_degree is None:
            return self._known("level"), self.low, self._known("high")
        level, low, high = (self._known(field) for field in ("level_at", "low_at", "high_at"))
        scale = self.kwh_per_degree
        return level * scale, low * scale, high * scale

    def _wish(self, level: float, plugged: tuple[int, int], day: Day) -> StoreWish | None:
        if self.kwh_per_degree is not None and self.wish_at is not None:
            too_warm = np.inf if self.too_warm_at is None else self.too_warm_at
            return Warmth(
                wish_kwh=self.wish_at * self.kwh_per_degree,
                kwh_per_degree=self.kwh_per_degree,
                tolerance=self._known("tolerance_deg"),
                too_warm_kwh=too_warm * self.kwh_per_degree,
            )
        if self.reserve:
            return Reserve(
                first_kwh=level,
                wish_kwh=level + self.efficiency_in * self.reserve,
                full_power_kwh=self.efficiency_in * self.max_in,
                plugged=plugged,
                slots_per_hour=60.0 / day.slot_minutes,
                tolerance=self._known("tolerance_h"),
            )
        return None

    def _known(self, field: str) -> float:
        value: float | None = getattr(self, field)
        if value is None:
            raise InputError("is missing", field=field)
        return value


DeviceFields = Annotated[CycleFields | StoreFields, Field(discriminator="kind")]
