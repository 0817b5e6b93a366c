"""Records of an exchange of amounts in the journal: new schedules of devices, and parts.

A home's schedules of devices stay in its own journal; nothing of this is sent.
"""

from collections.abc import Mapping
from typing import NamedTuple

import msgpack
import numpy as np

from protocol.messages import Address
from protocol.messages.exchange import LeaseId
from protocol.vectors import Array, from_bytes, to_bytes


class Part(NamedTuple):
    """What a home agreed with one partner."""

    partner: Address
    lease: LeaseId
    change: Array
    """The change of this home's total, float64[d] kWh."""


class AmountRecord(NamedTuple):
    """New schedules of devices, by name, and the parts of all partners."""

    changed: Mapping[str, Array]
    parts: tuple[Part, ...] = ()
    sequence: int = 0
    """Number of the proposal that is answered, or of the partners asked in vain; 0 for none."""
    setbacks: Mapping[str, float] = {}
    """What the new schedules cost in comfort, by device, in the device's unit."""


def write_amounts(record: AmountRecord) -> bytes:
    """Write a record as bytes."""
    packed: bytes = msgpack.packb(
        [
            {name: to_bytes(schedule) for name, schedule in record.changed.items()},
            [[*part.partner, *part.lease, to_bytes(part.change)] for part in record.parts],
            record.sequence,
            dict(record.setbacks),
        ]
    )
    return packed


def read_amounts(data: bytes) -> AmountRecord:
    """Read the bytes of `write_amounts`."""
    changed, parts, sequence, setbacks = msgpack.unpackb(data)
    return AmountRecord(
        changed={name: np.array(from_bytes(schedule)) for name, schedule in changed.items()},
        parts=tuple(
            Part(Address(host, name), LeaseId(epoch, number), from_bytes(change))
            for host, name, epoch, number, change in parts
        ),
        sequence=sequence,
        setbacks=setbacks,
    )
