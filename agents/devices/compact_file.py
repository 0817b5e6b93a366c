"""The compact file: many homes of one day in one JSON file, with their plans if it has any.

This module decides what the file may hold. Times are slot numbers; a plan has the start of each
cycle, and for each store what it takes (`in`) and gives (`out`) by slot. Slots without an entry are
zero.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.devices.cycle import Cycle
from agents.devices.day import day_of
from agents.devices.home import Home, PlannedHome, Schedules
from agents.devices.home_fields import Amount, DeviceReader, Positive
from agents.devices.home_table import Homes, Reading, home_of
from protocol.checked_input import invalid
from protocol.errors import InputError
from protocol.vectors import Array


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _StorePlan(_Table):
    taken: dict[int, Amount] = Field(default_factory=dict, validation_alias="in")
    given: dict[int, Amount] = Field(default_factory=dict, validation_alias="out")


class _Plan(_Table):
    starts: dict[str, int] = {}
    stores: dict[str, _StorePlan] = {}


class _Plans(BaseModel):
    plans: list[_Plan] = []
    selected: int | None = None


class _File(_Table):
    note: str = ""
    slots: Annotated[int, Field(gt=0, le=10_000)]
    slot_minutes: Positive
    first: str = "00:00"
    time_zone: str | None = None
    date: str | None = None
    seed: int | None = None
    reference: dict[str, Any] = {}
    homes: list[dict[str, Any]]


def homes_of(
    content: Mapping[str, Any], file: Path, own_kinds: Mapping[str, DeviceReader]
) -> Homes:
    """Return the homes of a compact file's content.

    InputError names file, home, device and field.
    """
    try:
        read = _File.model_validate(content)
    except ValidationError as error:
        raise invalid(error, file=file) from error
    homes: dict[str, PlannedHome] = {}
    try:
        day = day_of(
            slot_minutes=read.slot_minutes,
            first=read.first,
            time_zone=read.time_zone,
            on=read.date,
        )
        if day.slots != read.slots:
            reason = f"{read.slots}, but {read.slot_minutes:g} minutes give {day.slots} a day"
            raise InputError(reason, field="slots")
        reading = Reading(day=day, folder=file.parent, own_kinds=own_kinds)
        for table in read.homes:
            own = {key: value for key, value in table.items() if key not in _BESIDE_HOME}
            home = home_of(own, table.get("devices", []), reading)
            if home.id in homes:
                raise InputError("two homes have this id", field=home.id)
            homes[home.id] = _with_plans(home, table)
    except InputError as error:
        raise InputError(error.reason, file=file, field=error.field) from error
    if not homes:
        raise InputError("there is no home", file=file, field="homes")
    return Homes(day=day, homes=homes)


_BESIDE_HOME = ("devices", "plans", "selected")


def _with_plans(home: Home, table: Mapping[str, Any]) -> PlannedHome:
    """Return a home with the plans of its table. Raises InputError, naming home and field."""
    try:
        read = _Plans.model_validate(table)
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise InputError(error.errors()[0]["msg"], field=f"{home.id}.{place}") from error
    plans = tuple(_schedules(home, plan, number) for number, plan in enumerate(read.plans))
    if read.selected is not None and not 0 <= read.selected < len(plans):
        raise InputError(f"there are {len(plans)} plans", field=f"{home.id}.selected")
    return PlannedHome(home=home, plans=plans, selected=read.selected)


def _schedules(home: Home, plan: _Plan, number: int) -> Schedules:
    """Return the schedules of a plan. Raises InputError if the home cannot follow them."""
    field = f"{home.id}.plans.{number}"
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
