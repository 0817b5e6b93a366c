"""A home from the table that describes it in a file of any kind.

This module decides what a home says besides its devices, and reads its series: lists in the file,
or small CSV files next to it.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.devices.day import Day
from agents.devices.energy_grid import rounded
from agents.devices.home import Home, PlannedHome
from agents.devices.home_fields import (
    Amount,
    DeviceReader,
    Number,
    Series,
    device_of,
    mistake,
)
from protocol.errors import InputError
from protocol.subjects import check_name
from protocol.vectors import Array


@dataclass(frozen=True, slots=True)
class Homes:
    """Homes that share a day, by id."""

    day: Day
    homes: dict[str, PlannedHome]


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading a home needs to know: its day, the folder of its series, own kinds of
    devices."""

    day: Day
    folder: Path
    own_kinds: Mapping[str, DeviceReader] = field(default_factory=dict)

    def series(self, given: Series, name: str) -> Array:
        """Return the amounts of a field, float64[d]. Raises InputError, naming the field."""
        if isinstance(given, str):
            given = _column(self.folder / given, name)
        if len(given) != self.day.slots:
            reason = f"{len(given)} amounts, but the day has {self.day.slots} slots"
            raise InputError(reason, field=name)
        return np.array(given, dtype=np.float64)


class _Base(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kwh: list[Amount]
    essential_share: Annotated[float, Field(ge=0.0, le=1.0)] = 1.0


class _Solar(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kwh: list[Amount]
    kwp: Amount = 0.0


class _HomeFields(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str
    people: int | None = None
    time_zone: str | None = None
    essential_share: Annotated[float, Field(ge=0.0, le=1.0)] = 1.0
    base: Series | _Base
    solar: Series | _Solar | None = None


def home_of(table: Mapping[str, Any], devices: object, reading: Reading) -> Home:
    """Return the home of a table and of its devices' tables.

    Raises InputError with the field `home.field` or `home.device.field`.
    """
    name = str(table.get("id", "home"))
    try:
        _check_id(name)
        fields = _HomeFields.model_validate(dict(table))
        if not isinstance(devices, list):
            raise InputError("devices are a list of tables", field="device")
        share, base = fields.essential_share, fields.base
        if isinstance(base, _Base):
            share, base = base.essential_share, base.kwh
        solar = fields.solar.kwh if isinstance(fields.solar, _Solar) else fields.solar
        return Home(
            id=fields.id,
            base_kwh=_amounts(base, "base", reading),
            solar_kwh=_amounts(solar, "solar", reading),
            devices=tuple(
                device_of(device, reading.day, reading.series, reading.own_kinds)
                for device in devices
            ),
            essential_share=share,
        )
    except InputError as error:
        place = f"{name}.{error.field}" if error.field else name
        raise InputError(error.reason, file=error.file, line=error.line, field=place) from error
    except ValidationError as error:
        reason, place = mistake(error, list(_HomeFields.model_fields))
        raise InputError(reason, field=f"{name}.{place}") from error


def _check_id(name: str) -> None:
    try:
        check_name(name, "home id")
    except InputError as error:
        raise InputError(error.reason, field="id") from None


def _amounts(given: Series | None, name: str, reading: Reading) -> Array:
    """Return a series of amounts on the grid of files, zeros for None."""
    if given is None:
        return np.zeros(reading.day.slots)
    amounts = reading.series(given, name)
    if (amounts < 0.0).any():
        slot = int(np.argmax(amounts < 0.0))
        raise InputError(f"{amounts[slot]:g} kWh in slot {slot} is negative", field=name)
    return rounded(amounts)


def _column(file: Path, name: str) -> list[Number]:
    """Return the last column of a CSV file: a number per line, after a header if there is one.

    Raises InputError, naming the file and line, or the field if there is no such file.
    """
    try:
        rows = list(csv.reader(file.read_text(encoding="utf-8-sig").splitlines()))
    except FileNotFoundError:
        raise InputError(f"no such file: {file}", field=name) from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{file} cannot be read: {error}", field=name) from error
    amounts = []
    for number, row in enumerate(rows, start=1):
        try:
            amount = float(row[-1])
        except (IndexError, ValueError):
            if number == 1:
                continue
            raise InputError(f"{file}, line {number}: not a number", field=name) from None
        if not np.isfinite(amount):
            raise InputError(f"{file}, line {number}: not a finite number", field=name)
        amounts.append(amount)
    return amounts
