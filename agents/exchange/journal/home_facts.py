"""What the devices of a home are, as its journal keeps it, so that the journal alone explains.

It is written once, when stage 2 starts, and stays with the home.
"""

from dataclasses import dataclass

import msgpack

from agents.devices.cycle import Cycle
from agents.devices.home import Home, Schedules
from agents.devices.home_plans import preferred_schedules
from agents.devices.store import Store
from protocol.errors import InputError


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """One device, as far as words about it need it."""

    name: str
    what: str
    """What a store is, such as `ev`; else the kind of the device."""
    unit: str | None
    """Unit of its setback: `min`, `degrees`, `h`; None for a device without a wish."""
    tolerance: float
    """The setback that its people call just acceptable."""
    preferred_start: int | None
    """The slot in which its people want a cycle to start; None for what is no cycle."""
    lead: int
    """Number of slots of a cycle's run before it first takes energy."""
    preferred_setback: float | None
    """The setback at ease; None if there is no wish, or if nobody knows."""


def facts_of(home: Home) -> tuple[DeviceFacts, ...]:
    """Return what the devices of a home are."""
    at_ease: Schedules
    try:
        at_ease = preferred_schedules(home)
    except InputError:
        at_ease = {}
    found = []
    for device in home.devices:
        cycle = device if isinstance(device, Cycle) else None
        wished = device.unit is not None and device.name in at_ease
        found.append(
            DeviceFacts(
                name=device.name,
                what=device.what if isinstance(device, Store) else device.kind,
                unit=device.unit,
                tolerance=device.tolerance,
                preferred_start=None if cycle is None else cycle.preferred_start,
                lead=0 if cycle is None else int((cycle.profile_kwh != 0.0).argmax()),
                preferred_setback=float(device.setback(at_ease[device.name])) if wished else None,
            )
        )
    return tuple(found)


def write_home(home: Home) -> bytes:
    """Write what the devices of a home are as bytes for the journal."""
    rows = [
        [getattr(facts, name) for name in DeviceFacts.__dataclass_fields__]
        for facts in facts_of(home)
    ]
    packed: bytes = msgpack.packb(rows)
    return packed


def read_home(data: bytes) -> tuple[DeviceFacts, ...]:
    """Read the bytes of `write_home`."""
    return tuple(DeviceFacts(*row) for row in msgpack.unpackb(data))
