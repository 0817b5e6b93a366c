"""The fields of devices in a file, and the devices that they describe.

This module decides which fields there are, which values they may have, and how a device is built
from them. Amounts are kWh at the meter per slot unless the field says otherwise. A kind of device
that the model lacks is read by a reader of its own (`DeviceReader`).
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from agents.devices.cycle import Cycle
from agents.devices.day import Day
from agents.devices.device import Device
from agents.devices.energy_grid import FILE_STEP_KWH, floored, rounded
from agents.devices.store import Store
from agents.devices.store_wishes import Reserve, StoreWish, Warmth
from agents.suggestions import suggestion
from protocol.checked_input import first_mistake, in_own_style
from protocol.errors import InputError
from protocol.vectors import Array

Number = Annotated[float, Field(allow_inf_nan=False)]
Amount = Annotated[float, Field(allow_inf_nan=False, ge=0.0, le=1e6)]
Positive = Annotated[float, Field(allow_inf_nan=False, gt=0.0, le=1e6)]
Clock = str | Annotated[int, Field(ge=0)]
"""A time of day such as 18:45, or the number of a slot."""
Series = list[Number] | str
"""Amounts per slot, or the name of a file with one per line."""

SeriesReader = Callable[[Series, str], Array]
"""Returns the amounts of a field, float64[d]; raises InputError, naming the field."""
DeviceReader = Callable[[Mapping[str, Any], Day], Device]
"""Builds a device of a kind of its own from its fields; raises InputError, naming the field."""


class _Fields(BaseModel):
    """Fields of a device; one that is not named here is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=64)]


class CycleFields(_Fields):
    """The fields of a cycle."""

    kind: Literal["cycle"]
    profile: list[Amount]
    earliest: Clock
    preferred: Clock
    latest_start: Clock = Field(validation_alias=AliasChoices("latest_start", "latest"))
    tolerance_min: Positive
    after: str | None = None

    def device(self, day: Day, series: SeriesReader) -> Cycle:
        """Return the cycle. Raises InputError, naming the field.

        A run must end within the day, so a later time counts as the last that does.
        """
        earliest = _slot(self.earliest, "earliest", day.slot_from)
        preferred = _slot(self.preferred, "preferred", day.slot_from, after=earliest)
        latest = _slot(self.latest_start, "latest_start", day.slot_until, after=earliest)
        if isinstance(self.latest_start, str):
            latest = min(latest, day.slots - len(self.profile))
        return Cycle(
            name=self.name,
            profile_kwh=rounded(np.array(self.profile)),
            earliest=earliest,
            preferred_start=preferred,
            latest_start=latest,
            tolerance_min=self.tolerance_min,
            slots=day.slots,
            slot_minutes=day.slot_minutes,
            after=self.after,
        )


