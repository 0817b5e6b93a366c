"""The compact file: many homes of one day in one JSON file, with their plans if it has any.

This module decides what the file may hold. Times are slot numbers; a plan has the start of each
cycle, and for each store what it takes (`in`) and gives (`out`) by slot. Slots without an entry are
zero.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.devices.cycle import Cycle
from agents.devices.home import Home, Schedules
from agents.devices.home_fields import Amount, Day, DeviceFields, Positive
from protocol.checked_input import invalid
from protocol.errors import InputError
from protocol.vectors import Array


@dataclass(frozen=True, slots=True)
class PlannedHome:
    """A home with plans: the schedules of its devices in each. The first plan is preferred."""

    home: Home
    plans: tuple[Schedules, ...] = ()
    selected: int | None = None
    """The plan that a stage 1 before has chosen."""


@dataclass(frozen=True, slots=True)
class Homes:
    """Homes that share a day, by id."""

    day: Day
    first: str
    """Start of slot 0, such as `06:00`."""
    homes: dict[str, PlannedHome]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Base(_Table):
    kwh: list[Amount]
    essential_share: Annotated[float, Field(ge=0.0, le=1.0)] = 1.0


class _Solar(_Table):
    kwh: list[Amount]
    kwp: Amount = 0.0


class _StorePlan(_Table):
    taken: dict[int, Amount] = Field(default_factory=dict, validation_alias="in")
    given: dict[int, Amount] = Field(default_factory=dict, validation_alias="out")


class _Plan(_Table):
    starts: dict[str, int] = {}
    stores: dict[str, _StorePlan] = {}


class _Home(_Table):
    id: str
    people: int | None = None
    selected: int | None = None
    base: _Base
    solar: _Solar | None = None
    devices: list[DeviceFields] = []
    plans: list[_Plan] = []


class _File(_Table):
    note: str = ""
    slots: Annotated[int, Field(gt=0)]
    slot_minutes: Positive
    first: str = "00:00"
    seed: int | None = None
    reference: dict[str, Any] = {}
    homes: list[_Home]


def read_compact_file(file: Path) -> Homes:
    """Read the homes of a compact file. InputError names file, home, device and field."""
    try:
        read = _File.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        raise InputError("no such file", file=file) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error}", file=file) from error
    except ValidationError as error:
        raise invalid(error, file=file) from error
    day = Day(slots=read.slots, slot_minutes=read.slot_minutes)
    homes: dict[str, PlannedHome] = {}
    for fields in read.homes:
        if fields.id in homes:
            raise InputError("two homes have this id", file=file, field=fields.id)
        try:
            homes[fields.id] = _planned_home(fields, day)
        except InputError as error:
            place = f"{fields.id}.{error.field}" if error.field else fields.id
            raise InputError(error.reason, file=file, field=place) from error
    return Homes(day=day, first=read.first, homes=homes)


def _planned_home(fields: _Home, day: Day) -> PlannedHome:
    devices = []
    for device in fields.devices:
        try:
            devices.append(device.device(day))
        except InputError as error:
            raise InputError(error.reason, field=f"{device.name}.{error.field}") from error
    home = Home(
        id=fields.id,
        base_kwh=day.vector(fields.base.kwh, "base"),
        solar_kwh=day.vector(fields.solar.kwh if fields.solar else None, "solar"),
        devices=tuple(devices),
        essential_share=fields.base.essential_share,
    )
    plans = tuple(_schedules(home, plan, number) for number, plan in enumerate(fields.plans))
    if fields.selected is not None and not 0 <= fields.selected < len(plans):
        raise InputError(f"there are {len(plans)} plans", field="selected")
    return PlannedHome(home=home, plans=plans, selected=fields.selected)


def _schedules(home: Home, plan: _Plan, number: int) -> Schedules:
    """Return the schedules of a plan. Raises InputError if the home cannot follow them."""
    field = f"plans.{number}"
    schedules: dict[str, Array] = {}
    for device in home.devices:
        if isinstance(device, Cycle):
            start = plan.starts.get(device.name)
            if start is None or start not in device.starts:
                raise InputError(f"no possible start of {device.name}", field=field)
            schedules[device.name] = device.at(start)
        else:
            schedules[device.name] = _store_schedule(device.name, plan, home.slots, field)
    fault = home.fault(schedules)
    if fault is not None:
        raise InputError(f"cannot be followed: {fault}", field=field)
    return schedules


def _store_schedule(name: str, plan: _Plan, slots: int, field: str) -> Array:
    schedule = np.zeros(slots)
    stored = plan.stores.get(name)
    if stored is None:
        raise InputError(f"no schedule of {name}", field=field)
    for sign, amounts in ((1.0, stored.taken), (-1.0, stored.given)):
        for slot, amount in amounts.items():
            if not 0 <= slot < slots:
                raise InputError(f"{name}: there is no slot {slot}", field=field)
            if schedule[slot]:
                raise InputError(f"{name} takes and gives in slot {slot}", field=field)
            schedule[slot] = sign * amount
    return schedule
