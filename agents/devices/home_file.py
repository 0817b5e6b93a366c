"""Home files: one home or many, as TOML or JSON, or a folder with one file per home.

This module decides which kind of file a path is, and how homes are written in it: `[home]` and
`[[device]]` for one home, `[[home]]` and `[[home.device]]` for many. JSON has the same keys, or is
the compact file (`compact_file`).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from agents.devices.compact_file import homes_of
from agents.devices.day import Day, day_of
from agents.devices.home import PlannedHome
from agents.devices.home_fields import DeviceReader, Positive, mistake
from agents.devices.home_table import Homes, Reading, home_of
from agents.devices.own_devices import REGISTERED
from protocol.checked_input import read_toml
from protocol.errors import InputError

SUFFIXES = (".toml", ".json")
_NOT_HOMES = ("coflex.toml", "mandates.toml")
"""Files that may lie in a folder of home files and describe something else."""


class _Head(BaseModel):
    """The fields of a home file that are not of a home."""

    model_config = ConfigDict(extra="forbid")

    slot_minutes: Positive = 15.0
    first: str = "00:00"
    date: str | None = None


def home_files(folder: Path) -> list[Path]:
    """Return the home files of a folder, by name."""
    files = sorted(folder.iterdir(), key=lambda file: _natural(file.stem))
    return [file for file in files if file.suffix in SUFFIXES and file.name not in _NOT_HOMES]


def read_homes(path: Path, own_kinds: Mapping[str, DeviceReader] = REGISTERED) -> Homes:
    """Read the homes of a file, or of all home files of a folder.

    `own_kinds` read devices that the model lacks, by `kind`; by default those registered.
    InputError names file, home, device and field.
    """
    if not path.is_dir():
        return _read_file(path, own_kinds)
    homes: dict[str, PlannedHome] = {}
    day: Day | None = None
    for file in home_files(path):
        found = _read_file(file, own_kinds)
        if day is not None and found.day != day:
            reason = f"its day differs from that of other homes in {path}"
            raise InputError(reason, file=file, field="slot_minutes, first, date, time_zone")
        day = found.day
        for name, home in found.homes.items():
            if name in homes:
                raise InputError("another file has a home of this id", file=file, field=name)
            homes[name] = home
    if day is None:
        raise InputError("no home files: a home is a file ending in .toml or .json", file=path)
    return Homes(day=day, homes=homes)


def _read_file(file: Path, own_kinds: Mapping[str, DeviceReader]) -> Homes:
    content = _content(file)
    if "homes" in content:
        return homes_of(content, file, own_kinds)
    try:
        return _homes(content, file.parent, own_kinds)
    except InputError as error:
        raise InputError(error.reason, file=file, field=error.field) from error


def _homes(
    content: Mapping[str, Any], folder: Path, own_kinds: Mapping[str, DeviceReader]
) -> Homes:
    """Return the homes of a file's content. Raises InputError, naming the field."""
    if "home" not in content:
        raise InputError("is missing: a home file has a table [home]", field="home")
    tables = content["home"]
    if isinstance(tables, Mapping):
        tables = [{**tables, "device": content.get("device", tables.get("device", []))}]
    elif "device" in content:
        reason = "with several homes a device belongs to one: write [[home.device]]"
        raise InputError(reason, field="device")
    if not isinstance(tables, list) or not all(isinstance(table, Mapping) for table in tables):
        raise InputError("must be a table, or a list of tables", field="home")
    head = {key: value for key, value in content.items() if key not in ("home", "device")}
    day = _day(head, tables)
    reading = Reading(day=day, folder=folder, own_kinds=own_kinds)
    homes: dict[str, PlannedHome] = {}
    for table in tables:
        own = {key: value for key, value in table.items() if key != "device"}
        home = home_of(own, table.get("device", []), reading)
        if home.id in homes:
            raise InputError("two homes have this id", field=home.id)
        homes[home.id] = PlannedHome(home=home)
    return Homes(day=day, homes=homes)


def _day(head: Mapping[str, Any], tables: list[Mapping[str, Any]]) -> Day:
    """Return the day of all homes of a file. Raises InputError, naming the field."""
    zones = {table.get("time_zone") for table in tables}
    if len(zones) > 1:
        raise InputError("the homes of a file have one time zone", field="time_zone")
    zone = zones.pop()
    if zone is not None and not isinstance(zone, str):
        raise InputError("write a zone like Europe/Brussels", field="time_zone")
    given = {key: str(value) if key == "date" else value for key, value in head.items()}
    try:
        fields = _Head.model_validate(given)
    except ValidationError as error:
        reason, field = mistake(error, [*_Head.model_fields, "home", "device"])
        raise InputError(reason, field=field) from error
    return day_of(
        slot_minutes=fields.slot_minutes, first=fields.first, time_zone=zone, on=fields.date
    )


def _content(file: Path) -> dict[str, Any]:
    if file.suffix == ".toml":
        return read_toml(file)
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputError("no such file", file=file) from None
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InputError(f"not a JSON file: {error}", file=file) from error
    if not isinstance(content, dict):
        raise InputError("a home file is an object with the key home or homes", file=file)
    return content


def _natural(name: str) -> tuple[str, int, str]:
    """Return a key that sorts h2 before h10."""
    head = name.rstrip("0123456789")
    return head, int(name[len(head) :] or 0), name