class StoreFields(_Fields):
    """The fields of a store. Its bounds are levels in kWh, or temperatures (`..._at`, °C)."""

    kind: Literal["store"]
    what: Annotated[str, Field(min_length=1, max_length=64)]
    max_in: Positive
    min_in: Amount = 0.0
    max_out: Amount = 0.0
    efficiency_in: Positive = 1.0
    efficiency_out: Positive = 1.0
    plugged: tuple[Clock, Clock] | None = None
    use: Series | None = None
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

    def device(self, day: Day, series: SeriesReader) -> Store:
        """Return the store. Raises InputError, naming the field."""
        self._refuse_mixed()
        level, low, high = self._bounds()
        if not low <= level <= high:
            raise InputError("must be between the lowest and the highest", field=self._level_field)
        plugged = self._plugged(day)
        lowest = np.full(day.slots, low)
        if self.need:
            needed = level + self.need * self.efficiency_in
            if needed > high:
                reason = f"does not fit: from level {level:g} only {high - level:g} kWh go in"
                raise InputError(reason, field="need")
            lowest[plugged[1] - 1 :] = max(low, needed)
        max_in_kwh = float(floored(np.array(self.max_in), FILE_STEP_KWH))
        return Store(
            name=self.name,
            what=self.what,
            level_kwh=level,
            low_kwh=lowest,
            high_kwh=np.full(day.slots, high),
            use_kwh=np.zeros(day.slots) if self.use is None else series(self.use, "use"),
            plugged=plugged,
            max_in_kwh=max_in_kwh,
            min_in_kwh=float(-floored(-np.array(self.min_in), FILE_STEP_KWH)),
            max_out_kwh=float(floored(np.array(self.max_out), FILE_STEP_KWH)),
            efficiency_in=self.efficiency_in,
            efficiency_out=self.efficiency_out,
            wish=self._wish(level, plugged, self.efficiency_in * max_in_kwh, day),
            need_kwh=self.need,
        )

    @property
    def _level_field(self) -> str:
        return "level" if self.kwh_per_degree is None else "level_at"

    def _refuse_mixed(self) -> None:
        """Refuse fields that have no effect on this store, and wishes without a tolerance."""
        heat = self.kwh_per_degree is not None
        for field in _KWH_FIELDS if heat else _DEGREE_FIELDS:
            if field in self.model_fields_set:
                reason = "has no effect " + ("beside" if heat else "without") + " kwh_per_degree"
                raise InputError(reason, field=field)
        if self.tolerance_h is not None and not self.reserve:
            raise InputError("has no effect without reserve", field="tolerance_h")
        for field in ("too_warm_at", "tolerance_deg"):
            if getattr(self, field) is not None and self.wish_at is None:
                raise InputError("has no effect without wish_at", field=field)
        if self.reserve > self.need:
            raise InputError("must not be above need, of which it is a part", field="reserve")

    def _plugged(self, day: Day) -> tuple[int, int]:
        if self.plugged is None:
            return 0, day.slots
        try:
            arrival, departure = day.stretch(*self.plugged)
        except InputError as error:
            raise InputError(error.reason, field="plugged") from None
        if not 0 <= arrival < departure <= day.slots:
            reason = "must be an arrival and a departure with at least one slot in between"
            raise InputError(reason, field="plugged")
        return arrival, departure

    def _bounds(self) -> tuple[float, float, float]:
        """Return level, low and high in kWh; a temperature counts from 0 °C."""
        if self.kwh_per_degree is None:
            return self._known("level"), self.low, self._known("high")
        level, low, high = (self._known(field) for field in ("level_at", "low_at", "high_at"))
        scale = self.kwh_per_degree
        return level * scale, low * scale, high * scale

    def _wish(
        self, level: float, plugged: tuple[int, int], full_power_kwh: float, day: Day
    ) -> StoreWish | None:
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
                full_power_kwh=full_power_kwh,
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


_KWH_FIELDS = ("level", "low", "high", "need", "reserve", "tolerance_h")
_DEGREE_FIELDS = ("level_at", "low_at", "high_at", "wish_at", "too_warm_at", "tolerance_deg")
KINDS: dict[str, type[CycleFields] | type[StoreFields]] = {
    "cycle": CycleFields,
    "store": StoreFields,
}
"""The kinds of the model."""


def device_of(
    table: object, day: Day, series: SeriesReader, own_kinds: Mapping[str, DeviceReader]
) -> Device:
    """Return the device that a table describes. Raises InputError with the field
    `device.field`."""
    if not isinstance(table, Mapping):
        raise InputError("a device is a table of fields", field="device")
    name, kind = str(table.get("name", "device")), table.get("kind")
    try:
        if isinstance(kind, str) and kind in own_kinds:
            return own_kinds[kind](table, day)
        if kind not in KINDS:
            reason = "is missing" if kind is None else f"there is no kind {kind!r}"
            known = suggestion(str(kind), [*KINDS, *own_kinds])
            raise InputError(f"{reason}: {known}", field="kind")
        return KINDS[kind].model_validate(dict(table)).device(day, series)
    except InputError as error:
        raise InputError(error.reason, field=f"{name}.{error.field or 'device'}") from error
    except ValidationError as error:
        fields = list(KINDS[str(kind)].model_fields)
        reason, field = mistake(error, fields)
        raise InputError(reason, field=f"{name}.{field}") from error


def mistake(error: ValidationError, known: list[str]) -> tuple[str, str]:
    """Return what is wrong with a table, and the field where."""
    place, message, kind = first_mistake(error)
    field = place.split(".", maxsplit=1)[0]
    if kind == "extra_forbidden":
        return f"there is no such field: {suggestion(field, known)}", field
    if kind == "missing":
        return "is missing", field
    return in_own_style(message), field


def _slot(clock: Clock, field: str, read: Callable[..., int], after: float = 0.0) -> int:
    try:
        return read(clock, after=after)
    except InputError as error:
        raise InputError(error.reason, field=field) from None
