"""Kinds of devices that the model lacks: the readers that people registered for them."""

from types import MappingProxyType

from agents.devices.home_fields import KINDS, DeviceReader
from protocol.errors import InputError

_READERS: dict[str, DeviceReader] = {}

REGISTERED = MappingProxyType(_READERS)
"""The readers of own kinds, by kind."""


def register_device(kind: str, reader: DeviceReader) -> None:
    """Let home files have devices of this kind.

    `reader` gets the fields of a device and the day, and returns the device
    (`agents.devices.device.Device`). Every process that reads the homes must register it, also
    hosts that stand by. Raises InputError for a kind that the model has.
    """
    if kind in KINDS:
        raise InputError(f"{kind} is a kind of the model: choose another word", field="kind")
    _READERS[kind] = reader
